//! Flags for when requests leave and when a run is over.

use std::time::Duration;

use crate::cli::bench::{Exit, Failure, Outcome};
use ordersys_bench::profile::Profile;
use ordersys_workload::model::stages::{Stages, read_rate};
use ordersys_workload::model::{Arrivals, LoadModel, StopCondition};

/// How long a run lasts unless asked otherwise.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(super) struct PaceArgs {
    /// How long to measure [default: 10s]
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "count")]
    duration: Option<Duration>,
    /// Measure so many requests instead of a time
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// How long to load before measuring [default: 1s, with --count 0s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    warmup: Option<Duration>,
    /// Send so many requests a second whatever the system does (open loop)
    #[arg(short, long, value_name = "PER_SECOND", value_parser = read_rate)]
    rate: Option<f64>,
    /// Rates one after the other, such as 100/s:10s,100..500/s:30s (then evenly from 100/s to 500/s)
    #[arg(long, value_name = "LIST", conflicts_with_all = ["rate", "duration", "count"])]
    stages: Option<Stages>,
    /// How requests of an open loop are spread [default: poisson]
    #[arg(long, value_name = "HOW")]
    arrivals: Option<Arrivals>,
}

impl PaceArgs {
    /// The profile with this pace.
    pub(super) fn apply(&self, profile: Profile) -> Outcome<Profile> {
        let (stop_condition, warmup) = match (self.count, &self.stages) {
            (Some(count), _) => (StopCondition::Count(count), Duration::ZERO),
            (None, Some(stages)) => (StopCondition::For(stages.lasts()), profile.warmup),
            (None, None) => (StopCondition::For(self.duration.unwrap_or(DEFAULT_DURATION)), profile.warmup),
        };
        let warmup = self.warmup.unwrap_or(warmup);
        Ok(Profile { pace: self.pace()?, stop_condition, warmup, ..profile })
    }

    fn pace(&self) -> Outcome<LoadModel> {
        let arrivals = self.arrivals.unwrap_or(Arrivals::Poisson);
        match (self.rate, &self.stages) {
            (Some(rate), _) => Ok(LoadModel::OpenLoop { rate, arrivals }),
            (None, Some(stages)) => Ok(LoadModel::Ramping { stages: stages.clone(), arrivals }),
            (None, None) if self.arrivals.is_some() => Err(Failure::new(
                Exit::Usage,
                "--arrivals spreads the requests of an open loop, which needs a rate",
            )
            .hint("add --rate or --stages")),
            (None, None) => Ok(LoadModel::ClosedLoop),
        }
    }
}
