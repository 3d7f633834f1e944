//! What is done with this repository besides building and testing it: measurements that compare variants of the
//! system, and pages that are generated. Each measurement runs the real program and believes what it prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tables go to the terminal, progress beside them"
)]

mod common;
mod lab;
mod machine;
mod measure;
mod reference;
mod serving;
mod stack;
mod turns;

use std::process::ExitCode;

use clap::Parser;
use common::Common;
use measure::{
    accounts, footprint, growth, logging, memory, orchestrator, overload, record, store, variants,
};
use ordersys_command::Signals;

/// Measurements that compare variants of the system, and generated pages
///
/// A measurement prints a table with its conditions, and ends with 1 if a figure is not sound or misses its limit.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
enum Task {
    /// What access tokens cost, and a flood of logins (5 rounds of 4 s, two minutes)
    Accounts(Common),
    /// Memory of idle services, size of the image, time to start (5 rounds, two minutes)
    Footprint(footprint::Args),
    /// What stored orders cost: throughput, start, disk, memory (8 rounds of 3 s, 5 GB of disk, ten minutes)
    Growth(growth::Args),
    /// What log lines and the counting of requests cost (7 rounds of 5 s, two minutes)
    Logging(Common),
    /// Whether the generator's memory grows with the length of a run (600 s)
    Memory(Common),
    /// Times of `up` and `down` in Docker (10 rounds, a minute)
    Orchestrator(Common),
    /// Three times the highest sustained rate, with a processor for the generator (3 rounds of 6 s, two minutes)
    Overload(Common),
    /// Write the table of orders a second into docs/performance/results.md (10 s each)
    Record(record::Args),
    /// Write the pages that are made from the code: commands, the schema of results
    Reference,
    /// Commits and orders a second of the stores alone (3 rounds of 2 s for each shape, three minutes)
    Store(Common),
    /// The same load on variants of the same system, each turn on an empty store (3 rounds of 5 s, two to four minutes)
    Variants(variants::Args),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let task = Task::parse();
    // What was started ends with what is dropped here.
    let interrupted = async {
        match Signals::listen() {
            Ok(mut signals) => signals.next().await,
            Err(_) => std::future::pending().await, // signals then end it at once
        }
    };
    let done = tokio::select! {
        done = run(task) => done,
        () = interrupted => Err(anyhow::anyhow!("interrupted")),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Accounts(args) => accounts::run(&args).await,
        Task::Footprint(args) => footprint::run(&args).await,
        Task::Growth(args) => growth::run(&args).await,
        Task::Logging(args) => logging::run(&args).await,
        Task::Memory(args) => memory::run(&args).await,
        Task::Orchestrator(args) => orchestrator::run(&args).await,
        Task::Overload(args) => overload::run(&args).await,
        Task::Record(args) => record::run(&args).await,
        Task::Reference => reference::run().await,
        Task::Store(args) => store::run(&args).await,
        Task::Variants(args) => variants::run(&args).await,
    }
}
