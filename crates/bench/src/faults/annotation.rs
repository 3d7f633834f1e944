//! What was done to the system while it was loaded, and how long it took to recover.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that happened at a known time of a run, such as a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Annotation {
    /// What was done, as it was asked for, e.g. `kill:product`.
    pub what: String,
    /// When it was done, in seconds after the warm-up.
    pub at_seconds: f64,
    /// When it was taken back, in seconds after the warm-up; `null` for what happens in an instant.
    pub until_seconds: Option<f64>,
    /// How long after it was over (done, or taken back) orders were taken again at 80 % of their earlier rate
    /// for half a second, in seconds; `null` if that was not seen while the run lasted.
    pub recovery_seconds: Option<f64>,
    /// Why it could not be done; `null` if it was.
    pub error: Option<String>,
}

impl Annotation {
    /// How the system came out of it, in a few words.
    #[must_use]
    pub fn outcome(&self) -> String {
        match (&self.error, self.recovery_seconds) {
            (Some(error), _) => format!("could not be done: {error}"),
            (None, Some(seconds)) => format!("recovered after {seconds:.3} s"),
            (None, None) => "no recovery was seen while the run lasted".to_owned(),
        }
    }
}
