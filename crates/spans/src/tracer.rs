//! Records the spans of one service.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use ordersys_contract::TraceParent;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::context::SpanContexts;
use crate::export::Exporter;
use crate::metrics::{Lost, SpanMetrics};
use crate::span::{Kind, Span};
use crate::{Sample, Settings};

/// Spans that may wait for the collector.
const QUEUE: usize = 4096;

/// Records the spans of one service, or none; clones share it.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Inner>>);

struct Inner {
    sample: Sample,
    /// Spans that may be recorded now: so many a second, and no more at once. `None` records none.
    budget: Option<DefaultDirectRateLimiter>,
    queue: mpsc::Sender<otlp::Span>,
    metrics: SpanMetrics,
    stop: CancellationToken,
    exporting: Mutex<Option<JoinHandle<()>>>,
}

/// Whether a request may begin a trace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryPoint {
    /// It comes from outside.
    External,
    /// It is part of something larger, or not asked for by a client.
    Internal,
}

impl Tracer {
    /// Records nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Records the spans of this service and starts sending them.
    #[must_use]
    pub fn start(service: &'static str, settings: &Settings) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (metrics, stop) = (SpanMetrics::default(), CancellationToken::new());
        let exporter = Exporter::new(service, &settings.collector, metrics.clone());
        let exporting = tokio::spawn(exporter.run(waiting, stop.clone()));
        Self(Some(Arc::new(Inner {
            sample: settings.sample,
            budget: NonZeroU32::new(settings.budget).map(|most| RateLimiter::direct(Quota::per_second(most))),
            queue,
            metrics,
            stop,
            exporting: Mutex::new(Some(exporting)),
        })))
    }

    /// Adds what became of spans to a service's metrics.
    pub fn register(&self, registry: &mut Registry) {
        if let Some(inner) = &self.0 {
            inner.metrics.register(registry);
        }
    }

    /// The span of a request: below the caller's if it has a trace, else perhaps the first of one.
    #[must_use]
    pub fn request(
        &self,
        parent: Option<TraceParent>,
        entry: EntryPoint,
        name: impl FnOnce() -> String,
    ) -> Span {
        match parent {
            Some(parent) if self.admits(parent) => Span::continued(self, parent, Kind::Server, name()),
            Some(parent) => Span::passed(parent),
            None if entry == EntryPoint::External && self.begins() => Span::root(self, Kind::Server, name()),
            None => Span::default(),
        }
    }

    /// The spans of those parts of a coalesced call that are traced, each with its number. They link
    /// to the span of the call itself.
    #[must_use]
    pub fn parts(
        &self,
        parents: impl Iterator<Item = Option<TraceParent>>,
        name: &'static str,
    ) -> (Vec<usize>, Vec<Span>) {
        if self.0.is_none() {
            return (Vec::new(), Vec::new());
        }
        let call = SpanContexts::current().sampled();
        let traced = parents.enumerate().filter_map(|(number, parent)| {
            let parent = parent.filter(|parent| self.admits(*parent))?;
            let mut span = Span::continued(self, parent, Kind::Server, name.to_owned());
            if let Some(call) = call {
                span.link(call);
            }
            Some((number, span))
        });
        traced.unzip()
    }

    /// Whether a further span below this one is recorded: it is sampled, and the budget allows it.
    pub(crate) fn admits(&self, parent: TraceParent) -> bool {
        parent.sampled && self.0.as_deref().is_some_and(Inner::pay)
    }

    fn begins(&self) -> bool {
        self.0.as_deref().is_some_and(|inner| inner.sample.hits() && inner.pay())
    }

    pub(crate) fn finished(&self, span: otlp::Span) {
        let Some(inner) = &self.0 else { return };
        if inner.queue.try_send(span).is_err() {
            inner.metrics.lost(Lost::Queue, 1);
        }
    }

    /// Sends what waits, within a limit of time, and stops.
    pub async fn close(&self) {
        let Some(inner) = &self.0 else { return };
        inner.stop.cancel();
        let exporting = inner.exporting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(exporting) = exporting {
            let _ = exporting.await;
        }
    }
}

impl Inner {
    fn pay(&self) -> bool {
        let paid = self.budget.as_ref().is_some_and(|budget| budget.check().is_ok());
        if !paid {
            self.metrics.lost(Lost::Budget, 1);
        }
        paid
    }
}
