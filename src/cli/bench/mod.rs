//! `ordersys bench`: load a system, measure it, and check that it kept its books.

mod calibrate;
mod cleanup;
mod compare;
mod environment;
mod out;
mod pace;
mod report;
mod run;
mod saturate;
mod schema;
mod stock;
mod workload;

pub(super) use environment::recorded;

use crate::cli::{Globals, block_on};
use ordersys_command::{Exit, Failure, OrFail, Outcome};

#[derive(Debug, clap::Args)]
#[group(skip)] // the flags of a run are a group already
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  ordersys bench                                  closed loop, 64 connections, 10 s
  ordersys bench --rate 500 --duration 30s        500 orders/s whatever the system does
  ordersys bench --count 1000 --lines 1..3        1000 orders of one to three lines
  ordersys bench --registered                     users who log in order, each with its token
  ordersys bench --live --duration 1m             the whole terminal shows how it goes; q ends it
  ordersys bench --out run-1                      keeps the result, histograms, a page
  ordersys bench --faults kill:product@5s,pause:user@8s+2s   what clients notice of faults
  ordersys bench --slo 'p99<50ms,errors<0.1%'     exit code 6 if missed
  ordersys bench --stages 100/s:10s,100..500/s:30s   100 orders/s, then evenly up to 500
  ordersys bench --mix order:80,read:10,cancel:5,restock:3,bad:2 --skew zipf:0.99
  ordersys bench --race 100                       100 units, and every user wants one"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// One run (the same as `ordersys bench` alone)
    #[command(after_help = "Examples:\n  ordersys bench run --duration 30s --concurrency 8")]
    Run(Box<run::RunArgs>),
    Saturate(Box<saturate::Args>),
    Compare(Box<compare::Args>),
    Calibrate(Box<calibrate::Args>),
    Cleanup(cleanup::Args),
    Report(report::Args),
    Schema(schema::Args),
    #[command(hide = true)]
    Responder(calibrate::ResponderArgs),
}

pub(super) fn run(args: Args, globals: &Globals) -> Outcome {
    match args.command {
        None => run::run(&args.run, globals),
        Some(Command::Run(args)) => run::run(&args, globals),
        Some(Command::Saturate(args)) => saturate::run(&args, globals),
        Some(Command::Compare(args)) => compare::run(&args, globals),
        Some(Command::Calibrate(args)) => calibrate::run(&args, globals),
        Some(Command::Cleanup(args)) => cleanup::run(&args, globals),
        Some(Command::Report(args)) => report::run(&args, globals),
        Some(Command::Schema(args)) => {
            schema::run(&args, globals);
            Ok(())
        }
        Some(Command::Responder(args)) => calibrate::respond(&args, globals),
    }
}
