//! The result of a run: one document, which is printed, stored and read again: every rendering is made from it alone, so a
//! stored run can be shown again without the system it loaded.

mod core;
mod curve;
pub mod files;
pub mod interval_log;
pub mod report;
#[cfg(test)]
pub(crate) mod sample;

use std::path::Path;

use anyhow::Context as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::result::core::{
    Checked, Core, CpuPerRequest, EndpointCore, Latency, Measures, StageCore, Totals,
};
pub use crate::result::core::{per_second, rounded};
pub use crate::result::curve::{Curve, Point};

use crate::faults::annotation::Annotation;
use crate::result::report::Report;
use crate::verdict::slo::Missed;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_loadgen::measure::recording::Kind;
use ordersys_loadgen::measure::series::Series;

/// The version of the result's JSON: raised when a member changes its name or meaning.
pub const VERSION: u32 = 2;
/// The result's file in the directory of a run.
pub const FILE: &str = "result.json";
/// The largest stored result that is read, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A finished run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// The members that others build on.
    #[serde(flatten)]
    pub core: Core,
    /// The machine that generated the load.
    pub host: Host,
    /// How long requests counted, in seconds.
    pub elapsed_seconds: f64,
    /// Whether the run was given up by Ctrl-C.
    pub interrupted: bool,
    /// The exit code it ended with.
    pub exit_code: u8,
    /// The busiest generator thread's share of a processor, from 0 to 1.
    pub busiest_thread: Option<f64>,
    /// Objectives that were missed, each with what was found.
    pub missed_objectives: Vec<Missed>,
    /// How requests ended.
    pub outcomes: Vec<Answers>,
    /// Second by second.
    pub series: Series,
    /// What was done to the system meanwhile.
    pub marks: Vec<Annotation>,
    /// Whole distributions of times.
    pub curves: Vec<Curve>,
}

/// The machine that generated the load.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// The operating system.
    pub os: String,
    /// The processor's architecture.
    pub arch: String,
    /// The kernel's version.
    pub kernel: Option<String>,
    /// The machine's name.
    pub name: Option<String>,
}

/// How often requests ended in one way.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Answers {
    /// `ok`, `refused`, `failed`, `timed out` or `aborted`.
    pub ending: String,
    /// The HTTP status, 0 where none came.
    pub status: u16,
    /// The problem code or the kind of failure.
    pub code: String,
    /// How often.
    pub count: u64,
    /// One of them; empty for right answers.
    pub example: String,
}

impl RunResult {
    /// The result of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let generated = &report.generated;
        let mut kinds: Vec<&Kind> = generated.totals.total.kinds.iter().collect();
        kinds.sort_by_key(|kind| (kind.ending, std::cmp::Reverse(kind.count)));
        Self {
            core: report.core(),
            host: Host {
                os: std::env::consts::OS.to_owned(),
                arch: std::env::consts::ARCH.to_owned(),
                kernel: sysinfo::System::kernel_version().ok(),
                name: sysinfo::System::host_name().ok(),
            },
            elapsed_seconds: generated.elapsed.as_secs_f64(),
            interrupted: generated.interrupted,
            exit_code: report.failure().map_or(0, |failure| failure.exit as u8),
            busiest_thread: generated.busiest_thread,
            missed_objectives: report.missed.clone(),
            outcomes: kinds.into_iter().map(Answers::of).collect(),
            series: generated.series.clone(),
            marks: report.marks.clone(),
            curves: curve::all(&generated.totals),
        }
    }

    /// Reads the result in the directory of a run.
    pub fn read(dir: &Path) -> Outcome<Self> {
        let path = dir.join(FILE);
        let missing = |error: std::io::Error| {
            let error = anyhow::Error::new(error).context(format!("cannot read {}", path.display()));
            let hint = "name a directory that a run with --out wrote".to_owned();
            Failure { exit: Exit::NotFound, error, hint: Some(hint) }
        };
        let size = std::fs::metadata(&path).map_err(missing)?.len();
        if size > MAX_BYTES {
            let what = format!("{} has {size} bytes, more than a result has", path.display());
            return Err(Failure::new(Exit::Usage, what));
        }
        let bytes = std::fs::read(&path).map_err(missing)?;
        Self::parse(&bytes).map_err(|error| {
            let error = error.context(format!("{} is no stored result of this version", path.display()));
            let hint = format!(
                "results of version {VERSION} are read, which `ordersys bench schema` describes; run it again"
            );
            Failure { exit: Exit::Usage, error, hint: Some(hint) }
        })
    }

    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_slice(bytes)?;
        anyhow::ensure!(version == VERSION, "its version is {version}");
        serde_json::from_slice(bytes).context("a member is not as described")
    }

    /// The curve of all requests with this name.
    #[must_use]
    pub fn curve(&self, name: &str) -> Option<&Curve> {
        self.curves.iter().find(|curve| curve.endpoint.is_none() && curve.name == name)
    }
}

impl Answers {
    fn of(kind: &Kind) -> Self {
        Self {
            ending: kind.ending.word().to_owned(),
            status: kind.status,
            code: kind.code.to_string(),
            count: kind.count,
            example: kind.example.to_string(),
        }
    }
}

/// The JSON schema of [`FILE`].
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(RunResult)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_result_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().expect("a directory");
        let refusal = |content: &str| {
            std::fs::write(dir.path().join(FILE), content).expect("writes");
            let failure = RunResult::read(dir.path()).expect_err("no result");
            (failure.exit, failure.error.root_cause().to_string())
        };
        assert_eq!(refusal("{\"version\": 99}"), (Exit::Usage, "its version is 99".to_owned()));
        let (exit, cause) = refusal("{\"version\": 2}");
        assert!(exit == Exit::Usage && cause.contains("missing field"), "{cause}");
        assert_eq!(RunResult::read(&dir.path().join("none")).expect_err("nothing").exit, Exit::NotFound);
    }
}
