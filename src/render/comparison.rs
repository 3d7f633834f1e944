//! A comparison as text: a table, the decision last.

use std::fmt::Write as _;

use crate::render::Table;
use ordersys_bench::compare::{Compared, Comparison};
use ordersys_command::printable;

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
    let [a, b] = comparison.runs;
    let reason = comparison.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    let _ = write!(text, "{table}\n{} after {a} and {b} runs{reason}", comparison.decision.words());
    text
}

fn row(one: &Compared) -> [String; 9] {
    let interval = one
        .interval
        .map_or_else(|| "too few runs".to_owned(), |(low, high)| format!("{low:+.3} .. {high:+.3}"));
    [
        one.metric.title().to_owned(),
        format!("{:.3}", one.medians[0]),
        format!("{:.3}", one.medians[1]),
        format!("{:+.3}", one.shift),
        one.relative.map(|part| format!("{:+.1} %", part * 100.0)).unwrap_or_default(),
        interval,
        format!("{:.4}", one.p),
        format!("{:.4}", one.adjusted_p),
        if one.differs { "differs" } else { "" }.to_owned(),
    ]
}
