//! The tables of the page: what was measured, verified and asked for.

use crate::bench;
use crate::html::escape;
use ordersys_bench::result::{Checked, Measures, RunResult};
use ordersys_bench::verdict::share;
use ordersys_loadgen::measure::distribution::Quantiles;
use ordersys_verify::finding::Check;

/// A table with titles; cells are HTML already.
pub(super) fn table(class: &str, titles: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = titles.iter().map(|title| format!("<th>{}</th>", escape(title))).collect::<Vec<_>>().concat();
    let row = |cells: Vec<String>| {
        let cells = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect::<Vec<_>>().concat();
        format!("<tr>{cells}</tr>")
    };
    let rows: String = rows.map(row).collect();
    format!(r#"<table class="{class}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"#)
}

/// The figures of the run, of each endpoint and of each stage where there is more than one.
pub(super) fn figures(result: &RunResult) -> String {
    let core = &result.core;
    let mut rows = vec![("all".to_owned(), &core.measures)];
    if core.endpoints.len() > 1 {
        rows.extend(core.endpoints.iter().map(|one| (one.endpoint.clone(), &one.measures)));
    }
    if core.stages.len() > 1 {
        rows.extend(core.stages.iter().enumerate().map(|(index, stage)| {
            let rate = stage.rate.as_deref().unwrap_or("closed loop");
            (format!("stage {}: {rate}", index + 1), &stage.measures)
        }));
    }
    let titles = [
        "",
        "planned",
        "ok",
        "refused",
        "failed",
        "timed out",
        "not sent",
        "/s",
        "min",
        "mean",
        "p50",
        "p75",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "max",
    ];
    table("numbers", &titles, rows.into_iter().map(|(name, measures)| figures_row(&name, measures)))
}

fn figures_row(name: &str, measures: &Measures) -> Vec<String> {
    let (totals, response) = (&measures.totals, &measures.latency.response);
    let counters = &totals.counters;
    let counts = [
        counters.planned,
        counters.ok,
        counters.refused,
        counters.failed + counters.aborted,
        counters.timed_out,
        counters.skipped + counters.unsent,
    ];
    let Quantiles { min, mean, p50, p75, p90, p95, p99, p999, max } = *response;
    let times = [min, mean, p50, p75, p90, p95, p99, p999, max];
    let mut cells = vec![escape(name)];
    cells.extend(counts.map(|count| count.to_string()));
    cells.push(format!("{:.1}", totals.throughput));
    cells.extend(times.map(bench::millis));
    cells
}

/// What was checked, and with which result.
pub(super) fn verification(result: &RunResult) -> String {
    let row = |checked: &Checked| {
        let statement = Check::with_id(&checked.id).map_or("", Check::statement);
        let mark = format!(r#"<b class="{}">{}</b>"#, checked.result.to_lowercase(), escape(&checked.result));
        vec![escape(&checked.id), escape(statement), mark, escape(&checked.detail())]
    };
    table("text", &["", "must hold", "result", "witness or reason"], result.core.verification.iter().map(row))
}

/// How requests ended.
pub(super) fn outcomes(result: &RunResult) -> String {
    let rows = result.outcomes.iter().map(|outcome| {
        let share = share(outcome.count, result.core.measures.totals.counters.sent) * 100.0;
        let example = format!("<code>{}</code>", escape(&outcome.example));
        let answer = escape(&bench::answer(outcome));
        vec![escape(&outcome.ending), answer, outcome.count.to_string(), format!("{share:.2} %"), example]
    });
    table("text outcomes", &["outcome", "answer", "requests", "share", "example"], rows)
}

/// What was done to the system.
pub(super) fn marks(result: &RunResult) -> String {
    let rows = result.marks.iter().map(|mark| {
        let until = mark.until_seconds.map(|until| format!("{until:.1} s")).unwrap_or_default();
        vec![escape(&mark.what), format!("{:.1} s", mark.at_seconds), until, escape(&mark.outcome())]
    });
    table("text", &["done to the system", "at", "until", "outcome"], rows)
}

/// The conditions of the run.
pub(super) fn settings(result: &RunResult) -> String {
    let settings = serde_json::to_value(&result.core.settings).unwrap_or_default();
    let host = serde_json::to_value(&result.host).unwrap_or_default();
    let members = [settings, host].into_iter().filter_map(|value| value.as_object().cloned()).flatten();
    let rows = members.filter(|(_, value)| !value.is_null()).map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        vec![escape(&words(&name)), escape(&text)]
    });
    table("text settings", &["setting", "value"], rows)
}

/// `warmupSeconds` as `warmup seconds`.
fn words(name: &str) -> String {
    let letter = |letter: char| {
        let space = if letter.is_uppercase() { " " } else { "" };
        format!("{space}{}", letter.to_lowercase())
    };
    name.chars().map(letter).collect()
}
