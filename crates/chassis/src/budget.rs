//! A budget for retries: a part of the traffic and a few more, so that a service in trouble is not
//! called more often than one in health.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What a first try brings in, in hundredths of a retry: one retry for ten first tries.
const PER_CALL: f64 = 10.0;
/// What comes in every second without any traffic, so that quiet services may retry at all.
const PER_SECOND: f64 = 1_000.0;
/// What a retry costs.
const RETRY: f64 = 100.0;
/// Most that is saved up: a hundred retries.
const MOST: f64 = 10_000.0;

/// A bucket of retries; the time is an argument.
#[derive(Debug)]
pub struct RetryBudget(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    saved: f64,
    at: Instant,
}

impl RetryBudget {
    /// A full bucket.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self(Mutex::new(Bucket { saved: MOST, at: now }))
    }

    /// A first try was made.
    pub fn first_try(&self) {
        self.with(|bucket| bucket.saved = (bucket.saved + PER_CALL).min(MOST));
    }

    /// Whether a retry may be made; if so, it is paid for.
    pub fn may_retry(&self, now: Instant) -> bool {
        self.with(|bucket| {
            let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
            bucket.saved = (bucket.saved + passed * PER_SECOND).min(MOST);
            bucket.at = bucket.at.max(now);
            let enough = bucket.saved >= RETRY;
            bucket.saved -= if enough { RETRY } else { 0.0 };
            enough
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Bucket) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_tenth_of_the_traffic_and_ten_a_second() {
        let start = Instant::now();
        let budget = RetryBudget::new(start);
        let retries = |now| (0..10_000).take_while(|_| budget.may_retry(now)).count();
        assert_eq!(retries(start), 100, "what was saved up");
        (0..500).for_each(|_| budget.first_try());
        assert_eq!(retries(start), 50);
        assert_eq!(retries(start + Duration::from_secs(3)), 30);
        assert_eq!(retries(start + Duration::from_secs(1)), 0, "a clock behind brings nothing");
        (0..100_000).for_each(|_| budget.first_try());
        assert_eq!(retries(start + Duration::from_secs(3)), 100, "no more than the bucket holds");
    }
}
