//! Spans of the requests that are traced, and their export with OTLP over HTTP.
//!
//! A request that is not traced costs a look at its headers. What is traced is decided where a
//! request enters; below that, code opens spans without knowing: [`open`] makes one below every
//! span that its task works for, and none where there is no such span. Coalesced work, one
//! commit for many orders, is done below many spans at once.

mod collector;
mod context;
mod export;
mod metrics;
mod sample;
mod span;
mod tracer;

pub use collector::{Collector, NotACollector};
pub use context::{SpanContexts, carried};
pub use sample::{NotASample, Sample};
pub use span::{Kind, Span, open};
pub use tracer::{EntryPoint, Tracer};

use serde::{Deserialize, Serialize};

/// Most spans a service records in a second, unless set otherwise.
pub const DEFAULT_BUDGET: u32 = 500;

/// What is traced, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Who collects the spans.
    pub collector: Collector,
    /// Part of the requests without a trace of their own that begin one.
    pub sample: Sample,
    /// Most spans a service records in a second.
    pub budget: u32,
}

impl Settings {
    /// The defaults, for this collector.
    #[must_use]
    pub fn new(collector: Collector) -> Self {
        Self { collector, sample: Sample::HUNDREDTH, budget: DEFAULT_BUDGET }
    }
}
