//! The lines of the full-screen view: text from figures, without a terminal.

use std::collections::VecDeque;
use std::time::Duration;

use crate::render::draw::words::wrapped;
use ordersys_bench::profile::Profile;
use ordersys_bench::result::per_second;
use ordersys_bench::verdict;
use ordersys_bench::verdict::{Facts, share};
use ordersys_loadgen::engine::Second;
use ordersys_loadgen::measure::distribution::Quantile;
use ordersys_loadgen::measure::recording::Recording;
use ordersys_loadgen::measure::series::Row;
use ordersys_workload::evidence::answer::Ending;
use ordersys_workload::model::{LoadModel, StopCondition};

/// Most seconds that are shown side by side: the width of a very wide terminal.
const MAX_SECONDS: usize = 500;
/// Most kinds of errors that are shown.
const MAX_ERRORS: usize = 5;
/// From nothing to the most of all.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Quantiles that are shown.
const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// What was seen of a run so far.
#[derive(Debug)]
pub(super) struct View {
    title: String,
    pace: LoadModel,
    stop_condition: StopCondition,
    rates: VecDeque<u64>,
}

impl View {
    /// Nothing yet.
    pub(super) fn new(profile: &Profile) -> Self {
        let title = format!("{}, {} connections", profile.pace, profile.connections);
        Self {
            title,
            pace: profile.pace.clone(),
            stop_condition: profile.stop_condition,
            rates: VecDeque::new(),
        }
    }

    /// Remembers how many requests were answered as they should be in a second.
    pub(super) fn saw(&mut self, row: &Row) {
        if self.rates.len() == MAX_SECONDS {
            self.rates.pop_front();
        }
        self.rates.push_back(row.ok);
    }

    /// The view, for a terminal of this width.
    pub(super) fn lines(&self, width: usize, second: Option<&Second<'_>>) -> Vec<String> {
        let mut lines = vec![spread(&format!("ordersys bench: {}", self.title), "q ends the run", width)];
        lines.push(String::new());
        let Some(second) = second else {
            lines.push("connecting and warming up".to_owned());
            return lines;
        };
        let (row, total) = (second.row, &second.totals.total);
        let elapsed = Duration::from_secs(row.at + 1);
        lines.push(self.clock(elapsed, total));
        lines.push(String::new());
        lines.push(self.throughput(row, elapsed, total));
        lines.push(self.sparkline(width));
        lines.push(String::new());
        let dropped = total.counters.skipped + total.counters.unsent;
        lines.push(format!("in flight {}   waiting {}   dropped {dropped}", row.in_flight, row.backlog));
        lines.push(format!("response  {}  ms so far", latency(total)));
        lines.push(format!("          p50 {:.1}  p99 {:.1}  ms in the last second", row.p50, row.p99));
        lines.push(String::new());
        lines.extend(errors(total));
        lines.push(String::new());
        lines.extend(wrapped(&self.verdict(second), width));
        lines
    }

    fn clock(&self, elapsed: Duration, total: &Recording) -> String {
        let seconds = elapsed.as_secs();
        match self.stop_condition {
            StopCondition::For(whole) => {
                format!("{seconds} s gone   {} s left", whole.saturating_sub(elapsed).as_secs())
            }
            StopCondition::Count(count) => {
                let done = total.counters.done();
                format!("{seconds} s gone   {done} of {count} done   {} left", count.saturating_sub(done))
            }
        }
    }

    fn throughput(&self, row: &Row, elapsed: Duration, total: &Recording) -> String {
        let most = self.rates.iter().max().copied().unwrap_or(0);
        let average = per_second(total.counters.ok, elapsed);
        format!("right answers a second: now {}   average {average:.0}   most {most}", row.ok)
    }

    /// A bar for each of the last seconds, the highest for the most of these.
    fn sparkline(&self, width: usize) -> String {
        let shown = self.rates.len().saturating_sub(width);
        let shown: Vec<_> = self.rates.iter().skip(shown).copied().collect();
        let most = shown.iter().max().copied().unwrap_or(0).max(1);
        let steps = BARS.len() as u64 - 1;
        let bar = |rate: &u64| {
            let step = (rate * steps).div_ceil(most);
            BARS[usize::try_from(step).unwrap_or(0).min(BARS.len() - 1)]
        };
        shown.iter().map(bar).collect()
    }

