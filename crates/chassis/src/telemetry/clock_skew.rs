//! The newest time that a store holds, beside the clock: when it lies ahead, the clock was wrong when it was
//! stored, or is wrong now. That is said; nothing is decided by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ordersys_contract::Timestamp;

/// How far a stored time may lie ahead before it is reported: clocks are set by small steps all the time.
const TOLERANCE: Duration = Duration::from_secs(5);

/// The newest time that a store is known to hold; clones share it.
#[derive(Debug, Clone)]
pub struct ClockSkew {
    store: &'static str,
    millis: Arc<AtomicI64>,
}

impl ClockSkew {
    /// That of a store of which nothing is known yet.
    #[must_use]
    pub fn of(store: &'static str) -> Self {
        Self { store, millis: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// The store holds this time.
    pub fn saw(&self, at: Timestamp) {
        self.millis.fetch_max(at.as_millis(), Ordering::Relaxed);
    }

    /// A sentence for people, if the newest time lies ahead of the clock.
    #[must_use]
    pub fn ahead(&self, now: Timestamp) -> Option<String> {
        let newest = Timestamp::from_millis(self.millis.load(Ordering::Relaxed));
        let by = newest.since(now);
        (by > TOLERANCE).then(|| {
            format!(
                "the newest time in the {} store, {newest}, lies {} s ahead of the clock, {now}: the clock was wrong when \
                 it was stored, or is wrong now; compare it with `date --utc`",
                self.store,
                by.as_secs()
            )
        })
    }

    /// Warns in the log if the newest time lies ahead of the clock.
    pub fn warn_if_ahead(&self) {
        if let Some(ahead) = self.ahead(Timestamp::now()) {
            tracing::warn!(service = self.store, "{ahead}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_clearly_ahead_is_worth_a_word() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let newest = ClockSkew::of("order");
        assert_eq!(newest.ahead(now), None, "an empty store");
        newest.saw(now.after(TOLERANCE));
        assert_eq!(newest.ahead(now), None);
        newest.saw(now.after(Duration::from_hours(1)));
        newest.saw(now);
        let ahead = newest.ahead(now).expect("an hour is much");
        assert!(ahead.contains("the order store, 2023-11-14T23:13:20.000Z, lies 3600 s ahead"), "{ahead}");
        assert_eq!(newest.ahead(now.after(Duration::from_hours(1))), None, "time has caught up");
    }
}
