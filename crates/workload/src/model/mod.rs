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

pub use count_range::Span;
use stages::{Stage, Stages};

/// When requests leave.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace {
    /// Each connection sends when its last request is answered.
    Closed,
    /// Requests leave on a plan, whatever the system does.
    Open {
        /// Requests per second.
        rate: f64,
        /// How they are spread over the second.
        arrivals: Arrivals,
    },
    /// The same with a rate that changes.
    Staged {
        /// One after the other.
        stages: Stages,
        /// How requests are spread.
        arrivals: Arrivals,
    },
}

impl Pace {
    /// Its stages; none where the rate does not change.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        match self {
            Self::Closed | Self::Open { .. } => &[],
            Self::Staged { stages, .. } => stages.list(),
        }
    }

    /// How requests of an open loop are spread; `None` in a closed loop.
    #[must_use]
    pub fn arrivals(&self) -> Option<Arrivals> {
        match self {
            Self::Closed => None,
            Self::Open { arrivals, .. } | Self::Staged { arrivals, .. } => Some(*arrivals),
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the closed loop"),
            Self::Open { rate, .. } => write!(f, "{rate:.0}/s"),
            Self::Staged { stages, .. } => stages.fmt(f),
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
pub enum Extent {
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
