//! What a run is asked to do, before anything is known about the system under test.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::faults::Faults;
use super::key::Keys;
use super::mix::Mix;
use super::skew::Skew;
use super::slo::Objective;
use super::stages::{Stage, Stages};

/// Most connections of one run.
pub const MAX_CONNECTIONS: u32 = 65_536;
/// Most users or products of one run; the plan and the verification keep a row for each.
pub const MAX_POOL: u32 = 100_000;

/// Most registered users of one run: a service hashes a password of each of them, which is slow on purpose.
pub const MAX_REGISTERED: u32 = 64;

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Profile {
    /// When requests leave.
    pub pace: Pace,
    /// When the run is over.
    pub extent: Extent,
    /// How long requests are sent before any of them counts.
    pub warmup: Duration,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// Generator threads the connections are spread over.
    pub threads: u32,
    /// How long an answer may take.
    pub timeout: Duration,
    /// The same seed plans the same requests.
    pub seed: u64,
    /// Lines of an order.
    pub lines: Span,
    /// Units of a line.
    pub quantity: Span,
    /// What share of the requests does what.
    pub mix: Mix,
    /// Which products are ordered more than others.
    pub skew: Skew,
    /// How idempotency keys follow each other.
    pub keys: Keys,
    /// How often a request is sent again after a failure, with the same key.
    pub retries: u32,
    /// Users that order.
    pub users: u32,
    /// Who they are.
    pub buyers: Buyers,
    /// Products that are ordered.
    pub products: u32,
    /// Units each product of the run starts with.
    pub stock: u64,
    /// Whether the system's books are checked afterwards.
    pub verification: Verification,
    /// What the run has to reach.
    pub objectives: Vec<Objective>,
    /// What is done to the system meanwhile.
    pub faults: Faults,
    /// Where the distribution of each second is logged.
    pub log: Option<PathBuf>,
}

impl Default for Profile {
    /// The defaults of `ordersys bench`.
    fn default() -> Self {
        let connections = 64;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            pace: Pace::Closed,
            extent: Extent::For(Duration::from_secs(10)),
            warmup: Duration::from_secs(1),
            connections,
            threads: default_threads(connections, u32::try_from(cores).unwrap_or(u32::MAX)),
            timeout: Duration::from_secs(5),
            seed: 1,
            lines: Span::ONE,
            quantity: Span::ONE,
            mix: Mix::default(),
            skew: Skew::Uniform,
            keys: Keys::default(),
            retries: 0,
            users: 16,
            buyers: Buyers::Guests,
            products: 100,
            stock: 1_000_000_000,
            verification: Verification::On,
            objectives: Vec::new(),
            faults: Faults::default(),
            log: None,
        }
    }
}

/// Who orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyers {
    /// Users without a password: nobody proves anything.
    Guests,
    /// Users with a password, each of whom logs in and orders with an access token of its own.
    Registered,
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
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

/// A range of whole numbers, both ends included, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    least: u32,
    most: u32,
}

impl Span {
    /// Exactly one.
    pub const ONE: Self = Self { least: 1, most: 1 };

    /// The range, unless it is empty or starts at zero.
    #[must_use]
    pub fn new(least: u32, most: u32) -> Option<Self> {
        (least >= 1 && least <= most).then_some(Self { least, most })
    }

    /// The smallest number.
    #[must_use]
    pub fn least(self) -> u32 {
        self.least
    }

    /// The largest number.
    #[must_use]
    pub fn most(self) -> u32 {
        self.most
    }
}

impl FromStr for Span {
    type Err = String;

    /// Reads `3`, `1..3` and `1..=3`; both ends are included in both.
    fn from_str(text: &str) -> Result<Self, String> {
        let (least, most) = match text.split_once("..") {
            Some((least, most)) => (least, most.strip_prefix('=').unwrap_or(most)),
            None => (text, text),
        };
        let number = |part: &str| part.parse().ok();
        number(least)
            .zip(number(most))
            .and_then(|(least, most)| Self::new(least, most))
            .ok_or_else(|| "a number such as 2 or a range such as 1..3 (from 1 to 3)".to_owned())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least == self.most {
            write!(f, "{}", self.least)
        } else {
            write!(f, "{}..{}", self.least, self.most)
        }
    }
}

/// Generator threads for so many connections on so many cores: one per two connections, at most half
/// the cores, since the system under test usually runs beside.
#[must_use]
pub fn default_threads(connections: u32, cores: u32) -> u32 {
    connections.div_ceil(2).min(cores / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends() {
        let cases = [
            ("3", Some((3, 3))),
            ("1..3", Some((1, 3))),
            ("1..=3", Some((1, 3))),
            ("2..2", Some((2, 2))),
            ("3..1", None),
            ("0..1", None),
            ("0", None),
            ("..", None),
            ("1..", None),
            ("-1", None),
            ("a", None),
        ];
        for (text, expected) in cases {
            let read = text.parse::<Span>().ok().map(|span| (span.least(), span.most()));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn the_generator_leaves_half_of_the_machine_to_the_system() {
        for (connections, cores, threads) in [(1, 8, 1), (64, 2, 1), (64, 1, 1), (64, 16, 8), (6, 16, 3)] {
            assert_eq!(default_threads(connections, cores), threads, "{connections} on {cores}");
        }
    }
}
