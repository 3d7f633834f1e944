//! Log lines about what may happen very often: at most one a second, with the number of times.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time between two lines.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often something happened since the last line about it.
#[derive(Debug)]
pub(crate) struct LogThrottle {
    started: Instant,
    unreported: AtomicU64,
    /// In milliseconds after the start.
    reported_at: AtomicU64,
}

impl LogThrottle {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), unreported: AtomicU64::new(0), reported_at: AtomicU64::new(0) }
    }

    /// Counts it once more. If a line is due: how often it happened since the last one.
    pub(crate) fn record(&self) -> Option<u64> {
        self.unreported.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let reported_at = self.reported_at.load(Ordering::Relaxed);
        let due = reported_at == 0 || Duration::from_millis(now.saturating_sub(reported_at)) >= INTERVAL;
        let order = Ordering::Relaxed;
        let mine = due && self.reported_at.compare_exchange(reported_at, now.max(1), order, order).is_ok();
        mine.then(|| self.unreported.swap(0, Ordering::Relaxed))
    }
}
