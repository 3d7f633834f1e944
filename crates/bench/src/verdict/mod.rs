//! Whether a run measured the system: a pure judgement, with the cause.

pub mod slo;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ordersys_loadgen::conn::limits;
use ordersys_loadgen::measure::counters::Counters;
use ordersys_loadgen::measure::distribution::Distribution;
use ordersys_loadgen::measure::recording::Recording;
use ordersys_workload::model::LoadModel;

/// Lateness of the generator that no run has to explain, in nanoseconds.
const FREE_LAG: u64 = 1_000_000;
/// Lateness of the generator as a part of the median response that is still harmless.
const LAG_PART: u64 = 10;
/// Share of the plan that has to be sent.
const SENT_SHARE: f64 = 0.99;
/// A tick later than this shows that the thread waited for the processor, in nanoseconds.
const HICCUP: u64 = 20_000_000;
/// Later than this and nothing measured is worth much, in nanoseconds.
const STARVED: u64 = 200_000_000;
/// A thread this busy may be what limits a closed loop.
const BUSY_CLOSED: f64 = 0.9;
/// A thread this busy cannot keep a plan for sure.
const BUSY_OPEN: f64 = 0.7;

/// What the numbers of a run are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Grade {
    /// They describe the system.
    Valid,
    /// They describe the system at its limit: it could not follow the plan.
    Saturated,
    /// They may describe the generator as well.
    Suspect,
    /// They describe the generator.
    Invalid,
}

impl Grade {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Saturated => "SATURATED",
            Self::Suspect => "SUSPECT",
            Self::Invalid => "INVALID",
        }
    }
}

/// A grade with its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What the numbers are worth.
    pub grade: Grade,
    /// Why not more.
    pub cause: Option<String>,
}

/// What the verdict depends on.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// When requests left.
    pub pace: &'a LoadModel,
    /// What was measured.
    pub total: &'a Recording,
    /// How late the generator's own ticks came.
    pub hiccups: &'a Distribution,
    /// The busiest thread's share of a processor.
    pub busiest_thread: Option<f64>,
}

/// Judges a run.
#[must_use]
pub fn judge(facts: &Facts<'_>) -> Verdict {
    let counters = &facts.total.counters;
    let pace_verdict = match facts.pace {
        LoadModel::ClosedLoop => None,
        LoadModel::OpenLoop { .. } | LoadModel::Ramping { .. } => {
            lagging(facts.total).or_else(|| not_sent(facts.total))
        }
    };
    limited(facts.total)
        .or_else(|| nothing_answered(counters))
        .or_else(|| starved(facts.hiccups, STARVED, Grade::Invalid))
        .or(pace_verdict)
        .or_else(|| starved(facts.hiccups, HICCUP, Grade::Suspect))
        .or_else(|| stood_still(facts.hiccups))
        .or_else(|| busy(facts))
        .unwrap_or(Verdict { grade: Grade::Valid, cause: None })
}

fn because(grade: Grade, cause: String) -> Verdict {
    Verdict { grade, cause: Some(cause) }
}

fn limited(total: &Recording) -> Option<Verdict> {
    let met = total.kinds.iter().find(|kind| &*kind.code == limits::REACHED)?;
    let cause = format!("the generator's machine refused {} connections: {}", met.count, met.example);
    Some(because(Grade::Invalid, cause))
}

fn nothing_answered(counters: &Counters) -> Option<Verdict> {
    let answered = counters.ok + counters.refused;
    if answered > 0 {
        return None;
    }
    Some(because(Grade::Invalid, format!("not one of {} requests was answered", counters.planned)))
}

fn lagging(total: &Recording) -> Option<Verdict> {
    let (lag, response) = (at(&total.lag, 0.99), at(&total.response, 0.5));
    let limit = FREE_LAG.max(response / LAG_PART);
    if lag <= limit {
        return None;
    }
    Some(because(
        Grade::Invalid,
        format!("the generator was late: its lag has a p99 of {}, more than {}", show(lag), show(limit)),
    ))
}

fn not_sent(total: &Recording) -> Option<Verdict> {
    let counters = &total.counters;
    let (wait, service) = (at(&total.wait, 0.5), at(&total.service, 0.5));
    let waited = wait > service.max(FREE_LAG);
    let sent = share(counters.sent, counters.planned);
    if sent < SENT_SHARE && at(&total.wait, 0.99) <= FREE_LAG {
        let cause = format!("{:.1} % of the plan was sent though connections were free", sent * 100.0);
        return Some(because(Grade::Invalid, cause));
    }
    if sent < SENT_SHARE || counters.skipped > 0 || waited {
        let cause = format!(
            "the system could not follow: {:.1} % of the plan was sent, half of that waited {} or more for a connection",
            sent * 100.0,
            show(wait)
        );
        return Some(because(Grade::Saturated, cause));
    }
    None
}

fn starved(hiccups: &Distribution, limit: u64, grade: Grade) -> Option<Verdict> {
    let late = at(hiccups, 0.99);
    if late <= limit {
        return None;
    }
    Some(because(
        grade,
        format!(
            "generator threads had to wait for a processor: 1 % of their ticks came {} late or later",
            show(late)
        ),
    ))
}

/// Too short to move the 99th percentile, but not the largest times.
fn stood_still(hiccups: &Distribution) -> Option<Verdict> {
    let longest = at(hiccups, 1.0);
    let cause =
        || format!("the generator stood still for {} once: the largest times are its own", show(longest));
    (longest > STARVED).then(|| because(Grade::Suspect, cause()))
}

fn busy(facts: &Facts<'_>) -> Option<Verdict> {
    let limit = match facts.pace {
        LoadModel::ClosedLoop => BUSY_CLOSED,
        LoadModel::OpenLoop { .. } | LoadModel::Ramping { .. } => BUSY_OPEN,
    };
    let busiest = facts.busiest_thread.filter(|busiest| *busiest > limit)?;
    Some(because(
        Grade::Suspect,
        format!("a generator thread was busy {:.0} % of the time and may be the limit", busiest * 100.0),
    ))
}

fn at(distribution: &Distribution, quantile: f64) -> u64 {
    distribution.quantile(quantile).nanos
}

fn show(nanos: u64) -> String {
    format!("{:.1} ms", Duration::from_nanos(nanos).as_secs_f64() * 1e3)
}

/// `part` of `whole`, 1 if there is nothing.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share for people")]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests;
