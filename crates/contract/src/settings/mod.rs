//! What a service is set to, in the types that its command line, a stack and its code share.

mod collector;
mod database;
mod durability;
mod host_name;
mod sample;

use serde::{Deserialize, Serialize};

pub use collector::{Collector, NotACollector};
pub use database::{DatabaseAddress, DatabaseHost, NotADatabase, Store};
pub use durability::Durability;
pub use host_name::{HostName, NotAHost};
pub use sample::{NotASample, Sample};

/// Most spans a service records in a second, unless set otherwise.
pub const DEFAULT_BUDGET: u32 = 500;

/// What is traced, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracing {
    /// Who collects the spans.
    pub collector: Collector,
    /// Part of the requests without a trace of their own that begin one.
    pub sample: Sample,
    /// Most spans a service records in a second.
    pub budget: u32,
}

impl Tracing {
    /// The defaults, for this collector.
    #[must_use]
    pub fn new(collector: Collector) -> Self {
        Self { collector, sample: Sample::HUNDREDTH, budget: DEFAULT_BUDGET }
    }
}
