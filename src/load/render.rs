//! The report as text: at most some forty lines, the verdict last.

use std::fmt::Write as _;

use super::answer::Ending;
use super::distribution::{Distribution, Quantile};
use super::mark::Mark;
use super::profile::Pace;
use super::recording::Kind;
use super::report::Report;
use super::slo::Measured as _;
use super::verdict::share;
use crate::ui::Table;

/// Most kinds of answers shown; the rest is in the stored result.
const MAX_KINDS: usize = 8;
/// Most characters of an answer shown as an example.
const EXAMPLE_CHARS: usize = 80;

/// The whole report.
#[must_use]
pub fn text(report: &Report, pace: &Pace) -> String {
    let mut text = String::new();
    let mut line = |part: &str| {
        let _ = writeln!(text, "{part}"); // writing to a String cannot fail
    };
    report.settings.lines().iter().for_each(|condition| line(condition));
    line("");
    line(&throughput(report));
    line(&latency(report, pace));
    line(&outcomes(report));
    if !report.marks.is_empty() {
        line(&marks(&report.marks));
    }
    line(&verification(report));
    for missed in &report.missed {
        line(&format!("objective {missed}"));
    }
    line(&last(report));
    text
}

fn throughput(report: &Report) -> String {
    let books = report.books();
    let mut text = format!(
        "{:.1} orders/s over {:.1} s; planned {}, sent {}",
        report.throughput(),
        report.generated.elapsed.as_secs_f64(),
        books.planned,
        books.sent
    );
    for (count, what) in [(books.skipped, "skipped"), (books.unsent, "unsent"), (books.aborted, "aborted")] {
        if count > 0 {
            let _ = write!(text, ", {what} {count}");
        }
    }
    let cpu = report.cpu_per_request();
    for (used, side) in [(cpu.client, "client"), (cpu.server, "server")] {
        if let Some(micros) = used {
            let _ = write!(text, "; {side} CPU {micros:.1} us/request");
        }
    }
    text
}

fn latency(report: &Report, pace: &Pace) -> String {
    let total = &report.generated.tally.total;
    let mut rows = vec![("response", &total.response)];
    // In a closed loop requests are planned when they are sent: all but one row would be empty.
    if pace.arrivals().is_some() {
        rows.extend([
            ("service", &total.service),
            ("connection wait", &total.wait),
            ("generator lag", &total.lag),
        ]);
    }
    if !total.refusals.is_empty() {
        rows.push(("refusals", &total.refusals));
    }
    let mut table = Table::new(["ms", "p50", "p90", "p99", "p99.9", "max"]).right(&[1, 2, 3, 4, 5]);
    for (name, distribution) in &rows {
        table.row(latency_row(name, distribution));
    }
    let few = rows.iter().any(|(_, distribution)| !distribution.quantile(0.999).is_supported());
    let note = if few { "\n~ fewer than 10 samples lie above it" } else { "" };
    format!("{table}{note}")
}

fn latency_row(name: &str, distribution: &Distribution) -> [String; 6] {
    let cell = |quantile| show(distribution.quantile(quantile), quantile < 1.0);
    [name.to_owned(), cell(0.5), cell(0.9), cell(0.99), cell(0.999), cell(1.0)]
}

/// `>=` where unanswered requests make it a lower bound, `~` where few samples support it.
fn show(quantile: Quantile, needs_samples: bool) -> String {
    let bound = if quantile.at_least { ">=" } else { "" };
    let few = if needs_samples && !quantile.is_supported() { "~" } else { "" };
    format!("{bound}{:.3}{few}", quantile.millis())
}

fn outcomes(report: &Report) -> String {
    let mut kinds: Vec<_> = report.generated.tally.total.kinds.iter().collect();
    kinds.sort_by_key(|kind| (kind.ending, std::cmp::Reverse(kind.count)));
    let mut table = Table::new(["outcome", "answer", "requests", "share", "example"]).right(&[2, 3]);
    for kind in kinds.iter().take(MAX_KINDS) {
        let share = share(kind.count, report.books().sent) * 100.0;
        let example: String = kind.example.chars().take(EXAMPLE_CHARS).collect();
        table.row([
            word(kind.ending).to_owned(),
            answer(kind),
            kind.count.to_string(),
            format!("{share:.2} %"),
            example,
        ]);
    }
    let more = kinds.len().saturating_sub(MAX_KINDS);
    if more == 0 { table.to_string() } else { format!("{table}\nand {more} more kinds of answers") }
}

/// How requests ended, in one word.
#[must_use]
pub fn word(ending: Ending) -> &'static str {
    match ending {
        Ending::Ok => "ok",
        Ending::Refused => "refused",
        Ending::Failed => "failed",
        Ending::TimedOut => "timed out",
        Ending::Aborted => "aborted",
    }
}

fn answer(kind: &Kind) -> String {
    match (kind.status, &*kind.code) {
        (0, code) => code.to_owned(),
        (status, "") => status.to_string(),
        (status, code) => format!("{status} {code}"),
    }
}

fn marks(marks: &[Mark]) -> String {
    let mut table = Table::new(["done to the system", "at", "until", "outcome"]).right(&[1, 2]);
    for mark in marks {
        let seconds = |at: f64| format!("{at:.1} s");
        let until = mark.until_seconds.map(seconds).unwrap_or_default();
        table.row([mark.what.clone(), seconds(mark.at_seconds), until, mark.outcome()]);
    }
    table.to_string()
}

fn verification(report: &Report) -> String {
    let findings = &report.verification.findings;
    if let Some(reason) = same_reason(report) {
        return format!("not verified: {reason}");
    }
    let mut table = Table::new(["", "must hold", "result", "witness or reason"]);
    for finding in findings {
        let check = finding.check;
        table.row([
            check.id().to_owned(),
            check.statement().to_owned(),
            finding.word().to_owned(),
            finding.detail(),
        ]);
    }
    table.to_string()
}

/// The reason, if all checks were skipped for one.
fn same_reason(report: &Report) -> Option<String> {
    let findings = &report.verification.findings;
    let first = findings.first()?.detail();
    findings.iter().all(|finding| finding.word() == "SKIP" && finding.detail() == first).then_some(first)
}

fn last(report: &Report) -> String {
    let cause = report.verdict.cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
    let code = report.failure().map_or(0, |failure| failure.exit as u8);
    format!("{}{cause}; exit code {code}", report.verdict.grade.word())
}
