//! The spans that a task works below, in one trace or in many.

use std::future::Future;
use std::sync::Arc;

use ordersys_contract::TraceParent;

use crate::span::Span;
use crate::tracer::Tracer;

tokio::task_local! {
    static CURRENT: SpanContexts;
}

/// A span to work below, and what records the spans there: nothing, if it is only passed on.
#[derive(Clone)]
pub(crate) struct SpanContext {
    pub(crate) parent: TraceParent,
    pub(crate) tracer: Tracer,
}

/// The spans that work is done below: nearly always none, for coalesced work many.
#[derive(Clone, Default)]
pub struct SpanContexts(Option<Arc<[SpanContext]>>);

impl SpanContexts {
    pub(crate) fn new(contexts: impl ExactSizeIterator<Item = SpanContext>) -> Self {
        Self((contexts.len() > 0).then(|| contexts.collect()))
    }

    /// Those that the current task works for.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_default()
    }

    /// Below all of these spans. Those the current task works for, if there are none.
    #[must_use]
    pub fn below(spans: &[Span]) -> Self {
        if spans.is_empty() {
            return Self::current();
        }
        let all: Vec<_> = spans.iter().flat_map(|span| span.contexts().all().to_vec()).collect();
        Self::new(all.into_iter())
    }

    pub(crate) fn all(&self) -> &[SpanContext] {
        self.0.as_deref().unwrap_or_default()
    }

    /// What a call from here carries.
    #[must_use]
    pub fn parent(&self) -> Option<TraceParent> {
        self.all().first().map(|context| context.parent)
    }

    /// The same, if spans are recorded there.
    #[must_use]
    pub fn sampled(&self) -> Option<TraceParent> {
        self.all().iter().map(|context| context.parent).find(|parent| parent.sampled)
    }

    /// Does some work here.
    pub fn around<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }
}

/// Lets work that becomes a task of its own go on where the current one is.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    SpanContexts::current().around(work)
}
