//! The members of a result that never change their names.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::Settings;
use crate::verdict::Grade;
use ordersys_loadgen::measure::counters::Counters;
use ordersys_loadgen::measure::distribution::Quantiles;
use ordersys_loadgen::measure::recording::Recording;
use ordersys_verify::finding::{Finding, Standing, Witness};

/// The members of a result that never change their names. Times in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Core {
    /// The version of the members.
    pub version: u32,
    /// When requests began to count, in UTC (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub started_at: String,
    /// The command line that asked for the run, without secrets; `null` if it was no command.
    pub command: Option<String>,
    /// What the numbers are worth.
    pub verdict: Grade,
    /// Why not more.
    pub cause: Option<String>,
    /// What of a run with a cause still describes the system; `null` if there is nothing to tell apart.
    pub still_good: Option<String>,
    /// The conditions.
    pub settings: Settings,
    /// The figures of the whole run.
    #[serde(flatten)]
    pub measures: Measures,
    /// The figures of each endpoint.
    pub endpoints: Vec<EndpointCore>,
    /// The figures of each stage.
    pub stages: Vec<StageCore>,
    /// Whether the system kept its books.
    pub verification: Vec<Checked>,
    /// Processor time per request.
    pub cpu_micros_per_request: CpuPerRequest,
}

/// What was measured of one endpoint.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EndpointCore {
    /// Its name.
    pub endpoint: String,
    /// What was measured.
    #[serde(flatten)]
    pub measures: Measures,
}

/// What was measured in one stage.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageCore {
    /// The rate asked for, as it was written; none in a closed loop.
    pub rate: Option<String>,
    /// When it began, in seconds after the warm-up.
    pub start_seconds: f64,
    /// How long it was.
    pub seconds: f64,
    /// What was measured.
    #[serde(flatten)]
    pub measures: Measures,
}

/// The figures of a run or of a part of one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Measures {
    /// Where the requests went.
    pub totals: Totals,
    /// How long they took.
    pub latency: Latency,
}

impl Measures {
    /// The figures of what was recorded in that time.
    #[must_use]
    pub fn of(recording: &Recording, time: Duration) -> Self {
        let throughput = rounded(per_second(recording.finished, time));
        Self {
            totals: Totals { counters: recording.counters, retries: recording.retries, throughput },
            latency: Latency {
                response: recording.response.quantiles(),
                service: recording.service.quantiles(),
                connection_wait: recording.wait.quantiles(),
                generator_lag: recording.lag.quantiles(),
            },
        }
    }
}

/// Where the requests went, and how many a second were answered well. All but `throughput` are counts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Where the requests went.
    #[serde(flatten)]
    pub counters: Counters,
    /// Tries beyond the first of each request; part of no sum.
    pub retries: u64,
    /// Right answers per second.
    pub throughput: f64,
}

/// The four times of requests, in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// From the plan to the answer.
    pub response: Quantiles,
    /// From sending to the answer.
    pub service: Quantiles,
    /// From waking to sending.
    pub connection_wait: Quantiles,
    /// From the plan to waking.
    pub generator_lag: Quantiles,
}

/// Processor time per request, in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct CpuPerRequest {
    /// Of the generator, where the system tells.
    pub client: Option<f64>,
    /// Of the services, where their processes are known.
    pub server: Option<f64>,
}

/// Something that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// Which check, e.g. `V1`.
    pub id: String,
    /// `PASS`, `FAIL` or `SKIP`.
    pub result: String,
    /// The first case against it.
    pub witness: Option<Witness>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Checked {
    /// A finding of the verification.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        let (witness, reason) = match &finding.standing {
            Standing::Pass => (None, None),
            Standing::Fail(witness) => (Some((**witness).clone()), None),
            Standing::Skip(reason) => (None, Some(reason.clone())),
        };
        let (id, result) = (finding.check.id().to_owned(), finding.word().to_owned());
        Self { id, result, witness, reason }
    }

    /// The witness or the reason; empty if it holds.
    #[must_use]
    pub fn detail(&self) -> String {
        let witness = self.witness.as_ref().map(ToString::to_string);
        witness.or_else(|| self.reason.clone()).unwrap_or_default()
    }
}

/// A count as a rate.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
pub fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

/// To three decimals.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
