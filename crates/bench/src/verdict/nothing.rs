//! A run, or one kind of its requests, in which nothing succeeded: no figure of it can be green. Whose fault that
//! was, with an example of what was answered.

use ordersys_command::counted;
use ordersys_loadgen::measure::recording::{Kind, Recording};
use ordersys_loadgen::measure::totals::RunTotals;
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::evidence::answer::Ending;

use crate::verdict::{Grade, Verdict, because};

/// Fewer requests of one kind than that may all fail by chance.
const FEW: u64 = 10;
/// Most characters of an answer that a cause has room for.
const EXAMPLE_CHARS: usize = 120;

/// The verdict on a run, or on a kind of its requests, in which nothing succeeded.
pub(super) fn succeeded(totals: &RunTotals) -> Option<Verdict> {
    let whole = &totals.total.counters;
    if whole.ok == 0 {
        return Some(nothing(totals));
    }
    let failed = |(_, one): &(&Endpoint, &Recording)| {
        let counters = &one.counters;
        counters.ok == 0 && counters.done() - counters.aborted >= FEW
    };
    let (endpoint, recording) = totals.endpoints.iter().find(failed)?;
    let what = match endpoint {
        Endpoint::Order => "nothing was sold".to_owned(),
        other => format!("no `{}` succeeded", other.name()),
    };
    Some(because(Grade::Failed, format!("{what}: {}", fate(recording))))
}

fn nothing(totals: &RunTotals) -> Verdict {
    let counters = &totals.total.counters;
    let invalid = |cause: String| because(Grade::Invalid, cause);
    match (counters.planned, counters.sent) {
        (0, _) => invalid("no request was planned before the run ended".to_owned()),
        (planned, 0) => invalid(format!("not one of {} was sent", counted(planned, "request"))),
        (_, sent) if sent == counters.aborted => {
            invalid(format!("the run ended before one of {} was answered", counted(sent, "request")))
        }
        _ => {
            let sells = totals.endpoints.contains_key(&Endpoint::Order);
            let what = if sells { "nothing was sold" } else { "nothing succeeded" };
            because(Grade::Failed, format!("{what}: {}", fate(&totals.total)))
        }
    }
}

/// What became of requests of which none succeeded.
fn fate(recording: &Recording) -> String {
    let counters = &recording.counters;
    let ended = counters.done() - counters.aborted;
    let all = counted(ended, "request");
    let text = match (counters.refused, counters.failed, counters.timed_out) {
        (refused, 0, 0) if refused > 0 => format!("the system refused all {all}"),
        (0, failed, 0) if failed > 0 => format!("the system failed all {all}"),
        (0, 0, _) => format!("the system answered none of {all} in time"),
        (refused, failed, late) => {
            format!(
                "of all {all} the system refused {refused}, failed {failed} and left {late} without an answer"
            )
        }
    };
    let frequent = recording.kinds.iter().filter(|kind| !matches!(kind.ending, Ending::Ok | Ending::Aborted));
    match frequent.max_by_key(|kind| kind.count) {
        Some(kind) => format!("{text}, such as {}", example(kind)),
        None => text,
    }
}

fn example(kind: &Kind) -> String {
    let mut text = match (kind.status, &*kind.code) {
        (0, code) => code.to_owned(),
        (status, "") => status.to_string(),
        (status, code) => format!("{status} {code}"),
    };
    let said = kind.example.trim();
    if !said.is_empty() {
        text.push_str(": ");
        text.extend(said.chars().take(EXAMPLE_CHARS));
        text.extend(said.chars().nth(EXAMPLE_CHARS).map(|_| '…'));
    }
    text
}
