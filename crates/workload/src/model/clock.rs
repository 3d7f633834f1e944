//! Time within a run: whole nanoseconds since its start, cheap to keep and to compare.

use std::sync::Arc;
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

/// Which part of a run a request belongs to, by the moment it was planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Before anything counts.
    Warmup,
    /// The stage at this place.
    Stage(u16),
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

/// The parts of a run: the warm-up, then the stages.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The part that counts.
    pub window: Window,
    /// When each stage but the last ends.
    ends: Arc<[Moment]>,
}

impl Timeline {
    /// Stages of these lengths from the end of the warm-up on; the last one lasts until the end, however
    /// long it is.
    #[must_use]
    pub fn new(window: Window, stages: &[Duration]) -> Self {
        let mut end = window.opens;
        let all_but_last = stages.split_last().map_or(&[][..], |(_, before)| before);
        let ends = all_but_last.iter().map(|lasts| {
            end = end.after(*lasts);
            end
        });
        Self { window, ends: ends.collect() }
    }

    /// The part that a request planned then belongs to.
    #[must_use]
    pub fn part(&self, planned: Moment) -> Part {
        if self.window.counts(planned) { Part::Stage(self.stage(planned)) } else { Part::Warmup }
    }

    /// The stage of a moment; the last one after the end.
    #[must_use]
    pub fn stage(&self, at: Moment) -> u16 {
        let before = self.ends.partition_point(|end| *end <= at);
        u16::try_from(before).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_belongs_to_one_part() {
        let second = |seconds| Moment::at(Duration::from_secs(seconds));
        let window = Window { opens: second(1), closes: second(6) };
        let timeline = Timeline::new(window, &[Duration::from_secs(2), Duration::from_secs(3)]);
        let parts: Vec<_> = (0..8).map(|at| timeline.part(second(at))).collect();
        let (first, last) = (Part::Stage(0), Part::Stage(1));
        assert_eq!(parts, [Part::Warmup, first, first, last, last, last, last, last]);
        let single = Timeline::new(window, &[]);
        assert_eq!(single.part(second(5)), first);
    }

    #[test]
    fn time_counts_from_the_start_and_never_goes_below_it() {
        let (start, second) = (Instant::now() + Duration::from_hours(1), Duration::from_secs(1));
        let clock = Clock::starting_at(start);
        assert_eq!(clock.now(), Moment::START, "still to come");
        let later = Moment::START.after(second).after(second);
        assert_eq!((later, clock.instant(later)), (Moment::at(2 * second), start + 2 * second));
        assert_eq!((later.since(Moment::at(second)), Moment::START.since(later)), (second, Duration::ZERO));
        assert_eq!(later.nanos_since(Moment::START), 2_000_000_000);
    }

    #[test]
    fn a_window_has_both_of_its_ends() {
        let at = |millis| Moment::at(Duration::from_millis(millis));
        let window = Window { opens: at(2), closes: at(4) };
        for (millis, counts, contains) in
            [(1, false, false), (2, true, true), (4, true, true), (5, true, false)]
        {
            assert_eq!(
                (window.counts(at(millis)), window.contains(at(millis))),
                (counts, contains),
                "{millis}"
            );
        }
    }
}
