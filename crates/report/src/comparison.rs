//! A comparison as text: a line for each run, a table, the decision last.

use std::fmt::Write as _;

use crate::draw::table::Table;
use ordersys_bench::compare::{Compared, Comparison, Decision};
use ordersys_bench::result::RunResult;
use ordersys_command::printable;

/// The figures of one run in a line.
#[must_use]
pub fn figures(result: &RunResult) -> String {
    let (measures, verdict) = (&result.core.measures, result.core.verdict.word());
    let response = &measures.latency.response;
    let throughput = measures.totals.throughput;
    format!("{throughput:.1}/s  p50 {:.3} ms  p99 {:.3} ms  {verdict}", response.p50, response.p99)
}

/// The whole comparison.
#[must_use]
pub fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    for difference in &comparison.systems {
        let _ = writeln!(text, "systems: {}", printable(&difference.to_string())); // writing to a String cannot fail
    }
    let titles =
        ["", "median a", "median b", "shift", "shift %", "95 % interval", "p", "p corrected", "result"];
    let mut table = Table::new(titles).right(&[1, 2, 3, 4, 5, 6, 7]).least(&[3, 6, 7, 1, 2]);
    comparison.metrics.iter().for_each(|one| table.row(row(one)));
    let _ = write!(text, "{table}\n{}", statement(comparison));
    text
}

/// What it says, in a sentence.
pub(crate) fn statement(comparison: &Comparison) -> String {
    let [a, b] = comparison.runs;
    let mut text = comparison.decision.words().to_owned();
    match &comparison.reason {
        Some(reason) => {
            let _ = write!(text, "; {reason}"); // writing to a String cannot fail
        }
        None if comparison.metrics.iter().all(|one| one.same) => {
            let _ = write!(text, ", within {:.0} %", comparison.margin * 100.0);
        }
        None => {}
    }
    if comparison.decision != Decision::Undecided {
        let _ = write!(text, " ({a} and {b} runs)");
    }
    text
}

fn row(one: &Compared) -> [String; 9] {
    let [median_a, median_b, shift, relative, interval, p, adjusted] = cells(one);
    [
        one.metric.title().to_owned(),
        median_a,
        median_b,
        shift,
        relative,
        interval,
        p,
        adjusted,
        result(one).to_owned(),
    ]
}

/// The figures of a metric.
pub(crate) fn cells(one: &Compared) -> [String; 7] {
    let interval = one
        .interval
        .map_or_else(|| "too few runs".to_owned(), |(low, high)| format!("{low:+.3} .. {high:+.3}"));
    [
        format!("{:.3}", one.medians[0]),
        format!("{:.3}", one.medians[1]),
        format!("{:+.3}", one.shift),
        one.relative.map(|part| format!("{:+.1} %", part * 100.0)).unwrap_or_default(),
        interval,
        format!("{:.4}", one.p),
        format!("{:.4}", one.adjusted_p),
    ]
}

/// What was shown of a metric.
pub(crate) fn result(one: &Compared) -> &'static str {
    match (one.differs, one.same) {
        (true, _) => "differs",
        (false, true) => "same",
        (false, false) => "not shown",
    }
}
