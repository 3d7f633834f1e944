//! How many requests of a kind may be under way: as many as are still answered in good time.
//!
//! A fixed number is wrong on every other machine. This one follows the time that answers take. While
//! requests are turned away, it falls in proportion when that is above the target and rises when it is
//! below; after a second without any it goes back to where it began, so that a short stall refuses nobody.
//! What finds no place is refused at once, so nobody waits in a queue that only grows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;

use crate::Metrics;

/// Requests that may always be under way: shared syncs and calls need company to be cheap.
const LEAST: usize = 128;
/// Requests that may be under way before anything is known of the load.
const FIRST: usize = 512;
/// Requests that may be under way at most.
const MOST: usize = 4096;
/// The time an answer may take before requests are turned away.
const TARGET: Duration = Duration::from_millis(20);
/// The target is at least so many times what an answer takes while there is room: on a slow disk the same
/// number of requests takes longer.
const OVER_BASE: u32 = 2;
/// How long answers are watched before the limit moves.
const WINDOW: Duration = Duration::from_millis(50);
/// Answers to watch before the limit moves.
const SAMPLES: u32 = 16;
/// The least part of the limit that is left after one move.
const STEEPEST: f64 = 0.7;
/// The largest part by which the limit rises in one move.
const RISE: f64 = 0.1;
/// The part by which the limit goes back in one move when nobody is turned away.
const RETURN: f64 = 0.05;
/// Windows in a row in which nobody is turned away before the limit goes back: a second or more. Under
/// overload a single one means nothing.
const QUIET: u32 = 20;
/// The weight of the newest window in what answers take while there is room.
const NEWEST: f64 = 0.1;

/// The limit and what it is decided from; the time is an argument.
#[derive(Debug)]
struct Adaptive {
    limit: f64,
    under_way: usize,
    /// What answers take while at least half of the places are free. With fewer free they wait for each
    /// other, and a target that follows them would rise with the queue it is to bound.
    base: Option<Duration>,
    /// Windows since somebody was turned away.
    quiet: u32,
    window: Window,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    samples: u32,
    total: Duration,
    /// Most requests under way.
    most: usize,
    /// Whether somebody was turned away.
    full: bool,
}

impl Window {
    fn new(began: Instant) -> Self {
        Self { began, samples: 0, total: Duration::ZERO, most: 0, full: false }
    }
}

impl Adaptive {
    fn new(now: Instant) -> Self {
        Self { limit: bound(FIRST), under_way: 0, base: None, quiet: 0, window: Window::new(now) }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from LEAST to MOST")]
    fn places(&self) -> usize {
        self.limit as usize
    }

    fn is_full(&mut self) -> bool {
        let full = self.under_way >= self.places();
        self.window.full |= full;
        full
    }

    fn enter(&mut self) -> bool {
        let full = self.is_full();
        self.under_way += usize::from(!full);
        self.window.most = self.window.most.max(self.under_way);
        !full
    }

    /// One is done. Counts its time, if it says something about the load.
    fn leave(&mut self, took: Option<Duration>, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        let Some(took) = took else { return };
        self.window.samples += 1;
        self.window.total += took;
        if self.window.samples >= SAMPLES && now.saturating_duration_since(self.window.began) >= WINDOW {
            self.adjust();
            self.window = Window { most: self.under_way, ..Window::new(now) };
        }
    }

    fn adjust(&mut self) {
        let mean = self.window.total / self.window.samples;
        if 2 * self.window.most <= self.places() {
            let aged = |base: Duration| base.mul_f64(1.0 - NEWEST) + mean.mul_f64(NEWEST);
            self.base = Some(self.base.map_or(mean, aged));
        }
        if self.window.full {
            self.quiet = 0;
            self.follow(mean);
        } else {
            // What is not used does not move, but goes back in time.
            self.quiet = self.quiet.saturating_add(1);
            if self.quiet >= QUIET {
                self.limit += (bound(FIRST) - self.limit) * RETURN;
            }
        }
        self.limit = self.limit.clamp(bound(LEAST), bound(MOST));
    }

    /// Moves the limit to where answers take what they may.
    fn follow(&mut self, mean: Duration) {
        let patience = self.base.map_or(TARGET, |base| TARGET.max(base * OVER_BASE));
        let load = mean.as_secs_f64() / patience.as_secs_f64();
        if load > 1.0 {
            self.limit *= (1.0 / load).max(STEEPEST);
        } else {
            self.limit += 1.0 + self.limit * RISE * (1.0 - load);
        }
    }
}

fn bound(places: usize) -> f64 {
    f64::from(u32::try_from(places).unwrap_or(u32::MAX))
}

/// Places for requests under way; clones share them.
#[derive(Debug, Clone)]
pub struct Limit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    adaptive: Mutex<Adaptive>,
    limit: Gauge,
    under_way: Gauge,
}

/// A place for one request; free again when dropped.
#[derive(Debug)]
pub struct Place {
    limit: Limit,
    since: Instant,
    took: Option<Duration>,
}

impl Limit {
    /// All places are free.
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

    /// Takes a place, if one is free.
    #[must_use]
    pub fn enter(&self, now: Instant) -> Option<Place> {
        let entered = self.with(Adaptive::enter);
        entered.then(|| Place { limit: self.clone(), since: now, took: None })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Adaptive) -> T) -> T {
        let mut adaptive = self.0.adaptive.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work(&mut adaptive);
        self.0.limit.set(i64::try_from(adaptive.places()).unwrap_or(i64::MAX));
        self.0.under_way.set(i64::try_from(adaptive.under_way).unwrap_or(i64::MAX));
        done
    }
}

impl Place {
    /// The request was worked on to its end: the time it took counts.
    pub fn done(mut self, now: Instant) {
        self.took = Some(now.saturating_duration_since(self.since));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let took = self.took;
        self.limit.with(|adaptive| adaptive.leave(took, self.since + took.unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests;
