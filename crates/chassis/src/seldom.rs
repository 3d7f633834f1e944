//! Log lines about what may happen very often: at most one a second, with how often it happened.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time between two lines.
const EVERY: Duration = Duration::from_secs(1);

/// How often something happened since the last line about it.
#[derive(Debug)]
pub(crate) struct Seldom {
    started: Instant,
    untold: AtomicU64,
    /// In milliseconds after the start.
    told_at: AtomicU64,
}

impl Seldom {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), untold: AtomicU64::new(0), told_at: AtomicU64::new(0) }
    }

    /// Counts it once more. If a line is due: how often it happened since the last one.
    pub(crate) fn count(&self) -> Option<u64> {
        self.untold.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let told_at = self.told_at.load(Ordering::Relaxed);
        let due = told_at == 0 || Duration::from_millis(now.saturating_sub(told_at)) >= EVERY;
        let order = Ordering::Relaxed;
        let mine = due && self.told_at.compare_exchange(told_at, now.max(1), order, order).is_ok();
        mine.then(|| self.untold.swap(0, Ordering::Relaxed))
    }
}
