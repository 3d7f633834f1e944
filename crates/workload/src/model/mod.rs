//! When requests leave and when a run is over.

pub mod clock;
pub mod count_range;
pub mod schedule;
pub mod stage_span;
pub mod stages;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use count_range::CountRange;
use stages::{Stage, Stages};

/// When requests leave.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadModel {
    /// Each connection sends when its last request is answered.
    ClosedLoop,
    /// Requests leave on a plan, whatever the system does.
    OpenLoop {
        /// Requests per second.
        rate: f64,
        /// How they are spread over the second.
        arrivals: Arrivals,
    },
    /// The same with a rate that changes.
    Ramping {
        /// One after the other.
        stages: Stages,
        /// How requests are spread.
        arrivals: Arrivals,
    },
}

impl LoadModel {
    /// Its stages; none where the rate does not change.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        match self {
            Self::ClosedLoop | Self::OpenLoop { .. } => &[],
            Self::Ramping { stages, .. } => stages.list(),
        }
    }

    /// How requests of an open loop are spread; `None` in a closed loop.
    #[must_use]
    pub fn arrivals(&self) -> Option<Arrivals> {
        match self {
            Self::ClosedLoop => None,
            Self::OpenLoop { arrivals, .. } | Self::Ramping { arrivals, .. } => Some(*arrivals),
        }
    }
}

impl fmt::Display for LoadModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedLoop => f.write_str("the closed loop"),
            Self::OpenLoop { rate, .. } => write!(f, "{rate:.0}/s"),
            Self::Ramping { stages, .. } => stages.fmt(f),
        }
    }
}

/// How planned requests are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// Independent of each other, as shoppers are.
    Poisson,
    /// At equal distances.
    Even,
}

/// When a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopCondition {
    /// After this time.
    For(Duration),
    /// After this many requests.
    Count(u64),
}

/// Whether the system's books are checked after the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// Every run is checked unless asked otherwise.
    On,
    /// The report says that nothing was checked.
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_model_says_what_it_is() {
        let ramp: Stages = "1/s:2s,3/s:4s".parse().expect("stages");
        let even = Arrivals::Even;
        for (model, stages, arrivals, text) in [
            (LoadModel::ClosedLoop, 0, None, "the closed loop"),
            (LoadModel::OpenLoop { rate: 12.4, arrivals: even }, 0, Some(even), "12/s"),
            (LoadModel::Ramping { stages: ramp, arrivals: even }, 2, Some(even), "1/s:2s,3/s:4s"),
        ] {
            assert_eq!((model.stages().len(), model.arrivals()), (stages, arrivals), "{text}");
            assert_eq!(model.to_string(), text);
        }
    }
}
