//! The report of a run: what it was asked, what it measured, what that is worth, what was verified.

use std::time::{Duration, SystemTime};

use crate::faults::annotation::Annotation;
use crate::profile::Profile;
use crate::result::{
    Checked, Core, CpuPerRequest, EndpointCore, Measures, StageCore, VERSION, per_second, rounded,
};
use crate::settings::Settings;
use crate::verdict;
use crate::verdict::slo::{Measured, Missed};
use crate::verdict::{Facts, Grade, Verdict};
use ordersys_command::{Exit, Failure};
use ordersys_loadgen::engine::{Cpu, Generated};
use ordersys_loadgen::measure::counters::Counters;
use ordersys_loadgen::measure::distribution::Quantile;
use ordersys_loadgen::measure::recording::Recording;
use ordersys_loadgen::measure::totals::RunTotals;
use ordersys_verify::Verification;

/// A finished run.
#[derive(Debug)]
pub struct Report {
    /// The command line that asked for it, without secrets.
    pub command: Option<String>,
    /// When requests began to count.
    pub began: SystemTime,
    /// The conditions.
    pub settings: Settings,
    /// What was measured.
    pub generated: Generated,
    /// What that is worth.
    pub verdict: Verdict,
    /// Whether the system kept its books.
    pub verification: Verification,
    /// Objectives that were missed, each with what was found.
    pub missed: Vec<Missed>,
    /// What was done to the system meanwhile, in order of time.
    pub marks: Vec<Annotation>,
}

impl Report {
    /// Judges what was generated and verified.
    #[must_use]
    pub fn new(
        profile: &Profile,
        settings: Settings,
        generated: Generated,
        marks: Vec<Annotation>,
        verification: Verification,
    ) -> Self {
        let facts = Facts {
            pace: &profile.pace,
            totals: &generated.totals,
            busiest_thread: generated.busiest_thread,
        };
        let verdict = verdict::judge(&facts);
        let (command, began, missed) = (None, SystemTime::UNIX_EPOCH, Vec::new());
        let mut report = Self { command, began, settings, generated, verdict, verification, missed, marks };
        report.missed = profile.objectives.iter().filter_map(|objective| objective.missed(&report)).collect();
        report
    }

    /// Where the requests went.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.generated.totals.total.counters
    }

    /// Why the run has to end with another exit code than 0; the gravest reason first.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        if let Some(finding) = self.verification.failure() {
            let what = format!(
                "{} does not hold ({}): {}",
                finding.check.id(),
                finding.check.statement(),
                finding.detail()
            );
            return Some(Failure::new(Exit::InvariantViolated, what));
        }
        if self.generated.interrupted {
            return Some(Failure::new(
                Exit::Interrupted,
                "the run was interrupted; its numbers are of the part before",
            ));
        }
        if self.verdict.grade == Grade::Failed {
            let cause = self.verdict.cause.as_deref().unwrap_or("nothing succeeded");
            return Some(Failure::new(Exit::Failed, cause).hint(
                "check the URLs and the flags of the workload; the logs of the services may say more",
            ));
        }
        if let Some(reason) = &self.verification.incomplete {
            return Some(Failure::new(Exit::Failed, format!("the run could not be verified: {reason}")));
        }
        if let Some((mark, error)) = self.marks.iter().find_map(|mark| Some((mark, mark.error.as_ref()?))) {
            return Some(Failure::new(Exit::Failed, format!("{} could not be done: {error}", mark.what)));
        }
        if self.verdict.grade == Grade::Invalid {
            let cause = self.verdict.cause.as_deref().unwrap_or("no cause known");
            return Some(
                Failure::new(Exit::InvalidRun, format!("the run is invalid: {cause}")).hint(
                    "give the generator more room: fewer requests, more connections, or another machine",
                ),
            );
        }
        self.missed.first().map(|missed| Failure::new(Exit::ObjectiveMissed, missed.to_string()))
    }

    /// The stable core of the report.
    #[must_use]
    pub fn core(&self) -> Core {
        let RunTotals { total, endpoints, .. } = &self.generated.totals;
        let elapsed = self.generated.elapsed;
        Core {
            version: VERSION,
            started_at: humantime::format_rfc3339_millis(self.began).to_string(),
            command: self.command.clone(),
            verdict: self.verdict.grade,
            cause: self.verdict.cause.clone(),
            still_good: self.verdict.still_good.clone(),
            settings: self.settings.clone(),
            measures: Measures::of(total, elapsed),
            endpoints: endpoints
                .iter()
                .map(|(endpoint, recording)| EndpointCore {
                    endpoint: endpoint.name().to_owned(),
                    measures: Measures::of(recording, elapsed),
                })
                .collect(),
            stages: self.stages().collect(),
            verification: self.verification.findings.iter().map(Checked::of).collect(),
            cpu_micros_per_request: self.cpu_per_request(),
        }
    }

    /// A quantile of the response time in milliseconds; 0 if no request had one.
    #[must_use]
    pub fn millis(&self, quantile: f64) -> f64 {
        self.response(quantile).map_or(0.0, Quantile::millis)
    }

    /// The stages that were reached, in their order.
    pub fn stages(&self) -> impl Iterator<Item = StageCore> {
        let Generated { totals, stages, elapsed, .. } = &self.generated;
        totals.stages.iter().zip(stages).map(|(recording, span)| {
            let lasts = span.lasts.min(elapsed.saturating_sub(span.start));
            StageCore {
                rate: span.rate.clone(),
                start_seconds: span.start.as_secs_f64(),
                seconds: lasts.as_secs_f64(),
                measures: Measures::of(recording, lasts),
            }
        })
    }

    /// Processor time per request on both sides: on one machine they compete.
    #[must_use]
    pub fn cpu_per_request(&self) -> CpuPerRequest {
        let Cpu { client, server } = self.generated.cpu;
        CpuPerRequest { client: self.per_request(client), server: self.per_request(server) }
    }

    /// Processor time per request that was sent, in microseconds.
    fn per_request(&self, used: Option<Duration>) -> Option<f64> {
        let sent = self.counters().sent;
        #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
        used.filter(|_| sent > 0).map(|used| rounded(used.as_secs_f64() * 1e6 / sent as f64))
    }
}

impl Report {
    fn measured(&self) -> SoFar<'_> {
        SoFar { total: &self.generated.totals.total, elapsed: self.generated.elapsed }
    }
}

impl Measured for Report {
    fn response(&self, quantile: f64) -> Option<Quantile> {
        self.measured().response(quantile)
    }

    fn error_share(&self) -> f64 {
        self.measured().error_share()
    }

    fn throughput(&self) -> f64 {
        self.measured().throughput()
    }
}

/// What was measured of a run so far, or of all of it.
#[derive(Debug, Clone, Copy)]
pub struct SoFar<'a> {
    /// What was recorded.
    pub total: &'a Recording,
    /// In this time.
    pub elapsed: Duration,
}

impl Measured for SoFar<'_> {
    fn response(&self, quantile: f64) -> Option<Quantile> {
        (!self.total.response.is_empty()).then(|| self.total.response.quantile(quantile))
    }

    /// A refusal for want of stock is a right answer.
    fn error_share(&self) -> f64 {
        let Recording { counters, kinds, .. } = self.total;
        let out_of_stock = kinds.iter().filter(|kind| &*kind.code == "insufficient-stock");
        let right = counters.ok + out_of_stock.map(|kind| kind.count).sum::<u64>();
        1.0 - verdict::share(right, counters.planned)
    }

    fn throughput(&self) -> f64 {
        per_second(self.total.finished, self.elapsed)
    }
}
