//! The highest rate at which a system meets its objectives, found by search and told as an interval.

mod search;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;

use crate::profile::Profile;
use crate::result::report::Report;
use crate::verdict::Grade;
use crate::verdict::slo::Measured as _;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_workload::model::{Arrivals, LoadModel, StopCondition};

pub use crate::saturate::search::{Next, Search};

/// How much longer than a step the confirming run is.
const CONFIRMING_TIMES: u32 = 2;
/// How often a rate is tried in a row when runs are invalid: they say nothing about the system.
const MOST_INVALID: usize = 3;
/// The version of the JSON.
const VERSION: u32 = 1;

/// What was found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Saturation {
    version: u32,
    /// The objectives.
    pub slo: Vec<String>,
    /// The highest rate that met all of them, in requests per second.
    pub met: Option<f64>,
    /// The lowest rate that did not.
    pub missed: Option<f64>,
    /// Whether a longer run at the highest rate met them again.
    pub confirmed: bool,
    /// What broke first above it.
    pub broke: Option<String>,
    /// Whether the search was given up by Ctrl-C.
    pub interrupted: bool,
    /// Why the generator could not go on with the search.
    pub invalid: Option<String>,
    /// Every run, in order.
    pub steps: Vec<Step>,
}

/// One run of the search.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Requests planned per second.
    pub rate: f64,
    /// Whether it is the confirming run.
    pub confirming: bool,
    /// Whether all objectives were met.
    pub met: bool,
    /// Why not.
    pub broke: Option<String>,
    /// What its numbers are worth.
    pub verdict: Grade,
    /// Right answers per second.
    pub throughput: f64,
    /// Median response in milliseconds.
    pub p50: f64,
    /// 99 % of responses are shorter, in milliseconds.
    pub p99: f64,
    /// 99.9 % of responses are shorter, in milliseconds.
    pub p999: f64,
    /// Share of planned requests without a right answer, from 0 to 1.
    pub errors: f64,
    /// `PASS`, or `SKIP` if nothing was checked.
    pub verification: &'static str,
}

/// How to search.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The first rate.
    pub from: f64,
    /// How long a run is.
    pub step: Duration,
    /// How far apart the ends of the interval may be, as a part of the lower.
    pub precision: f64,
    /// How requests are spread.
    pub arrivals: Arrivals,
}

/// Searches; `run` makes one run, and fails to end the search. What was found before Ctrl-C is kept.
pub async fn search<F>(plan: Plan, profile: &Profile, mut run: F) -> Outcome<Saturation>
where
    F: AsyncFnMut(Profile) -> Outcome<Report>,
{
    let (mut search, mut steps) = (Search::new(plan.from, plan.precision), Vec::new());
    let (mut interrupted, mut invalid) = (false, None);
    let mut invalid_runs = 0;
    while let Some((rate, confirming)) = search.next().asked() {
        match run(plan.profile(profile, rate, confirming))
            .await
            .and_then(|report| judge(&report, rate, confirming))
        {
            Ok(step) if step.verdict == Grade::Invalid => {
                invalid_runs += 1;
                invalid = step.broke.clone().filter(|_| invalid_runs == MOST_INVALID);
                steps.push(step);
                if invalid.is_some() {
                    break;
                }
            }
            Ok(step) => {
                invalid_runs = 0;
                search.learn(rate, step.met);
                steps.push(step);
            }
            Err(failure) if failure.exit == Exit::Interrupted => {
                interrupted = true;
                break;
            }
            Err(failure) => return Err(failure),
        }
    }
    let (met, missed) = search.interval();
    // Rates that are missed fall, so the last one is the lowest.
    let broken = steps.iter().rev().find(|step| !step.met && step.verdict != Grade::Invalid);
    Ok(Saturation {
        version: VERSION,
        slo: profile.objectives.iter().map(ToString::to_string).collect(),
        met,
        missed,
        confirmed: search.is_confirmed(),
        broke: broken.and_then(|step| step.broke.clone()),
        interrupted,
        invalid,
        steps,
    })
}

impl Plan {
    fn profile(&self, profile: &Profile, rate: f64, confirming: bool) -> Profile {
        let length = if confirming { self.step * CONFIRMING_TIMES } else { self.step };
        let pace = LoadModel::OpenLoop { rate, arrivals: self.arrivals };
        Profile { pace, stop_condition: StopCondition::For(length), ..profile.clone() }
    }
}

/// What a run says about its rate; a violated invariant or Ctrl-C ends the search. A rate at which nothing
/// succeeded is missed: a lower one may be met.
fn judge(report: &Report, rate: f64, confirming: bool) -> Outcome<Step> {
    let failed = report.verdict.grade == Grade::Failed;
    if let Some(failure) = report.failure()
        && !matches!(failure.exit, Exit::ObjectiveMissed | Exit::InvalidRun)
        && !(failed && failure.exit == Exit::Failed)
    {
        return Err(failure);
    }
    let cause = || report.verdict.cause.clone().unwrap_or_default();
    let missed = report.missed.first().map(ToString::to_string);
    let broke = match report.verdict.grade {
        Grade::Invalid | Grade::Failed => Some(cause()),
        Grade::Saturated => Some(missed.unwrap_or_else(cause)),
        Grade::Valid | Grade::Suspect => missed,
    };
    let passed = report.verification.findings.iter().any(|finding| finding.word() == "PASS");
    Ok(Step {
        rate,
        confirming,
        met: broke.is_none(),
        broke,
        verdict: report.verdict.grade,
        throughput: report.throughput(),
        p50: report.millis(0.5),
        p99: report.millis(0.99),
        p999: report.millis(0.999),
        errors: report.error_share(),
        verification: if passed { "PASS" } else { "SKIP" },
    })
}

impl Saturation {
    /// Why the search has to end with another exit code than 0.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        if self.interrupted {
            let what = "interrupted; what was found before is true, but the search was not finished";
            return Some(Failure::new(Exit::Interrupted, what));
        }
        if let Some(cause) = &self.invalid {
            let what =
                format!("the search could not go on: {MOST_INVALID} runs in a row were invalid: {cause}");
            return Some(
                Failure::new(Exit::InvalidRun, what)
                    .hint("`ordersys bench calibrate` shows what the generator can do on this machine"),
            );
        }
        if self.met.is_none() {
            let broke = self.broke.as_deref().unwrap_or("no rate was tried");
            return Some(Failure::new(Exit::ObjectiveMissed, format!("no rate met the objectives: {broke}")));
        }
        None
    }
}
