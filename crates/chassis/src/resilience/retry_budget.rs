//! A budget for retries: a part of the traffic and a few more, so that a service in trouble is not
//! called more often than one in health.
//!
//! A bucket of `governor` is filled by time alone, so what first tries bring in is counted here.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// First tries that pay for one retry.
const FIRST_TRIES_PER_RETRY: u32 = 10;
/// First tries that are saved up at most: ninety retries.
const MAX_SAVED_FIRST_TRIES: u32 = 90 * FIRST_TRIES_PER_RETRY;
/// Retries that come in every second without any traffic, so that quiet services may retry at all. As many are
/// saved up.
const RETRIES_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// Retries that may be made: a tenth of the first tries and ten a second, at most a hundred at once.
#[derive(Debug)]
pub struct RetryBudget<C: Clock = DefaultClock> {
    first_tries: AtomicU32,
    per_second: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
}

impl Default for RetryBudget {
    /// A full budget.
    fn default() -> Self {
        Self::full(DefaultClock::default())
    }
}

impl<C: Clock> RetryBudget<C> {
    fn full(clock: C) -> Self {
        let per_second = RateLimiter::direct_with_clock(Quota::per_second(RETRIES_PER_SECOND), clock);
        Self { first_tries: AtomicU32::new(MAX_SAVED_FIRST_TRIES), per_second }
    }

    /// A first try was made.
    pub fn first_try(&self) {
        self.update(|saved| (saved < MAX_SAVED_FIRST_TRIES).then_some(saved + 1));
    }

    /// Whether a retry may be made; if so, it is paid for.
    pub fn may_retry(&self) -> bool {
        self.update(|saved| saved.checked_sub(FIRST_TRIES_PER_RETRY)) || self.per_second.check().is_ok()
    }

    fn update(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        self.first_tries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_tenth_of_the_traffic_and_ten_a_second() {
        let clock = FakeRelativeClock::default();
        let budget = RetryBudget::full(clock.clone());
        let retries = || (0..10_000).take_while(|_| budget.may_retry()).count();
        assert_eq!(retries(), 100, "what was saved up");
        (0..500).for_each(|_| budget.first_try());
        assert_eq!(retries(), 50);
        clock.advance(Duration::from_millis(300));
        assert_eq!(retries(), 3);
        clock.advance(Duration::from_mins(1));
        assert_eq!(retries(), 10, "without traffic no more than a second brings");
        (0..100_000).for_each(|_| budget.first_try());
        clock.advance(Duration::from_mins(1));
        assert_eq!(retries(), 100, "no more than is saved up");
        (0..9).for_each(|_| budget.first_try());
        assert_eq!(retries(), 0, "nothing was left over");
    }
}