    /// What the numbers are worth as far as is known.
    fn verdict(&self, second: &Second<'_>) -> String {
        let (total, hiccups) = (&second.totals.total, &second.totals.hiccups);
        if total.counters.done() == 0 {
            return "nothing was answered yet".to_owned();
        }
        let found = verdict::judge(&Facts { pace: &self.pace, total, hiccups, busiest_thread: None });
        let cause = found.cause.map_or_else(String::new, |cause| format!(": {cause}"));
        format!("so far {}{cause}", found.grade.word())
    }
}

/// One text at the left edge, the other at the right one if there is room.
fn spread(left: &str, right: &str, width: usize) -> String {
    let room = width.saturating_sub(left.chars().count() + right.chars().count());
    if room == 0 { left.to_owned() } else { format!("{left}{}{right}", " ".repeat(room)) }
}

fn latency(total: &Recording) -> String {
    let show = |(name, quantile): &(&str, f64)| {
        let found: Quantile = total.response.quantile(*quantile);
        let bound = if found.at_least { ">=" } else { "" };
        format!("{name} {bound}{:.1}", found.millis())
    };
    QUANTILES.iter().map(show).collect::<Vec<_>>().join("  ")
}

/// How many requests were not answered as they should be, and the most frequent ways.
fn errors(total: &Recording) -> Vec<String> {
    let counters = &total.counters;
    let wrong = counters.done() - counters.ok;
    let part = if counters.done() == 0 { 0.0 } else { share(wrong, counters.done()) };
    let mut lines = vec![format!("errors {wrong} ({:.2} %)", part * 100.0)];
    let mut kinds: Vec<_> = total.kinds.iter().filter(|kind| kind.ending != Ending::Ok).collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
    lines.extend(kinds.into_iter().take(MAX_ERRORS).map(|kind| {
        let status = if kind.status == 0 { String::new() } else { format!("{} ", kind.status) };
        format!("  {:>8}  {}  {status}{}", kind.count, kind.ending.word(), kind.code)
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordersys_loadgen::measure::recording::Times;
    use ordersys_loadgen::measure::snapshot::Snapshot;
    use ordersys_loadgen::measure::totals::RunTotals;
    use ordersys_workload::evidence::answer::{Judged, judge};
    use ordersys_workload::model::clock::Moment;

    fn row(at: u64, ok: u64) -> Row {
        let (in_flight, backlog, p50, p99) = (64, 7, 5.6, 22.1);
        Row { at, planned: ok, sent: ok, done: ok, ok, not_ok: 0, dropped: 0, backlog, in_flight, p50, p99 }
    }

    fn totals() -> RunTotals {
        let mut totals = RunTotals::default();
        let at = |millis| Moment::at(Duration::from_millis(millis));
        let times = |done| Times { planned: at(0), woken: at(0), sent: at(0), done: at(done) };
        totals.total.counters.planned = 4;
        totals.total.counters.sent = 4;
        for done in [4, 5, 6] {
            totals.total.ended(&judge(201, br#"{"id":"a"}"#), times(done), String::new);
        }
        totals.total.ended(&Judged::unanswered(Ending::TimedOut, "timeout"), times(50), String::new);
        totals
    }

    fn shown(width: usize) -> Vec<String> {
        let profile =
            Profile { stop_condition: StopCondition::For(Duration::from_mins(1)), ..Profile::default() };
        let mut view = View::new(&profile);
        let (totals, snapshot) = (totals(), Snapshot::default());
        for (at, ok) in (0..).zip([0, 1, 50, 100]) {
            view.saw(&row(at, ok));
        }
        view.lines(width, Some(&Second { row: &row(3, 100), snapshot: &snapshot, totals: &totals }))
    }

    #[test]
    fn the_view_has_what_is_known_so_far() {
        let text = shown(80).join("\n");
        for part in [
            "ordersys bench: the closed loop, 64 connections",
            "q ends the run\n",
            "4 s gone   56 s left",
            "now 100   average 1   most 100",
            " ▁▄█",
            "in flight 64   waiting 7   dropped 0",
            "p50 5.0",
            "max >=50.0",
            "p50 5.6  p99 22.1",
            "errors 1 (25.00 %)",
            "       1  timed out  timeout",
            "so far VALID",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn a_narrow_terminal_shows_the_last_seconds() {
        assert!(shown(2).contains(&"▄█".to_owned()), "{:?}", shown(2));
    }

    #[test]
    fn before_the_first_second_it_says_what_is_going_on() {
        let view = View::new(&Profile::default());
        assert_eq!(view.lines(80, None).last().map(String::as_str), Some("connecting and warming up"));
        assert_eq!(view.sparkline(80), "");
    }
}
