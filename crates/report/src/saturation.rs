//! What a search found as text: each rate with its latency, the interval last.

use crate::draw::table::Table;
use ordersys_bench::saturate::{Saturation, Step};
use ordersys_bench::verdict::Grade;

/// The whole search.
#[must_use]
pub fn text(found: &Saturation) -> String {
    let titles = ["rate /s", "done /s", "p50 ms", "p99 ms", "p99.9 ms", "errors", "verdict", "checks", ""];
    let mut table =
        Table::new(titles).right(&[0, 1, 2, 3, 4, 5]).states(&[6, 7]).prose(&[8]).least(&[7, 2, 4, 5, 1]);
    let mut steps: Vec<_> = found.steps.iter().collect();
    steps.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    for step in steps {
        table.row(row(step));
    }
    format!("{table}\n{}", statement(found))
}

fn row(step: &Step) -> [String; 9] {
    let outcome = match (&step.broke, step.confirming) {
        (Some(cause), _) if step.verdict == Grade::Invalid => format!("says nothing: {cause}"),
        (Some(broke), _) => broke.clone(),
        (None, true) => "met, confirmed".to_owned(),
        (None, false) => "met".to_owned(),
    };
    [
        format!("{:.0}", step.rate),
        format!("{:.0}", step.throughput),
        format!("{:.3}", step.p50),
        format!("{:.3}", step.p99),
        format!("{:.3}", step.p999),
        format!("{:.3} %", step.errors * 100.0),
        step.verdict.word().to_owned(),
        step.verification.to_owned(),
        outcome,
    ]
}

/// What is known for sure: no more than was tried.
fn statement(found: &Saturation) -> String {
    let slo = found.slo.join(", ");
    let state = match (found.interrupted || found.invalid.is_some(), found.confirmed) {
        (true, _) => "; the search did not reach its end, so this is not confirmed",
        (false, true) => "; confirmed by a longer run",
        (false, false) => "; not confirmed",
    };
    match (found.met, found.missed) {
        (Some(met), Some(missed)) => {
            let broke = found.broke.as_deref().unwrap_or("an objective broke");
            format!("{slo}: met at {met:.0}/s, missed at {missed:.0}/s ({broke}){state}")
        }
        (Some(met), None) => format!("{slo}: met at {met:.0}/s; no rate missed it{state}"),
        (None, Some(missed)) => {
            let broke = found.broke.as_deref().unwrap_or("an objective broke");
            format!("{slo}: missed at every rate down to {missed:.0}/s ({broke}){state}")
        }
        (None, None) => format!("{slo}: no run was valid{state}"),
    }
}
