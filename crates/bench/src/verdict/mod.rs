//! Whether a run measured the system: a pure judgement, with the cause.

mod nothing;
pub mod slo;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ordersys_loadgen::conn::limits;
use ordersys_loadgen::measure::distribution::Distribution;
use ordersys_loadgen::measure::recording::Recording;
use ordersys_loadgen::measure::totals::RunTotals;
use ordersys_workload::model::LoadModel;

/// Lateness of the generator that no run has to explain, in nanoseconds.
const FREE_LAG: u64 = 1_000_000;
/// Lateness of the generator at a quantile, as a part of the response time there, that is still harmless.
const LAG_PART: u64 = 10;
/// The quantiles that lateness of the generator may spoil; a run without the last of them is invalid.
const SPOILED: [(&str, f64); 5] = [("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];
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
    /// They describe the system at its limit: it could not keep up with the requested rate.
    Saturated,
    /// They may describe the generator as well.
    Suspect,
    /// They describe the generator.
    Invalid,
    /// They describe a system that did nothing of what it was asked.
    Failed,
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
            Self::Failed => "FAILED",
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
    /// What of a run with a cause still describes the system.
    pub still_good: Option<String>,
}

/// What the verdict depends on.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// When requests left.
    pub pace: &'a LoadModel,
    /// What was measured.
    pub totals: &'a RunTotals,
    /// The busiest thread's share of a processor.
    pub busiest_thread: Option<f64>,
}

/// Judges a run.
#[must_use]
pub fn judge(facts: &Facts<'_>) -> Verdict {
    let RunTotals { total, hiccups, .. } = facts.totals;
    let pace_verdict = match facts.pace {
        LoadModel::ClosedLoop => None,
        LoadModel::OpenLoop { .. } | LoadModel::Ramping { .. } => lagging(total).or_else(|| not_sent(total)),
    };
    limited(total)
        .or_else(|| nothing::succeeded(facts.totals))
        .or_else(|| starved(hiccups, STARVED, Grade::Invalid))
        .or(pace_verdict)
        .or_else(|| starved(hiccups, HICCUP, Grade::Suspect))
        .or_else(|| stood_still(hiccups))
        .or_else(|| busy(facts))
        .unwrap_or(Verdict { grade: Grade::Valid, cause: None, still_good: None })
}

fn because(grade: Grade, cause: String) -> Verdict {
    Verdict { grade, cause: Some(cause), still_good: None }
}

impl Verdict {
    fn still_good(self, what: &str) -> Self {
        Self { still_good: Some(what.to_owned()), ..self }
    }
}

fn limited(total: &Recording) -> Option<Verdict> {
    let met = total.kinds.iter().find(|kind| &*kind.code == limits::REACHED)?;
    let cause = format!("the generator's machine refused {} connections: {}", met.count, met.example);
    Some(because(Grade::Invalid, cause).still_good("the checks"))
}

/// Each quantile of the lag is judged by the quantile of the response time that it is a part of.
fn lagging(total: &Recording) -> Option<Verdict> {
    let limit = |quantile| FREE_LAG.max(at(&total.response, quantile) / LAG_PART);
    let spoiled = |quantile| at(&total.lag, quantile) > limit(quantile);
    if !spoiled(0.99) {
        return None;
    }
    let (lag, limit) = (show(at(&total.lag, 0.99)), show(limit(0.99)));
    let cause = format!("the generator was late: its lag has a p99 of {lag}, more than {limit}");
    let good: Vec<_> = SPOILED.iter().take_while(|(_, quantile)| !spoiled(*quantile)).collect();
    let good = match (good.first(), good.last()) {
        (Some((first, _)), Some((last, _))) if first != last => {
            format!("the response times from {first} to {last}, ")
        }
        (Some((first, _)), _) => format!("the {first} of the response time, "),
        _ => String::new(),
    };
    Some(because(Grade::Invalid, cause).still_good(&format!("{good}the counts and the checks")))
}

fn not_sent(total: &Recording) -> Option<Verdict> {
    let counters = &total.counters;
    let (wait, service) = (at(&total.wait, 0.5), at(&total.service, 0.5));
    let waited = wait > service.max(FREE_LAG);
    let sent = share(counters.sent, counters.planned);
    if sent < SENT_SHARE && at(&total.wait, 0.99) <= FREE_LAG {
        let cause = format!("{:.1} % of the plan was sent though connections were free", sent * 100.0);
        return Some(because(Grade::Invalid, cause).still_good("the checks"));
    }
    if sent < SENT_SHARE || counters.skipped > 0 || waited {
        let cause = format!(
            "with this many connections the system could not follow: {:.1} % of the plan was sent, half of that waited {} or more for a connection",
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
    let cause = format!(
        "generator threads had to wait for a processor: 1 % of their ticks came {} late or later",
        show(late)
    );
    Some(because(grade, cause).still_good("the counts and the checks; times may be longer than the system's"))
}

/// Too short to move the 99th percentile, but not the largest times.
fn stood_still(hiccups: &Distribution) -> Option<Verdict> {
    let longest = at(hiccups, 1.0);
    let cause =
        || format!("the generator stood still for {} once: the largest times are its own", show(longest));
    let good = "all but the largest times";
    (longest > STARVED).then(|| because(Grade::Suspect, cause()).still_good(good))
}

fn busy(facts: &Facts<'_>) -> Option<Verdict> {
    let limit = match facts.pace {
        LoadModel::ClosedLoop => BUSY_CLOSED,
        LoadModel::OpenLoop { .. } | LoadModel::Ramping { .. } => BUSY_OPEN,
    };
    let busiest = facts.busiest_thread.filter(|busiest| *busiest > limit)?;
    let cause =
        format!("a generator thread was busy {:.0} % of the time and may be the limit", busiest * 100.0);
    let good = "the counts and the checks; the system may be faster than measured";
    Some(because(Grade::Suspect, cause).still_good(good))
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
