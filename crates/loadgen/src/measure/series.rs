//! What happened second by second, in bounded memory however long the run is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::counters::Counters;
use crate::measure::distribution::millis;
use crate::measure::recording::Recording;

/// Most rows kept; beyond, neighbours are joined and each row stands for twice the time.
const MAX_ROWS: usize = 3600;

/// One row: a second, or a few of them in a very long run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// When it began, in seconds after the warm-up.
    pub at: u64,
    /// Requests the plan asked for.
    pub planned: u64,
    /// Requests that left.
    pub sent: u64,
    /// Requests that ended.
    pub done: u64,
    /// Requests that were answered as they should be.
    pub ok: u64,
    /// Refusals, failures, timeouts.
    pub not_ok: u64,
    /// Requests that will never be sent.
    pub dropped: u64,
    /// Requests that waited to be sent when it ended.
    pub backlog: u64,
    /// Requests that waited for their answer when it ended.
    pub in_flight: u64,
    /// Median response in milliseconds; of joined rows the larger one.
    pub p50: f64,
    /// 99 % of responses are shorter; of joined rows the larger one.
    pub p99: f64,
}

/// All rows of a run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// How many seconds each row stands for.
    seconds_per_row: u64,
    /// The rows, in order of time.
    rows: Vec<Row>,
    #[serde(skip)]
    seconds: u64,
    /// The counters so far.
    #[serde(skip)]
    sum: Counters,
}

impl Default for Series {
    fn default() -> Self {
        Self { seconds_per_row: 1, rows: Vec::new(), seconds: 0, sum: Counters::default() }
    }
}

impl Series {
    /// Adds the next second and gives back its row.
    pub fn push(&mut self, second: &Recording) -> Row {
        let at = self.seconds;
        self.seconds += 1;
        let counters = second.counters;
        self.sum.add(&counters);
        let row = Row {
            at,
            planned: counters.planned,
            sent: counters.sent,
            done: counters.done(),
            ok: counters.ok,
            not_ok: counters.done() - counters.ok,
            dropped: counters.skipped + counters.unsent,
            backlog: self.sum.waiting(),
            in_flight: self.sum.in_flight(),
            p50: millis(second.response.quantile(0.5).nanos),
            p99: millis(second.response.quantile(0.99).nanos),
        };
        match self.rows.last_mut() {
            Some(last) if !at.is_multiple_of(self.seconds_per_row) => last.join(row),
            _ => self.rows.push(row),
        }
        if self.rows.len() >= MAX_ROWS {
            self.halve();
        }
        row
    }

    /// Whether each row follows from the one before (what waited and what was planned is what left or
    /// waits on), nothing waits after the last, and all of them are the whole; what is wrong if not.
    pub fn balance(&self, whole: &Counters) -> Result<(), String> {
        let (mut waiting, mut flying) = (0, 0);
        for row in &self.rows {
            let (planned, left) = (waiting + row.planned, row.sent + row.dropped + row.backlog);
            let (sent, ended) = (flying + row.sent, row.done + row.in_flight);
            if planned != left || sent != ended {
                return Err(format!("the seconds from {} on do not follow: {row:?}", row.at));
            }
            (waiting, flying) = (row.backlog, row.in_flight);
        }
        if waiting + flying == 0 && self.sum == *whole {
            return Ok(());
        }
        Err(format!("the seconds add up to {:?}, the run to {whole:?}", self.sum))
    }

    /// How many seconds each row stands for.
    #[must_use]
    pub fn seconds_per_row(&self) -> u64 {
        self.seconds_per_row
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    fn halve(&mut self) {
        let joined = self.rows.chunks(2).map(|pair| {
            let mut row = pair[0];
            pair[1..].iter().for_each(|next| row.join(*next));
            row
        });
        self.rows = joined.collect();
        self.seconds_per_row *= 2;
    }
}

impl Row {
    fn join(&mut self, next: Self) {
        self.planned += next.planned;
        self.sent += next.sent;
        self.done += next.done;
        self.ok += next.ok;
        self.not_ok += next.not_ok;
        self.dropped += next.dropped;
        (self.backlog, self.in_flight) = (next.backlog, next.in_flight);
        self.p50 = self.p50.max(next.p50);
        self.p99 = self.p99.max(next.p99);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_very_long_run_keeps_a_bounded_series_that_adds_up() {
        let mut series = Series::default();
        let mut second = Recording::default();
        (second.counters.planned, second.counters.sent, second.counters.ok) = (1, 1, 1);
        let seconds = 3 * MAX_ROWS as u64;
        for _ in 0..seconds {
            series.push(&second);
        }
        assert!(series.rows().len() < MAX_ROWS);
        assert_eq!(series.rows().iter().map(|row| row.planned).sum::<u64>(), seconds);
        let whole = Counters { planned: seconds, sent: seconds, ok: seconds, ..Counters::default() };
        assert_eq!(series.balance(&whole), Ok(()));
        assert!(series.rows().windows(2).all(|pair| pair[1].at - pair[0].at == series.seconds_per_row));
    }

    #[test]
    fn what_waits_is_carried_from_row_to_row() {
        let second = |planned, sent, ok| Recording {
            counters: Counters { planned, sent, ok, ..Counters::default() },
            ..Recording::default()
        };
        let mut series = Series::default();
        let first = series.push(&second(10, 7, 5));
        assert_eq!((first.backlog, first.in_flight), (3, 2));
        let whole = |planned| Counters { planned, sent: 10, ok: 10, ..Counters::default() };
        assert!(series.balance(&whole(10)).is_err(), "something still waits");
        series.push(&second(0, 3, 5));
        assert_eq!(series.balance(&whole(10)), Ok(()));
        assert!(series.balance(&whole(11)).is_err(), "a request of no second");
        series.rows[1].done = 4;
        assert!(series.balance(&whole(10)).is_err(), "an answer vanished");
    }

    #[test]
    fn rows_that_are_joined_add_up_and_keep_the_larger_times() {
        let second = |ok: u64, skipped: u64, millis: u64| {
            let mut recording = Recording::default();
            let counters =
                Counters { planned: 9, sent: 6, ok, refused: 1, skipped, unsent: 1, ..Counters::default() };
            recording.counters = counters;
            recording.response.record(millis * 1_000_000);
            recording
        };
        let mut series = Series::default();
        let first = series.push(&second(2, 1, 30));
        assert_eq!((first.done, first.not_ok, first.dropped, first.at), (3, 1, 2, 0));
        series.push(&second(4, 2, 10));
        series.halve();
        assert_eq!((series.seconds_per_row(), series.rows().len()), (2, 1));
        let row = series.rows()[0];
        assert_eq!((row.planned, row.sent, row.done, row.ok, row.not_ok, row.dropped), (18, 12, 8, 6, 2, 5));
        assert_eq!((row.backlog, row.in_flight), (1, 4), "as at the end");
        assert!((row.p50 - 30.0).abs() < 1e-9 && (row.p99 - 30.0).abs() < 1e-9, "{row:?}");
        series.push(&second(1, 0, 50));
        series.push(&second(1, 0, 70));
        assert_eq!(series.rows().iter().map(|row| row.at).collect::<Vec<_>>(), [0, 2]);
        assert!((series.rows()[1].p99 - 70.0).abs() < 1e-9);
    }
}
