//! How many requests of a kind may be under way: as many as are still answered in good time.
//!
//! A fixed number is wrong on every other machine. This one follows the time that answers take. While
//! requests are turned away, it falls in proportion when that is above the target and rises when it is
//! below; after a second without any it goes back to where it began, so that a short stall rejects no request.
//! What gets no permit is rejected at once, so no request waits in a queue that only grows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;

use crate::Metrics;

/// Requests that may always be under way: shared syncs and calls need company to be cheap.
const MIN_LIMIT: usize = 128;
/// Requests that may be under way before anything is known of the load.
const INITIAL_LIMIT: usize = 512;
/// Requests that may be under way at most.
const MAX_LIMIT: usize = 4096;
/// The time an answer may take before requests are turned away.
const TARGET_LATENCY: Duration = Duration::from_millis(20);
/// The target is at least so many times what an answer takes while there is room: on a slow disk the same
/// number of requests takes longer.
const TARGET_OVER_BASE: u32 = 2;
/// How long answers are watched before the limit moves.
const WINDOW: Duration = Duration::from_millis(50);
/// Answers to watch before the limit moves.
const SAMPLES: u32 = 16;
/// The largest decrease in one move: this part of the limit is left.
const MAX_DECREASE: f64 = 0.7;
/// The largest part by which the limit rises in one move.
const MAX_INCREASE: f64 = 0.1;
/// The part by which the limit goes back in one move when no request is turned away.
const RECOVERY: f64 = 0.05;
/// Windows in a row in which no request is turned away before the limit goes back: a second or more. Under
/// overload a single one means nothing.
const QUIET_WINDOWS: u32 = 20;
/// The weight of the newest window in what answers take while there is room.
const EWMA_WEIGHT: f64 = 0.1;

/// The limit and what it is decided from; the time is an argument.
#[derive(Debug)]
struct Adaptive {
    limit: f64,
    under_way: usize,
    /// What answers take while at least half of the permits are free. With fewer free they wait for each
    /// other, and a target that follows them would rise with the queue it is to bound.
    base: Option<Duration>,
    /// Windows since a request was turned away.
    quiet: u32,
    window: Window,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    samples: u32,
    total: Duration,
    /// Most requests under way.
    peak: usize,
    /// Whether a request was turned away.
    full: bool,
}

impl Window {
    fn new(began: Instant) -> Self {
        Self { began, samples: 0, total: Duration::ZERO, peak: 0, full: false }
    }
}

impl Adaptive {
    fn new(now: Instant) -> Self {
        Self { limit: bound(INITIAL_LIMIT), under_way: 0, base: None, quiet: 0, window: Window::new(now) }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from MIN_LIMIT to MAX_LIMIT"
    )]
    fn permits(&self) -> usize {
        self.limit as usize
    }

    fn is_full(&mut self) -> bool {
        let full = self.under_way >= self.permits();
        self.window.full |= full;
        full
    }

    fn acquire(&mut self) -> bool {
        let full = self.is_full();
        self.under_way += usize::from(!full);
        self.window.peak = self.window.peak.max(self.under_way);
        !full
    }

    /// One is done. Counts its time, if it says something about the load.
    fn release(&mut self, took: Option<Duration>, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        let Some(took) = took else { return };
        self.window.samples += 1;
        self.window.total += took;
        if self.window.samples >= SAMPLES && now.saturating_duration_since(self.window.began) >= WINDOW {
            self.adjust();
            self.window = Window { peak: self.under_way, ..Window::new(now) };
        }
    }

    fn adjust(&mut self) {
        let mean = self.window.total / self.window.samples;
        if 2 * self.window.peak <= self.permits() {
            let aged = |base: Duration| base.mul_f64(1.0 - EWMA_WEIGHT) + mean.mul_f64(EWMA_WEIGHT);
            self.base = Some(self.base.map_or(mean, aged));
        }
        if self.window.full {
            self.quiet = 0;
            self.follow(mean);
        } else {
            // What is not used does not move, but goes back in time.
            self.quiet = self.quiet.saturating_add(1);
            if self.quiet >= QUIET_WINDOWS {
                self.limit += (bound(INITIAL_LIMIT) - self.limit) * RECOVERY;
            }
        }
        self.limit = self.limit.clamp(bound(MIN_LIMIT), bound(MAX_LIMIT));
    }

    /// Moves the limit to where answers take what they may.
    fn follow(&mut self, mean: Duration) {
        let target = self.base.map_or(TARGET_LATENCY, |base| TARGET_LATENCY.max(base * TARGET_OVER_BASE));
        let load = mean.as_secs_f64() / target.as_secs_f64();
        if load > 1.0 {
            self.limit *= (1.0 / load).max(MAX_DECREASE);
        } else {
            self.limit += 1.0 + self.limit * MAX_INCREASE * (1.0 - load);
        }
    }
}

fn bound(permits: usize) -> f64 {
    f64::from(u32::try_from(permits).unwrap_or(u32::MAX))
}

/// Permits for requests under way; clones share them.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    adaptive: Mutex<Adaptive>,
    limit: Gauge,
    under_way: Gauge,
}

/// The permit of one request; free again when dropped.
#[derive(Debug)]
pub struct Permit {
    limit: ConcurrencyLimit,
    since: Instant,
    took: Option<Duration>,
}

impl ConcurrencyLimit {
    /// All permits are free.
    #[must_use]
    pub fn new(now: Instant, metrics: &Metrics) -> Self {
        let (limit, under_way) = (Gauge::default(), Gauge::default());
        metrics.register(|registry| {
            let registry = registry.sub_registry_with_prefix("admission");
            registry.register("limit", "Orders that may be in the making at a time", limit.clone());
            registry.register("in_flight", "Orders in the making", under_way.clone());
        });
        let shared = Shared { adaptive: Mutex::new(Adaptive::new(now)), limit, under_way };
        Self(Arc::new(shared))
    }

    /// Whether the next request would be turned away.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.with(Adaptive::is_full)
    }

    /// How many requests are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.0.under_way.get()).unwrap_or_default()
    }

    /// Takes a permit, if one is free.
    #[must_use]
    pub fn try_acquire(&self, now: Instant) -> Option<Permit> {
        let entered = self.with(Adaptive::acquire);
        entered.then(|| Permit { limit: self.clone(), since: now, took: None })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Adaptive) -> T) -> T {
        let mut adaptive = self.0.adaptive.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work(&mut adaptive);
        self.0.limit.set(i64::try_from(adaptive.permits()).unwrap_or(i64::MAX));
        self.0.under_way.set(i64::try_from(adaptive.under_way).unwrap_or(i64::MAX));
        done
    }
}

impl Permit {
    /// The request was worked on to its end: the time it took counts.
    pub fn done(mut self, now: Instant) {
        self.took = Some(now.saturating_duration_since(self.since));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let took = self.took;
        self.limit.with(|adaptive| adaptive.release(took, self.since + took.unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests;
