//! A result as text: at most some forty lines, the verdict last.

use std::fmt::Write as _;

use crate::draw::ink;
use crate::draw::table::Table;
use ordersys_bench::faults::annotation::Annotation;
use ordersys_bench::result::{Answers, Core, Curve, RunResult};
use ordersys_bench::verdict::share;
use ordersys_command::printable;
use ordersys_verify::finding::Check;
use ordersys_workload::endpoint::Endpoint;

/// Most kinds of answers shown; the rest is in the stored result.
const MAX_KINDS: usize = 8;
/// Most characters of an answer shown as an example.
const EXAMPLE_CHARS: usize = 80;

/// The whole result.
#[must_use]
pub fn text(result: &RunResult) -> String {
    let mut text = String::new();
    let mut line = |part: &str| {
        let _ = writeln!(text, "{part}"); // writing to a String cannot fail
    };
    line(&started(&result.core));
    result.core.settings.lines().iter().for_each(|condition| line(condition));
    line("");
    line(&throughput(result));
    line(&latency(result));
    line(&outcomes(result));
    if !result.marks.is_empty() {
        line(&marks(&result.marks));
    }
    line(&verification(result));
    for missed in &result.missed_objectives {
        line(&format!("objective {missed}"));
    }
    if let Some(good) = &result.core.still_good {
        line(&format!("still good: {good}"));
    }
    line(&last(result));
    text
}

/// When the run began, and what asked for it.
pub(crate) fn started(core: &Core) -> String {
    match &core.command {
        Some(command) => format!("{}: {command}", core.started_at),
        None => core.started_at.clone(),
    }
}

/// A time in milliseconds, in four digits or more.
pub(crate) fn millis(value: f64) -> String {
    match value {
        small if small < 10.0 => format!("{small:.3}"),
        middle if middle < 100.0 => format!("{middle:.2}"),
        large => format!("{large:.1}"),
    }
}

/// How many of the checks hold and what became of the others.
pub(crate) fn checks(result: &RunResult) -> String {
    let checks = &result.core.verification;
    let count = |word: &str| checks.iter().filter(|checked| checked.result == word).count();
    let mut parts = vec![format!("{} {}", count("PASS"), if count("PASS") == 1 { "holds" } else { "hold" })];
    match count("FAIL") {
        0 => {}
        1 => parts.push("1 is violated".to_owned()),
        many => parts.push(format!("{many} are violated")),
    }
    match count("SKIP") {
        0 => {}
        1 => parts.push("1 does not apply".to_owned()),
        many => parts.push(format!("{many} do not apply")),
    }
    parts.join(", ")
}

fn throughput(result: &RunResult) -> String {
    let totals = &result.core.measures.totals;
    let counters = &totals.counters;
    let mut text = format!("{} over {:.1} s; ", rate(&result.core), result.elapsed_seconds);
    if result.core.settings.is_open() {
        let _ = write!(text, "planned {}, ", counters.planned); // a closed loop plans nothing
    }
    let _ = write!(text, "sent {}", counters.sent);
    for (count, what) in
        [(counters.skipped, "skipped"), (counters.unsent, "unsent"), (counters.aborted, "aborted")]
    {
        if count > 0 {
            let _ = write!(text, ", {what} {count}");
        }
    }
    let cpu = result.core.cpu_micros_per_request;
    for (used, side) in [(cpu.client, "client"), (cpu.server, "server")] {
        let _ = match used {
            Some(micros) => write!(text, "; {side} CPU {micros:.1} us/request"),
            None => write!(text, "; {side} CPU not measured"),
        };
    }
    text
}

/// Right answers a second. Only those to orders are called orders.
fn rate(core: &Core) -> String {
    let all = core.measures.totals.throughput;
    let orders = core.endpoints.iter().find(|part| part.endpoint == Endpoint::Order.name());
    match orders.map(|part| part.measures.totals.throughput) {
        Some(orders) if core.endpoints.len() == 1 => format!("{orders:.1} orders/s"),
        Some(orders) => format!("{all:.1} right answers/s, of these {orders:.1} orders/s,"),
        None => format!("{all:.1} right answers/s"),
    }
}

