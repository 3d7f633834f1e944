//! When holds end, by this process's own count: a clock that is set, or jumps, ends none early and none late.
//!
//! What is stored of a lease is its length; after a restart it begins anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ordersys_contract::OrderId;

/// The ends of the leases that began here; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases(Arc<Mutex<HashMap<OrderId, Instant>>>);

impl Leases {
    fn ends(&self) -> MutexGuard<'_, HashMap<OrderId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lease begins; again if it did before. One that is longer than time can be counted does not end.
    pub(super) fn begin(&self, id: OrderId, length_ms: u64, now: Instant) {
        if let Some(end) = now.checked_add(Duration::from_millis(length_ms)) {
            self.ends().insert(id, end);
        }
    }

    /// Up to `most` leases that are over.
    pub(super) fn over(&self, now: Instant, most: usize) -> Vec<OrderId> {
        let ends = self.ends();
        ends.iter().filter(|(_, end)| **end <= now).map(|(id, _)| *id).take(most).collect()
    }

    /// How long a lease has been over, if it is.
    pub(super) fn overdue(&self, id: OrderId, now: Instant) -> Option<Duration> {
        self.ends().get(&id).and_then(|end| now.checked_duration_since(*end))
    }

    /// The ends of these leases have been stored.
    pub(super) fn ended(&self, ids: &[OrderId]) {
        let mut ends = self.ends();
        for id in ids {
            ends.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_over_when_its_time_has_passed_here_and_until_that_is_stored() {
        let (leases, now) = (Leases::default(), Instant::now());
        let [short, long, endless] = [(); 3].map(|()| OrderId::now());
        leases.begin(short, 1_000, now);
        leases.begin(long, 5_000, now);
        leases.begin(endless, u64::MAX, now);
        let later = now + Duration::from_millis(1_500);
        assert_eq!(leases.over(now, 9), []);
        assert_eq!(leases.over(later, 9), [short]);
        assert_eq!(leases.over(later, 9), [short], "as long as it is not stored");
        let overdue = [short, long, endless].map(|id| leases.overdue(id, later));
        assert_eq!(overdue, [Some(Duration::from_millis(500)), None, None]);
        leases.ended(&[short]);
        let much_later = now + Duration::from_hours(1);
        assert_eq!(leases.over(much_later, 9), [long]);
        leases.begin(long, 5_000, much_later);
        assert_eq!(leases.over(much_later, 9), [], "it began anew");
    }
}
