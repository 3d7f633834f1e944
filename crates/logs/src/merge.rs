//! Brings the lines of several sources into the order of their times. Decides only; time and
//! input come from outside.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Entry;

/// How long a new line waits for earlier ones of other sources.
pub(crate) const WINDOW: Duration = Duration::from_millis(200);

/// What one source has to say.
#[derive(Debug)]
pub(crate) enum Input {
    /// Lines, in the source's order.
    Lines(Vec<Entry>),
    /// All that was there is said; what follows is new.
    CaughtUp,
    /// Nothing follows.
    Ended,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Show this line.
    Show(Entry),
    /// Hear from a source first.
    Receive,
    /// Hear from a source, but not beyond this moment.
    ReceiveUntil(Instant),
    /// All is shown.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Backlog,
    Live,
    Ended,
}

#[derive(Debug)]
struct Queue {
    entries: VecDeque<(Entry, Instant)>,
    phase: Phase,
}

/// The lines that wait for their turn.
#[derive(Debug)]
pub(crate) struct Merger(Vec<Queue>);

impl Merger {
    pub(crate) fn new(sources: usize) -> Self {
        Self((0..sources).map(|_| Queue { entries: VecDeque::new(), phase: Phase::Backlog }).collect())
    }

    /// Takes in what a source says.
    pub(crate) fn take(&mut self, source: usize, input: Input, now: Instant) {
        let Some(queue) = self.0.get_mut(source) else { return };
        match input {
            Input::Lines(lines) => queue.entries.extend(lines.into_iter().map(|entry| (entry, now))),
            Input::CaughtUp => queue.phase = Phase::Live,
            Input::Ended => queue.phase = Phase::Ended,
        }
    }

    /// Whether all that was there when reading began was taken in.
    pub(crate) fn has_caught_up(&self) -> bool {
        self.0.iter().all(|queue| queue.phase != Phase::Backlog)
    }

    /// What is next. A line is shown when no source can bring an earlier one any more: each has a
    /// line waiting or has ended, or, for new lines, [`WINDOW`] has passed.
    pub(crate) fn step(&mut self, now: Instant) -> Step {
        let silent = |phase| self.0.iter().any(|queue| queue.phase == phase && queue.entries.is_empty());
        if silent(Phase::Backlog) {
            return Step::Receive;
        }
        let live_is_silent = silent(Phase::Live);
        let heads = self.0.iter_mut().filter(|queue| !queue.entries.is_empty());
        let Some(first) = heads.min_by_key(|queue| queue.entries.front().map(|(entry, _)| entry.at)) else {
            return if live_is_silent { Step::Receive } else { Step::Done };
        };
        match first.entries.pop_front() {
            Some((entry, arrived)) if live_is_silent && arrived + WINDOW > now => {
                first.entries.push_front((entry, arrived));
                Step::ReceiveUntil(arrived + WINDOW)
            }
            Some((entry, _)) => Step::Show(entry),
            None => Step::Done, // not reached: only queues with a line were asked
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(texts: &[(i64, &str)]) -> Input {
        let entry = |(second, text): &(i64, &str)| Entry {
            at: jiff::Timestamp::from_second(*second).expect("time"),
            source: "s".into(),
            text: (*text).to_owned(),
        };
        Input::Lines(texts.iter().map(entry).collect())
    }

    fn show(merger: &mut Merger, now: Instant) -> Vec<String> {
        let mut shown = Vec::new();
        while let Step::Show(entry) = merger.step(now) {
            shown.push(entry.text);
        }
        shown
    }

    #[test]
    fn what_is_there_is_merged_by_time_and_waits_for_every_source() {
        let now = Instant::now();
        let mut merger = Merger::new(3);
        merger.take(0, entries(&[(1, "a1"), (4, "a4"), (2, "a2 late in its own source")]), now);
        merger.take(1, entries(&[(2, "b2")]), now);
        assert_eq!(merger.step(now), Step::Receive, "the third may have an earlier one");
        merger.take(2, Input::Ended, now);
        assert_eq!(show(&mut merger, now), ["a1", "b2"]);
        assert_eq!(merger.step(now), Step::Receive, "the second may go on");
        merger.take(1, entries(&[(3, "b3"), (5, "b5")]), now);
        merger.take(1, Input::Ended, now);
        merger.take(0, Input::Ended, now);
        assert_eq!(show(&mut merger, now), ["b3", "a4", "a2 late in its own source", "b5"]);
        assert_eq!(merger.step(now), Step::Done);
    }

    #[test]
    fn new_lines_wait_for_the_window() {
        let now = Instant::now();
        let mut merger = Merger::new(2);
        merger.take(0, Input::CaughtUp, now);
        merger.take(1, Input::CaughtUp, now);
        assert_eq!(merger.step(now), Step::Receive);
        merger.take(0, entries(&[(10, "a10")]), now);
        assert_eq!(merger.step(now), Step::ReceiveUntil(now + WINDOW));
        let later = now + WINDOW / 2;
        merger.take(1, entries(&[(9, "b9")]), later);
        assert_eq!(show(&mut merger, later), ["b9"], "both have spoken: the earlier goes at once");
        assert_eq!(show(&mut merger, now + WINDOW), ["a10"]);
        assert_eq!(merger.step(now + WINDOW), Step::Receive);
    }
}
