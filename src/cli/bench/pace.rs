//! Flags for when requests leave and when a run is over.

use std::time::Duration;

use crate::load::profile::{Arrivals, Extent, Pace, Profile};

/// How long requests are sent before they count, unless a count is asked for.
const DEFAULT_WARMUP: Duration = Duration::from_secs(1);
/// How long a run lasts unless asked otherwise.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// When requests leave and when the run is over.
#[derive(Debug, clap::Args)]
pub(super) struct PaceArgs {
    /// How long to measure [default: 10s]
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "count")]
    duration: Option<Duration>,
    /// Measure so many orders instead of a time
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// How long to load before measuring [default: 1s, with --count 0s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    warmup: Option<Duration>,
    /// Send so many orders a second whatever the system does (open loop)
    #[arg(short, long, value_name = "PER_SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// How orders of an open loop are spread
    #[arg(long, default_value = "poisson", value_name = "HOW", requires = "rate")]
    arrivals: Arrivals,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim_end_matches("/s").parse().ok();
    let usable = rate.filter(|rate: &f64| (0.01..=10_000_000.0).contains(rate));
    usable.ok_or_else(|| "orders per second, from 0.01 to 10000000".to_owned())
}

impl PaceArgs {
    /// The profile with this pace.
    pub(super) fn apply(&self, profile: Profile) -> Profile {
        let (extent, warmup) = match self.count {
            Some(count) => (Extent::Count(count), Duration::ZERO),
            None => (Extent::For(self.duration.unwrap_or(DEFAULT_DURATION)), DEFAULT_WARMUP),
        };
        Profile {
            pace: self.rate.map_or(Pace::Closed, |rate| Pace::Open { rate, arrivals: self.arrivals }),
            extent,
            warmup: self.warmup.unwrap_or(warmup),
            ..profile
        }
    }
}
