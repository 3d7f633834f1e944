//! `ordersys bench calibrate`: how much the generator itself can do on this machine.

use std::time::Duration;

use crate::cli::bench::workload::WorkloadArgs;
use crate::cli::bench::{Exit, Failure, Globals, Outcome, block_on};
use crate::render::Live;
use ordersys_bench::calibrate;
use ordersys_report::calibration::text;

/// The shortest step that says something.
const SHORTEST_STEP: Duration = Duration::from_secs(1);

/// Measure the generator against a responder that does nothing
///
/// The responder is a process of its own on this machine, so the ceiling holds for runs whose system runs
/// beside the generator as well. Rates above 70 % of it measure the generator as much as the system.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys bench calibrate
  ordersys bench calibrate --step 10s --concurrency 256 --threads 2
  ordersys bench calibrate -o json | jq .safeRate")]
pub(super) struct Args {
    /// How long each step is
    #[arg(long, default_value = "3s", value_name = "TIME", value_parser = humantime::parse_duration)]
    step: Duration,
    #[command(flatten)]
    workload: WorkloadArgs,
}

/// Answer everything at once (started by calibrate)
#[derive(Debug, clap::Args)]
pub(super) struct ResponderArgs {}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    if args.step < SHORTEST_STEP {
        return Err(Failure::new(Exit::Usage, "--step must be at least 1s"));
    }
    let (profile, printer) = (args.workload.profile()?, globals.printer());
    let ceiling = block_on(async {
        calibrate::calibrate(&profile, args.step, &printer.events(), &mut Live::new(&printer)).await
    })?;
    printer.data(&ceiling, || text(&ceiling));
    Ok(())
}

pub(super) fn respond(_args: &ResponderArgs, globals: &Globals) -> Outcome {
    calibrate::responder::serve(|address| globals.printer().out(&address.to_string()))
}
