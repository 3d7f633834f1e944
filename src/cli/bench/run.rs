//! `ordersys bench run`, or `ordersys bench` alone: one run.

use std::path::PathBuf;

use super::pace::PaceArgs;
use super::surroundings::{self, surroundings};
use super::workload::WorkloadArgs;
use super::{Globals, OrFail, Outcome, block_on};
use crate::load::faults::Faults;
use crate::load::profile::Profile;
use crate::load::slo::{self, Objective};
use crate::load::{self, export, render};

/// One run (the same as `ordersys bench` alone)
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    workload: WorkloadArgs,
    /// What to do to the services meanwhile, e.g. 'kill:product@5s,pause:user@8s+2s,cut:order@3s+1s'
    #[arg(long, value_name = "LIST")]
    faults: Option<Faults>,
    /// What has to be reached, e.g. 'p99<50ms,errors<0.1%,throughput>1000'
    #[arg(long, value_name = "LIST", value_parser = objectives)]
    slo: Option<Objectives>,
    /// Write result.json and the distributions into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A parsed `--slo`: one value of its own, since clap takes a plain list for a repeatable flag.
#[derive(Debug, Clone)]
pub(super) struct Objectives(pub(super) Vec<Objective>);

pub(super) fn objectives(text: &str) -> Result<Objectives, String> {
    slo::parse(text).map(Objectives)
}

pub(super) fn run(args: &RunArgs, globals: &Globals) -> Outcome {
    let profile = args.profile()?;
    let (client, printer) = (globals.client()?, globals.printer());
    let report = block_on(async {
        let mut surroundings = surroundings(globals).await;
        if args.faults.is_some() {
            surroundings.chaos = surroundings::chaos(globals).await?;
        }
        load::run(&profile, &client, &surroundings, &printer).await
    })?;
    printer.data(&report.core(), || render::text(&report, &profile.pace));
    if let Some(dir) = &args.out {
        export::write(&report, dir).hint("name another directory with --out")?;
        printer.say(format!("wrote {}", dir.join("result.json").display()));
    }
    report.failure().map_or(Ok(()), Err)
}

impl RunArgs {
    fn profile(&self) -> Outcome<Profile> {
        let objectives = self.slo.as_ref().map(|slo| slo.0.clone()).unwrap_or_default();
        let faults = self.faults.clone().unwrap_or_default();
        Ok(Profile { objectives, faults, ..self.pace.apply(self.workload.profile()?)? })
    }
}
