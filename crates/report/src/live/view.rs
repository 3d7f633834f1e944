//! The lines of the full-screen view: text from figures, without a terminal.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use crate::draw::words::wrapped;
use crate::live::bars::{Mark, chart, marks};
use ordersys_bench::profile::Profile;
use ordersys_bench::result::per_second;
use ordersys_bench::result::report::SoFar;
use ordersys_bench::verdict;
use ordersys_bench::verdict::slo::Objective;
use ordersys_bench::verdict::{Facts, share};
use ordersys_loadgen::engine::Second;
use ordersys_loadgen::measure::distribution::Quantile;
use ordersys_loadgen::measure::recording::Recording;
use ordersys_loadgen::measure::series::Row;
use ordersys_workload::evidence::answer::Ending;
use ordersys_workload::model::stage_span::spans;
use ordersys_workload::model::{LoadModel, StopCondition};

/// Most seconds that are shown side by side: the width of a very wide terminal.
const MAX_SECONDS: usize = 500;
/// Most kinds of errors that are shown.
const MAX_ERRORS: usize = 5;
/// Most lines of one chart.
const MAX_HEIGHT: usize = 8;
/// Letters of the bar that shows how far the run is.
const BAR: u64 = 24;
/// Quantiles that are shown.
const QUANTILES: [(&str, f64); 6] =
    [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// How many letters fit into a line, and how many lines.
pub type Size = (usize, usize);

/// What was seen of a run so far.
#[derive(Debug)]
pub struct View {
    title: String,
    pace: LoadModel,
    stop_condition: StopCondition,
    objectives: Vec<Objective>,
    marks: Vec<Mark>,
    rows: VecDeque<Row>,
}

impl View {
    /// Nothing yet.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let title = format!("{}, {} connections", profile.pace, profile.connections);
        let faults =
            profile.faults.iter().map(|fault| Mark { second: fault.at.as_secs(), name: fault.what() });
        let stages =
            if profile.pace.stages().is_empty() { Vec::new() } else { spans(&profile.pace, Duration::ZERO) };
        let stages = stages
            .into_iter()
            .filter_map(|stage| Some(Mark { second: stage.start.as_secs(), name: stage.rate? }));
        Self {
            title,
            pace: profile.pace.clone(),
            stop_condition: profile.stop_condition,
            objectives: profile.objectives.clone(),
            marks: stages.chain(faults).collect(),
            rows: VecDeque::new(),
        }
    }

    /// Remembers a second.
    pub fn saw(&mut self, row: &Row) {
        if self.rows.len() == MAX_SECONDS {
            self.rows.pop_front();
        }
        self.rows.push_back(*row);
    }

    /// The view, for a terminal of this size.
    #[must_use]
    pub fn lines(&self, (width, height): Size, second: Option<&Second<'_>>) -> Vec<String> {
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
        let rest = self.rest(second, elapsed, width);
        let marks = marks(&self.marks, row.at, width);
        // Two charts with a title each share what the rest leaves.
        let taken = lines.len() + rest.len() + usize::from(marks.is_some()) + 2;
        let room = (height.saturating_sub(taken) / 2).clamp(1, MAX_HEIGHT);
        let room = u16::try_from(room).unwrap_or(1);
        lines.push(self.throughput(row, elapsed, total));
        lines.extend(chart(&self.values(|row| whole(row.ok)), width, room));
        lines.push(format!(
            "response in the last second: p50 {:.1}  p99 {:.1} ms; p99 over time:",
            row.p50, row.p99
        ));
        lines.extend(chart(&self.values(|row| row.p99), width, room));
        lines.extend(marks);
        lines.extend(rest);
        lines
    }

    /// What stands below the charts.
    fn rest(&self, second: &Second<'_>, elapsed: Duration, width: usize) -> Vec<String> {
        let (row, total) = (second.row, &second.totals.total);
        let dropped = total.counters.skipped + total.counters.unsent;
        let mut lines = vec![
            String::new(),
            format!("response so far: {} ms", latency(total)),
            format!("in flight {}   waiting {}   dropped {dropped}", row.in_flight, row.backlog),
        ];
        if second.totals.endpoints.len() > 1 {
            lines.extend(
                second.totals.endpoints.iter().map(|(endpoint, one)| endpoint_line(endpoint.name(), one)),
            );
        }
        lines.push(String::new());
        lines.extend(errors(total));
        lines.extend(self.objectives.iter().map(|objective| {
            let missed = objective.missed(&SoFar { total, elapsed });
            missed
                .map_or_else(|| format!("✓ {objective} met so far"), |missed| format!("✗ {missed} (so far)"))
        }));
        lines.push(String::new());
        lines.extend(wrapped(&self.verdict(second), width));
        lines
    }

    /// How far the run is.
    fn clock(&self, elapsed: Duration, total: &Recording) -> String {
        let seconds = elapsed.as_secs();
        match self.stop_condition {
            StopCondition::For(whole) => {
                let left = whole.saturating_sub(elapsed).as_secs();
                format!("{} {seconds} s gone   {left} s left", bar(seconds, whole.as_secs()))
            }
            StopCondition::Count(count) => {
                let done = total.counters.done();
                let left = count.saturating_sub(done);
                format!("{} {seconds} s gone   {done} of {count} done   {left} left", bar(done, count))
            }
        }
    }

    fn throughput(&self, row: &Row, elapsed: Duration, total: &Recording) -> String {
        let most = self.rows.iter().map(|row| row.ok).max().unwrap_or(0);
        let average = per_second(total.counters.ok, elapsed);
        let asked = match self.pace {
            LoadModel::ClosedLoop => String::new(),
            LoadModel::OpenLoop { .. } | LoadModel::Ramping { .. } => format!("   asked {}", row.planned),
        };
        format!("right answers a second: now {}{asked}   average {average:.0}   most {most}", row.ok)
    }

    fn values(&self, of: impl Fn(&Row) -> f64) -> Vec<f64> {
        self.rows.iter().map(of).collect()
    }

    /// What the numbers are worth as far as is known.
    fn verdict(&self, second: &Second<'_>) -> String {
        let totals = second.totals;
        if totals.total.counters.done() == 0 {
            return "nothing was answered yet".to_owned();
        }
        let found = verdict::judge(&Facts { pace: &self.pace, totals, busiest_thread: None });
        let cause = found.cause.map_or_else(String::new, |cause| format!(": {cause}"));
        format!("so far {}{cause}", found.grade.word())
    }
}

/// One text at the left edge, the other at the right one if there is room.
fn spread(left: &str, right: &str, width: usize) -> String {
    let room = width.saturating_sub(left.chars().count() + right.chars().count());
    if room == 0 { left.to_owned() } else { format!("{left}{}{right}", " ".repeat(room)) }
}

/// How much of a whole is done.
fn bar(done: u64, whole: u64) -> String {
    let full = (done.min(whole) * BAR).checked_div(whole).unwrap_or(BAR);
    let count = |letters: u64| usize::try_from(letters).unwrap_or(0);
    format!("[{}{}]", "=".repeat(count(full)), " ".repeat(count(BAR - full)))
}

#[expect(clippy::cast_precision_loss, reason = "requests of one second")]
fn whole(count: u64) -> f64 {
    count as f64
}

/// One kind of requests, with its errors and times.
fn endpoint_line(name: &str, one: &Recording) -> String {
    let wrong = one.counters.done() - one.counters.ok;
    let at = |quantile| one.response.quantile(quantile).millis();
    format!(
        "  {name:<8} ok {:>9}   errors {wrong:>7}   p50 {:>8.1}   p99 {:>8.1} ms",
        one.counters.ok,
        at(0.5),
        at(0.99)
    )
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
