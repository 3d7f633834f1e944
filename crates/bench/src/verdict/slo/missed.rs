//! An objective that was missed, for people and for scripts.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An objective that was missed: the run did not show that it is met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Missed {
    /// What is bounded: a quantile of the response time such as `p99.9`, `max`, `errors` or `throughput`.
    pub metric: String,
    /// The limit, in `unit`.
    pub limit: f64,
    /// What was found, in `unit`; `null` if that is not known.
    pub value: Option<f64>,
    /// `milliseconds`, `share` (of 1) or `perSecond`.
    pub unit: Unit,
    /// The objective as it is written in `--slo`.
    pub objective: String,
    /// The same in words.
    pub statement: String,
}

/// The unit of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Of response times.
    Milliseconds,
    /// Of errors: a part of 1.
    Share,
    /// Of throughput.
    PerSecond,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.statement)
    }
}
