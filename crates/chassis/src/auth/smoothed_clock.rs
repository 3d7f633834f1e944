//! The wall clock without its jumps: what decides whether a token, a session or a key is still good.
//!
//! Counted by a clock that cannot be set, from the wall clock's median over the last quarter of a minute. A wall
//! clock that jumps, and is set right again, is not followed; one that stays where it jumped to is, some seconds
//! later, and so is one that went on while the machine slept.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ordersys_contract::Timestamp;

/// Samples of the wall clock that are kept. What fewer than half of them show is not followed.
const MAX_SAMPLES: usize = 15;
/// Time between two samples.
const INTERVAL: Duration = Duration::from_secs(1);

/// From when on is counted.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// There is one wall clock, so one for all services of a process.
static CLOCK: LazyLock<SmoothedClock> = LazyLock::new(|| SmoothedClock::new(counted(), Timestamp::now()));

/// The time by the wall clock without its jumps.
#[must_use]
pub fn now() -> Timestamp {
    CLOCK.at(counted())
}

/// The time since it was first asked for.
fn counted() -> Duration {
    BEGAN.elapsed()
}

/// Whether the wall clock was sampled often enough to do by [`now`] what cannot be undone.
#[must_use]
pub fn is_settled() -> bool {
    CLOCK.settled.load(Ordering::Relaxed)
}

/// Samples the wall clock every second; does not end by itself.
pub(crate) async fn track() {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        CLOCK.sample(counted(), Timestamp::now());
    }
}

/// What the wall clock showed lately.
#[derive(Debug)]
struct Samples {
    /// The wall clock's time at the beginning, in milliseconds, by each sample.
    origins: VecDeque<i64>,
    /// When the last one was taken.
    last: Duration,
}

#[derive(Debug)]
struct SmoothedClock {
    began: Duration,
    samples: Mutex<Samples>,
    /// The median of the samples.
    origin: AtomicI64,
    settled: AtomicBool,
}

impl SmoothedClock {
    fn new(began: Duration, wall: Timestamp) -> Self {
        let origin = wall.as_millis();
        Self {
            began,
            samples: Mutex::new(Samples { origins: VecDeque::from([origin]), last: began }),
            origin: AtomicI64::new(origin),
            settled: AtomicBool::new(false),
        }
    }

    fn at(&self, now: Duration) -> Timestamp {
        let origin = Timestamp::from_millis(self.origin.load(Ordering::Relaxed));
        origin.after(now.saturating_sub(self.began))
    }

    /// Takes what the wall clock shows now into account. Of several samples at about the same time one counts: a
    /// process may hold several services.
    fn sample(&self, now: Duration, wall: Timestamp) {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(samples.last) < INTERVAL / 2 {
            return;
        }
        samples.last = now;
        samples.origins.push_back(wall.before(now.saturating_sub(self.began)).as_millis());
        if samples.origins.len() > MAX_SAMPLES {
            samples.origins.pop_front();
            self.settled.store(true, Ordering::Relaxed);
        }
        let mut sorted: Vec<_> = samples.origins.iter().copied().collect();
        sorted.sort_unstable();
        self.origin.store(sorted[sorted.len() / 2], Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const HOUR: Duration = Duration::from_hours(1);
    const BEGAN: Duration = Duration::from_secs(777);

    /// Lets seconds pass with the wall clock that much wrong in each, and gives the time after each.
    fn run(wrong: impl Fn(u64) -> i64, seconds: u64) -> Vec<(Timestamp, Timestamp)> {
        let shown = |second| {
            let right = START.after(Duration::from_secs(second));
            (right, Timestamp::from_millis(right.as_millis() + wrong(second)))
        };
        let clock = SmoothedClock::new(BEGAN, shown(0).1);
        let after = |second| {
            let (now, (right, wall)) = (BEGAN + Duration::from_secs(second), shown(second));
            clock.sample(now, wall);
            (right, clock.at(now))
        };
        (1..=seconds).map(after).collect()
    }

    #[test]
    fn a_jump_that_is_taken_back_is_not_followed_whichever_way_and_whenever_it_comes() {
        let hour = i64::try_from(HOUR.as_millis()).expect("fits");
        for (from, by) in [(3, hour), (40, hour), (40, -hour), (100, 24 * 365 * hour)] {
            let jump = |second| if (from..from + 2).contains(&second) { by } else { 0 };
            for (right, told) in run(jump, 200) {
                assert_eq!(told, right, "a jump by {by} ms after {from} s");
            }
        }
    }

    #[test]
    fn a_start_while_the_clock_is_wrong_is_made_good_soon() {
        let told = run(|second| if second < 2 { 3_600_000 } else { 0 }, 60);
        assert!(told.iter().skip(3).all(|(right, told)| told == right), "{told:?}");
    }

    #[test]
    fn a_clock_that_was_set_for_good_is_followed() {
        let told = run(|second| if second < 50 { 0 } else { -3_600_000 }, 80);
        let (right, last) = told[told.len() - 1];
        assert_eq!(last, right.before(HOUR), "some seconds later");
    }

    #[test]
    fn services_of_one_process_sample_together_and_few_samples_are_not_relied_on() {
        let clock = SmoothedClock::new(BEGAN, START);
        for second in 1..=14 {
            for _ in 0..3 {
                let passed = Duration::from_secs(second);
                clock.sample(BEGAN + passed, START.after(passed));
            }
            assert!(!clock.settled.load(Ordering::Relaxed), "after {second} s");
        }
        clock.sample(BEGAN + Duration::from_secs(15), START);
        assert!(clock.settled.load(Ordering::Relaxed));
    }
}
