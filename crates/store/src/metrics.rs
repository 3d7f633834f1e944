//! What a store tells about itself.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Counts and durations of commits; clones share them.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    /// Commands per commit.
    pub(crate) batch: Histogram,
    /// Seconds per commit, the sync included.
    pub(crate) commit: Histogram,
    /// Commands that gathered during the last commit.
    pub(crate) waiting: Gauge,
    /// Commands that were undone.
    pub(crate) undone: Counter,
    /// Bytes of the log's file.
    pub(crate) log_bytes: Gauge,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self {
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            commit: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
            waiting: Gauge::default(),
            undone: Counter::default(),
            log_bytes: Gauge::default(),
        }
    }
}

impl StoreMetrics {
    /// Adds them to a service's metrics.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("store");
        registry.register("commands_per_commit", "Commands in one commit", self.batch.clone());
        registry.register("commit_seconds", "Time of one commit with its sync", self.commit.clone());
        registry.register(
            "waiting_commands",
            "Commands that gathered during the last commit",
            self.waiting.clone(),
        );
        registry.register("undone_commands", "Commands that failed and were undone", self.undone.clone());
        let help = "Size of the log that has not been moved to the database, in bytes on disk";
        registry.register("log_bytes", help, self.log_bytes.clone());
    }
}
