//! `ordersys bench saturate`: the highest rate that meets the objectives.

use std::time::Duration;

use crate::cli::bench::environment::environment;
use crate::cli::bench::run::{Objectives, objectives};
use crate::cli::bench::stock;
use crate::cli::bench::workload::WorkloadArgs;
use crate::cli::bench::{Exit, Failure, Globals, Outcome, block_on};
use ordersys_bench::profile::Profile;
use ordersys_bench::saturate;
use ordersys_bench::saturate::Plan;
use ordersys_report::saturation::text;
use ordersys_workload::model::Arrivals;
use ordersys_workload::model::stages::read_rate;

/// The shortest step: quantiles of less say nothing.
const SHORTEST_STEP: Duration = Duration::from_secs(1);

/// Find the highest rate that meets the objectives
///
/// Doubles the rate until an objective breaks, halves the gap until it is narrow, and confirms the highest
/// rate that met all of them with a run of twice the length. The system is verified at each step. Exit code
/// 6 if no rate meets them, 7 if the system did not keep its books.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys bench saturate --slo 'p99<50ms,errors<0.1%'
  ordersys bench saturate --slo 'p99.9<100ms' --from 1000 --step 10s --lines 1..3
  ordersys bench saturate --slo 'p99<20ms' -o json | jq '[.met, .missed]'")]
pub(super) struct Args {
    /// What has to be reached, e.g. 'p99<50ms,errors<0.1%'
    #[arg(long, value_name = "LIST", value_parser = objectives)]
    slo: Objectives,
    /// The first rate that is tried
    #[arg(long, default_value = "100", value_name = "PER_SECOND", value_parser = read_rate)]
    from: f64,
    /// How long each rate is tried; the whole search takes some 15 steps
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = humantime::parse_duration)]
    step: Duration,
    /// How narrow the interval has to be, in percent of its lower end
    #[arg(long, default_value_t = 5, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    precision: u8,
    /// How requests are spread
    #[arg(long, default_value = "poisson", value_name = "HOW")]
    arrivals: Arrivals,
    #[command(flatten)]
    workload: WorkloadArgs,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let profile = args.profile()?;
    let plan = Plan {
        from: args.from,
        step: args.step,
        precision: f64::from(args.precision) / 100.0,
        arrivals: args.arrivals,
    };
    let globals = &stock::at_home(globals);
    let (client, printer) = (globals.client()?, globals.printer());
    let found = block_on(async {
        let environment = environment(globals).await;
        let one = async |profile: Profile| {
            printer.say(format!("trying {}", profile.pace));
            crate::render::run(&profile, &client, &environment, &printer).await
        };
        saturate::search(plan, &profile, one).await
    })?;
    printer.data(&found, || text(&found));
    found.failure().map_or(Ok(()), Err)
}

impl Args {
    fn profile(&self) -> Outcome<Profile> {
        if self.step < SHORTEST_STEP {
            return Err(Failure::new(Exit::Usage, "--step must be at least 1s"));
        }
        if let Some(objective) = self.slo.0.iter().find(|objective| objective.is_about_throughput()) {
            return Err(Failure::new(
                Exit::Usage,
                format!("{objective} cannot be searched for: the rate is what is looked for"),
            )
            .hint("bound times and errors, e.g. --slo 'p99<50ms,errors<0.1%'"));
        }
        let profile = Profile { objectives: self.slo.0.clone(), ..self.workload.profile()? };
        profile.refuse_the_pointless()?;
        Ok(profile)
    }
}
