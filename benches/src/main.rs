//! What measurements run besides `ordersys` itself.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use ordersys_benches::work::{self, Route};
use ordersys_benches::{fill, store};
use ordersys_chassis::telemetry::log::{self, Format};
use ordersys_store::Durability;
use serde::Serialize;
use tempfile::TempDir;
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What measurements run besides `ordersys` itself
#[derive(Debug, Parser)]
#[command(version)]
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
    /// Add confirmed orders to the data of a stack that is down; its checks pass afterwards
    Fill {
        /// The directory that holds the directories user, product and order
        #[arg(long)]
        data: PathBuf,
        /// How many
        #[arg(long)]
        orders: usize,
    },
    /// Write to the order and the product store alone; a line of JSON for each shape
    Store {
        /// What a commit means
        #[arg(long, default_value_t = Durability::Full)]
        durability: Durability,
        /// How long each shape is written
        #[arg(long, default_value_t = 2)]
        seconds: u64,
        /// Where its data goes for the time being
        #[arg(long, default_value = "target")]
        dir: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Work { route, orders, dir } => {
            let _logging = log::start(Format::Json, "info")?;
            let dir = scratch(&dir)?;
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(work::run(route, orders, dir.path()))
        }
        Command::Fill { data, orders } => {
            let runtime = Builder::new_multi_thread().enable_all().build()?;
            say(&runtime.block_on(fill::run(&data, orders))?)
        }
        Command::Store { durability, seconds, dir } => {
            let dir = scratch(&dir)?;
            let runtime = Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(store::run(dir.path(), durability, Duration::from_secs(seconds), say))
        }
    }
}

fn scratch(dir: &Path) -> anyhow::Result<TempDir> {
    tempfile::tempdir_in(dir).with_context(|| format!("no data can be kept in {}", dir.display()))
}

/// Prints a line of JSON.
fn say<T: Serialize>(what: &T) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(what)?)?)
}
