//! What became of spans.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Why a span got lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// More than the budget allows.
    Budget,
    /// More wait for the collector than may.
    Queue,
    /// The collector did not take it.
    Collector,
}

impl Lost {
    fn name(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Queue => "queue",
            Self::Collector => "collector",
        }
    }
}

/// Counts of spans; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpanMetrics {
    exported: Counter,
    dropped: Family<[(&'static str, &'static str); 1], Counter>,
}

impl SpanMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("spans");
        registry.register("exported", "Spans that the collector took", self.exported.clone());
        let help = "Spans that were not recorded or not delivered, by reason";
        registry.register("dropped", help, self.dropped.clone());
        for lost in [Lost::Budget, Lost::Queue, Lost::Collector] {
            self.lost(lost, 0);
        }
    }

    pub(crate) fn lost(&self, why: Lost, spans: u64) {
        self.dropped.get_or_create(&[("reason", why.name())]).inc_by(spans);
    }

    pub(crate) fn exported(&self, spans: u64) {
        self.exported.inc_by(spans);
    }
}
