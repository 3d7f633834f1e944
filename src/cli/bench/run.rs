//! `ordersys bench run`, or `ordersys bench` alone: one run.

use std::path::Path;

use crate::cli::bench::environment;
use crate::cli::bench::environment::environment;
use crate::cli::bench::out::OutArgs;
use crate::cli::bench::pace::PaceArgs;
use crate::cli::bench::stock;
use crate::cli::bench::workload::WorkloadArgs;
use crate::cli::bench::{Exit, Failure, Globals, OrFail, Outcome, block_on};
use crate::render::{Printer, run as render_run};
use ordersys_bench::faults::Faults;
use ordersys_bench::profile::{ExistingStock, Profile};
use ordersys_bench::result::RunResult;
use ordersys_bench::settings::Environment;
use ordersys_bench::verdict::slo;
use ordersys_bench::verdict::slo::Objective;
use ordersys_report::export::PAGE;
use ordersys_report::{bench as render, export};

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    workload: WorkloadArgs,
    /// What to do to the services meanwhile, e.g. 'kill:product@5s,pause:user@8s+2s,partition:order@3s+1s'
    #[arg(long, value_name = "LIST")]
    faults: Option<Faults>,
    /// What has to be reached, e.g. 'p99<50ms,errors<0.1%,throughput>1000'
    #[arg(long, value_name = "LIST", value_parser = objectives)]
    slo: Option<Objectives>,
    /// Show the run on the whole terminal while it goes on; q ends it like Ctrl-C
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    out: OutArgs,
}

/// A parsed `--slo`: one value of its own, since clap takes a plain list for a repeatable flag.
#[derive(Debug, Clone)]
pub(super) struct Objectives(pub(super) Vec<Objective>);

pub(super) fn objectives(text: &str) -> Result<Objectives, String> {
    slo::parse(text).map(Objectives)
}

pub(super) fn run(args: &RunArgs, globals: &Globals) -> Outcome {
    let profile = args.profile()?;
    let (printer, globals) = (args.printer(globals)?, &stock::at_home(globals));
    let client = globals.client()?;
    let out = args.out.claim()?;
    let profile = Profile { log: out.map(Path::to_owned), ..profile };
    let report = block_on(async {
        let environment = args.environment(globals).await?;
        match render_run(&profile, &client, &environment, &printer).await {
            Err(failure) if stock::may_be_sold(&failure, &printer).await => {
                let selling = Profile { existing: ExistingStock::Sold, ..profile.clone() };
                render_run(&selling, &client, &environment, &printer).await
            }
            ended => ended,
        }
    })?;
    let result = RunResult::of(&report);
    printer.data(&result, || render::text(&result));
    if let Some(dir) = out {
        export::write(&report, dir).hint("name another directory with --out")?;
        printer.say(format!("report: {}", dir.join(PAGE).display()));
    }
    report.failure().map_or(Ok(()), Err)
}

impl RunArgs {
    /// The flag that only a run of its own may have, if there is one.
    pub(super) fn own(&self) -> Option<&'static str> {
        if self.out.is_given() { Some("--out") } else { self.live.then_some("--live") }
    }

    fn printer(&self, globals: &Globals) -> Outcome<Printer> {
        let printer = globals.printer();
        if !self.live {
            return Ok(printer);
        }
        printer.full_screen().ok_or_else(|| {
            Failure::new(Exit::Usage, "--live needs a terminal, and standard output is not a terminal")
                .hint("leave out --live; --out DIR stores the result, second by second")
        })
    }

    /// What is known of the system, and what can be done to it if that is asked for.
    pub(super) async fn environment(&self, globals: &Globals) -> Outcome<Environment> {
        let mut environment = environment(globals).await;
        if self.faults.is_some() {
            environment.chaos = environment::chaos(globals).await?;
        }
        Ok(environment)
    }

    /// What the run is asked to do.
    pub(super) fn profile(&self) -> Outcome<Profile> {
        let objectives = self.slo.as_ref().map(|slo| slo.0.clone()).unwrap_or_default();
        let faults = self.faults.clone().unwrap_or_default();
        let profile = Profile { objectives, faults, ..self.pace.apply(self.workload.profile()?)? };
        profile.refuse_the_pointless()?;
        Ok(profile)
    }
}
