//! What the measuring scripts run besides `ordersys` itself.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use ordersys_benches::work::{self, Route};
use ordersys_chassis::log::{self, Format};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the measuring scripts run besides `ordersys` itself
#[derive(Debug, Parser)]
enum Command {
    /// Do a fixed amount of work on one path, on one thread; log lines go to stdout
    Work {
        /// Which path
        route: Route,
        /// How many orders it is for
        #[arg(long, default_value_t = 1000)]
        orders: usize,
        /// Where its data goes for the time being
        #[arg(long, default_value = "target")]
        dir: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Work { route, orders, dir } => do_work(route, orders, &dir),
    }
}

fn do_work(route: Route, orders: usize, dir: &std::path::Path) -> anyhow::Result<()> {
    let _logging = log::start(Format::Json, "info")?;
    let dir =
        tempfile::tempdir_in(dir).with_context(|| format!("no data can be kept in {}", dir.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work::run(route, orders, dir.path()))
}
