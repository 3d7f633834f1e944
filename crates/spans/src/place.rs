//! Where in which traces a task works.

use std::future::Future;
use std::sync::Arc;

use ordersys_contract::TraceParent;

use crate::span::Span;
use crate::tracer::Tracer;

tokio::task_local! {
    static CURRENT: Places;
}

/// A place in a trace, and who records what happens there: nobody, if it is only passed on.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) parent: TraceParent,
    pub(crate) tracer: Tracer,
}

/// The places in traces that work is done for: nearly always none, for coalesced work many.
#[derive(Clone, Default)]
pub struct Places(Option<Arc<[Place]>>);

impl Places {
    pub(crate) fn new(places: impl ExactSizeIterator<Item = Place>) -> Self {
        Self((places.len() > 0).then(|| places.collect()))
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
        let all: Vec<_> = spans.iter().flat_map(|span| span.places().all().to_vec()).collect();
        Self::new(all.into_iter())
    }

    pub(crate) fn all(&self) -> &[Place] {
        self.0.as_deref().unwrap_or_default()
    }

    /// What a call from here carries.
    #[must_use]
    pub fn parent(&self) -> Option<TraceParent> {
        self.all().first().map(|place| place.parent)
    }

    /// The same, if somebody may record what happens there.
    #[must_use]
    pub fn sampled(&self) -> Option<TraceParent> {
        self.all().iter().map(|place| place.parent).find(|parent| parent.sampled)
    }

    /// Does some work here.
    pub fn around<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }
}

/// Lets work that becomes a task of its own go on where the current one is.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    Places::current().around(work)
}
