//! `ordersys supervise`: the process that `up` leaves behind to keep local services running.

use std::path::PathBuf;

use super::{Outcome, block_on};
use crate::stack::process;

/// Run the local services of a project (started by `ordersys up`)
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The project's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> Outcome {
    block_on(async { Ok(process::supervise(&args.dir).await?) })
}
