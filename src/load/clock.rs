//! Time within a run: whole nanoseconds since its start, cheap to keep and to compare.

use std::time::{Duration, Instant};

/// A point in time of a run, in nanoseconds since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// The start of the run.
    pub const START: Self = Self(0);
    /// Later than every other moment.
    pub const NEVER: Self = Self(u64::MAX);

    /// That long after the start.
    #[must_use]
    pub fn at(offset: Duration) -> Self {
        Self(u64::try_from(offset.as_nanos()).unwrap_or(u64::MAX))
    }

    /// That long after this moment.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(Self::at(by).0))
    }

    /// Nanoseconds since `earlier`, zero if it is later than this.
    #[must_use]
    pub fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Time since `earlier`, zero if it is later than this.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }
}

/// Tells the time of a run.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// The clock of a run that starts at `start`, which may be still to come.
    #[must_use]
    pub fn starting_at(start: Instant) -> Self {
        Self { start }
    }

    /// Now; the start itself until the run has started.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::at(Instant::now().saturating_duration_since(self.start))
    }

    /// The instant of a moment, for timers.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.start + moment.since(Moment::START)
    }
}

/// The part of a run that counts: what was planned from `opens` on, finished until `closes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The end of the warm-up.
    pub opens: Moment,
    /// The planned end; [`Moment::NEVER`] for a run that ends by count.
    pub closes: Moment,
}

impl Window {
    /// Whether a request planned then counts.
    #[must_use]
    pub fn counts(&self, planned: Moment) -> bool {
        planned >= self.opens
    }

    /// Whether a request finished then adds to the throughput.
    #[must_use]
    pub fn contains(&self, done: Moment) -> bool {
        done >= self.opens && done <= self.closes
    }
}
