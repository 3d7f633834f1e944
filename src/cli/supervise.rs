//! `ordersys supervise`: the process that `up` leaves behind to keep local services running.

use std::path::PathBuf;

use ordersys_command::Outcome;
use ordersys_supervisor::supervise;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The project's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> Outcome {
    // One thread: it mostly waits, and with several each look at its list would wake two of them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(supervise(&args.dir))?)
}
