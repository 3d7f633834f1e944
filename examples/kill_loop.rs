//! Kills the services again and again under buyers and checks that nothing is lost, doubled or
//! oversold.
//!
//! `cargo run --example kill_loop -- --kills 1000 --seed 7 [--binary target/release/ordersys]`
#![expect(clippy::print_stdout, reason = "a tool shows what it found")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use ordersys_testkit::binary;
use ordersys_testkit::crash::kill_loop;

/// Most time for each kill with its restart, and for everything around them.
const PER_KILL: Duration = Duration::from_secs(3);
const AROUND: Duration = Duration::from_mins(2);

/// Kill services under load and check what is left
#[derive(Debug, Parser)]
struct Args {
    /// How often to kill at least
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// Decides who is killed when and what is ordered
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The `ordersys` to run [default: the one beside the directory of this example]
    #[arg(long)]
    binary: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let binary = args.binary.unwrap_or_else(|| binary().to_owned());
    let killing = kill_loop::run(&binary, usize::try_from(args.kills)?, args.seed);
    let summary = tokio::time::timeout(PER_KILL * args.kills + AROUND, killing).await;
    println!("{}", summary.context("it took too long")??);
    Ok(())
}
