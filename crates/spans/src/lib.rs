//! Spans of the requests that are traced, and their export with OTLP over HTTP.
//!
//! A request that is not traced costs a look at its headers. What is traced is decided where a
//! request enters; below that, code opens spans without knowing: [`open`] makes one below every
//! span that its task works for, and none where there is no such span. Coalesced work, one
//! commit for many orders, is done below many spans at once.

mod context;
mod export;
mod metrics;
mod span;
mod tracer;

pub use context::{SpanContexts, carried};
pub use ordersys_contract::settings::{Collector, DEFAULT_BUDGET, Sample, Tracing as Settings};
pub use span::{Kind, Span, open};
pub use tracer::{EntryPoint, Tracer};
