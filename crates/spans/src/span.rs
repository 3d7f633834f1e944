//! Spans as they are worked on.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue as Any, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self as otlp, Status};
use ordersys_contract::TraceParent;

use crate::context::{SpanContext, SpanContexts};
use crate::tracer::Tracer;

/// Whose work a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work for a caller.
    Server,
    /// Waiting for another service.
    Client,
    /// Work of its own.
    Internal,
}

/// The value of an attribute, of the kinds that are exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

/// Some work under way, below every span it is done for. It ends when this is dropped, however
/// that comes about. Where nothing is traced, it is nothing.
#[derive(Default)]
pub struct Span(Vec<Entry>);

/// The work below one span.
enum Entry {
    Recorded(Box<Recorded>),
    /// There is no span of its own: what is below belongs where this would.
    Passed(SpanContext),
}

struct Recorded {
    tracer: Tracer,
    parent: TraceParent,
    began: Instant,
    span: otlp::Span,
}

/// Opens a span below every one that the current task works for.
#[must_use]
pub fn open(kind: Kind, name: &'static str) -> Span {
    let contexts = SpanContexts::current();
    Span(contexts.all().iter().map(|context| Entry::below(context, kind, name)).collect())
}

impl Entry {
    fn below(context: &SpanContext, kind: Kind, name: &str) -> Self {
        if context.tracer.admits(context.parent) {
            Self::record(&context.tracer, Some(context.parent), context.parent.child(), kind, name.to_owned())
        } else {
            Self::Passed(context.clone())
        }
    }

    fn record(
        tracer: &Tracer,
        above: Option<TraceParent>,
        own: TraceParent,
        kind: Kind,
        name: String,
    ) -> Self {
        let kind = match kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Internal => SpanKind::Internal,
        };
        let span = otlp::Span {
            trace_id: own.trace.0.get().to_be_bytes().to_vec(),
            span_id: own.span.0.get().to_be_bytes().to_vec(),
            parent_span_id: above.map_or_else(Vec::new, |above| above.span.0.get().to_be_bytes().to_vec()),
            flags: u32::from(own.sampled),
            name,
            kind: kind.into(),
            start_time_unix_nano: nanos(),
            ..otlp::Span::default()
        };
        Self::Recorded(Box::new(Recorded {
            tracer: tracer.clone(),
            parent: own,
            began: Instant::now(),
            span,
        }))
    }
}

impl Span {
    /// Begins a trace.
    pub(crate) fn root(tracer: &Tracer, kind: Kind, name: String) -> Self {
        Self(vec![Entry::record(tracer, None, TraceParent::begin(), kind, name)])
    }

    /// Goes on below a caller's span.
    pub(crate) fn continued(tracer: &Tracer, parent: TraceParent, kind: Kind, name: String) -> Self {
        Self(vec![Entry::record(tracer, Some(parent), parent.child(), kind, name)])
    }

    /// Records nothing, and passes the caller's span on.
    pub(crate) fn passed(parent: TraceParent) -> Self {
        Self(vec![Entry::Passed(SpanContext { parent, tracer: Tracer::off() })])
    }

    fn recorded(&mut self) -> impl Iterator<Item = &mut Recorded> {
        self.0.iter_mut().filter_map(|entry| match entry {
            Entry::Recorded(recorded) => Some(&mut **recorded),
            Entry::Passed(_) => None,
        })
    }

    /// Whether anything is recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.0.iter().any(|entry| matches!(entry, Entry::Recorded(_)))
    }

    /// Notes something about the work. The value is only made where it is recorded.
    pub fn note<V: Into<Value>>(&mut self, key: &'static str, value: impl FnOnce() -> V) {
        if !self.is_recorded() {
            return;
        }
        let value = match value().into() {
            Value::Text(text) => AnyValue::StringValue(text),
            Value::Number(number) => AnyValue::IntValue(number),
        };
        for recorded in self.recorded() {
            let value = Some(Any { value: Some(value.clone()) });
            recorded.span.attributes.push(KeyValue { key: key.to_owned(), value, ..KeyValue::default() });
        }
    }

    /// Notes that the work failed, and why.
    pub fn fail(&mut self, why: impl FnOnce() -> String) {
        if !self.is_recorded() {
            return;
        }
        let message = why();
        for recorded in self.recorded() {
            let (message, code) = (message.clone(), StatusCode::Error.into());
            recorded.span.status = Some(Status { message, code });
        }
    }

    /// Notes where else this work appears.
    pub(crate) fn link(&mut self, other: TraceParent) {
        for recorded in self.recorded() {
            recorded.span.links.push(Link {
                trace_id: other.trace.0.get().to_be_bytes().to_vec(),
                span_id: other.span.0.get().to_be_bytes().to_vec(),
                ..Link::default()
            });
        }
    }

    /// Where work below this belongs.
    #[must_use]
    pub fn contexts(&self) -> SpanContexts {
        SpanContexts::new(self.0.iter().map(|entry| match entry {
            Entry::Recorded(recorded) => {
                SpanContext { parent: recorded.parent, tracer: recorded.tracer.clone() }
            }
            Entry::Passed(context) => context.clone(),
        }))
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let mut span = std::mem::take(&mut self.span);
        let took = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        span.end_time_unix_nano = span.start_time_unix_nano.saturating_add(took);
        self.tracer.finished(span);
    }
}

/// Nanoseconds since 1970.
fn nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