fn latency(result: &RunResult) -> String {
    let shown = |curve: &&Curve| match (curve.endpoint.is_some(), curve.name.as_str()) {
        (true, _) => result.core.endpoints.len() > 1,
        (false, "response" | "refusals") => true,
        // In a closed loop requests are planned when they are sent: all these would be empty.
        (false, _) => result.core.settings.is_open(),
    };
    let curves: Vec<_> = result.curves.iter().filter(shown).collect();
    let titles = ["ms", "min", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"];
    let mut table = Table::new(titles).right(&[1, 2, 3, 4, 5, 6, 7, 8]).least(&[1, 4, 2, 7]);
    for curve in &curves {
        table.row(latency_row(curve));
    }
    let few = curves.iter().any(|curve| !curve.is_supported(0.999));
    let note = if few { "\n~ fewer than 10 samples lie above it" } else { "" };
    format!("{table}{note}")
}

fn latency_row(curve: &Curve) -> [String; 9] {
    let at = curve.quantiles;
    let cell = |quantile, millis| show(curve, quantile, millis);
    // Times that are only known to be at least so long make the mean a lower bound as well.
    let bound = if curve.is_bound(1.0) { ">=" } else { "" };
    [
        curve.label(),
        millis(at.min),
        format!("{bound}{}", millis(at.mean)),
        cell(0.5, at.p50),
        cell(0.9, at.p90),
        cell(0.95, at.p95),
        cell(0.99, at.p99),
        cell(0.999, at.p999),
        cell(1.0, at.max),
    ]
}

/// `>=` where unanswered requests make it a lower bound, `~` where few samples support it.
fn show(curve: &Curve, quantile: f64, value: f64) -> String {
    let bound = if curve.is_bound(quantile) { ">=" } else { "" };
    let few = if quantile < 1.0 && !curve.is_supported(quantile) { "~" } else { "" };
    format!("{bound}{}{few}", millis(value))
}

fn outcomes(result: &RunResult) -> String {
    let sent = result.core.measures.totals.counters.sent;
    let mut table =
        Table::new(["outcome", "answer", "requests", "share", "example"]).right(&[2, 3]).prose(&[4]);
    for answers in result.outcomes.iter().take(MAX_KINDS) {
        let share = share(answers.count, sent) * 100.0;
        table.row([
            answers.ending.clone(),
            answer(answers),
            answers.count.to_string(),
            format!("{share:.2} %"),
            shortened(&answers.example),
        ]);
    }
    match result.outcomes.len().saturating_sub(MAX_KINDS) {
        0 => table.to_string(),
        1 => format!("{table}\nand 1 more kind of answers"),
        more => format!("{table}\nand {more} more kinds of answers"),
    }
}

/// The beginning of an example, and a sign that there is more.
fn shortened(example: &str) -> String {
    let mut text: String = example.chars().take(EXAMPLE_CHARS).collect();
    if example.chars().nth(EXAMPLE_CHARS).is_some() {
        text.push('…');
    }
    text
}

/// The status and code of an answer.
pub(crate) fn answer(answers: &Answers) -> String {
    match (answers.status, answers.code.as_str()) {
        (0, code) => code.to_owned(),
        (status, "") => status.to_string(),
        (status, code) => format!("{status} {code}"),
    }
}

fn marks(marks: &[Annotation]) -> String {
    let mut table = Table::new(["done to the system", "at", "until", "outcome"]).right(&[1, 2]).prose(&[3]);
    for mark in marks {
        let seconds = |at: f64| format!("{at:.1} s");
        let until = mark.until_seconds.map(seconds).unwrap_or_default();
        table.row([mark.what.clone(), seconds(mark.at_seconds), until, mark.outcome()]);
    }
    table.to_string()
}

fn verification(result: &RunResult) -> String {
    if let Some(reason) = same_reason(result) {
        return format!("not verified: {reason}");
    }
    let mut table = Table::new(["", "must hold", "result", "witness or reason"]).states(&[2]).prose(&[1, 3]);
    for checked in &result.core.verification {
        table.row([
            checked.id.clone(),
            Check::with_id(&checked.id).map_or("", Check::statement).to_owned(),
            checked.result.clone(),
            checked.detail(),
        ]);
    }
    format!("{table}\n{}", checks(result))
}

/// The reason, if all checks were skipped for one.
fn same_reason(result: &RunResult) -> Option<String> {
    let checks = &result.core.verification;
    let first = checks.first()?.detail();
    checks.iter().all(|checked| checked.result == "SKIP" && checked.detail() == first).then_some(first)
}

fn last(result: &RunResult) -> String {
    let cause =
        result.core.cause.as_ref().map_or_else(String::new, |cause| format!(": {}", printable(cause)));
    let interrupted = if result.interrupted {
        format!("INTERRUPTED after {:.1} s; so far ", result.elapsed_seconds)
    } else {
        String::new()
    };
    format!("{interrupted}{}{cause}; exit code {}", ink::state(result.core.verdict.word()), result.exit_code)
}
