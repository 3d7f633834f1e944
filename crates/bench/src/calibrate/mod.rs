//! What the generator can do on this machine, measured against a responder that does nothing.

mod child;
pub mod responder;

use std::time::Duration;

use ordersys_contract::Client;
use ordersys_contract::client::Endpoints;
use serde::Serialize;

use crate::calibrate::child::Child;
use crate::profile::{ExistingStock, Profile};
use crate::result::report::Report;
use crate::run::{self, Viewer};
use crate::saturate::Search;
use crate::settings::Environment;
use crate::verdict::Grade;
use crate::verdict::slo::Measured as _;
use ordersys_command::Events;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_workload::model::{Arrivals, LoadModel, StopCondition, Verification};

/// The share of the ceiling up to which a run measures the system rather than the generator.
pub const SAFE_SHARE: f64 = 0.7;
/// The open loop is first tried with this part of what the closed loop reached.
const FIRST_PART: f64 = 0.5;
/// How narrow the search for the open loop's ceiling ends.
const PRECISION: f64 = 0.05;
/// The version of the JSON.
const VERSION: u32 = 1;

/// The ceilings of the generator.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calibration {
    version: u32,
    /// As many requests as connections can send.
    pub closed: Ceiling,
    /// The highest rate that was kept on plan; `null` if none was.
    pub open: Option<Ceiling>,
    /// The highest rate that leaves the generator room.
    pub safe_rate: f64,
    /// Processors of this machine.
    pub cores: usize,
    /// Connections and generator threads.
    pub concurrency: u32,
    /// Generator threads.
    pub threads: u32,
    /// Debug or release.
    pub build: &'static str,
}

/// What one loop reached.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ceiling {
    /// Requests per second.
    pub throughput: f64,
    /// Median response in milliseconds.
    pub p50: f64,
    /// 99 % of responses are shorter, in milliseconds.
    pub p99: f64,
    /// What the numbers are worth.
    pub verdict: Grade,
    /// Processor time of the generator per request, in microseconds.
    pub client_cpu: Option<f64>,
    /// Processor time of the responder per request, in microseconds.
    pub responder_cpu: Option<f64>,
}

/// Measures both loops.
pub async fn calibrate(
    profile: &Profile,
    step: Duration,
    events: &Events,
    viewer: &mut dyn Viewer,
) -> Outcome<Calibration> {
    let responder = Child::start().await?;
    let url = || responder.url().to_owned();
    let client = Client::new(Endpoints { user: url(), product: url(), order: url(), ..Endpoints::default() });
    let environment =
        Environment { server_pids: responder.pid().into_iter().collect(), ..Environment::default() };
    let profile = Profile {
        stop_condition: StopCondition::For(step),
        verification: Verification::Off,
        existing: ExistingStock::Sold,
        objectives: Vec::new(),
        ..profile.clone()
    };
    let mut run = async |pace: LoadModel| {
        events.say(format!("measuring {pace}"));
        let profile = Profile { pace, ..profile.clone() };
        let report = run::run(&profile, &client, &environment, events, viewer).await?;
        match report.failure() {
            Some(failure) if failure.exit == Exit::Interrupted => Err(failure),
            _ => Ok(report),
        }
    };
    let closed = Ceiling::of(&run(LoadModel::ClosedLoop).await?);
    if closed.throughput <= 0.0 {
        return Err(Failure::new(Exit::Failed, "the responder answered nothing"));
    }
    let mut search = Search::new(closed.throughput * FIRST_PART, PRECISION);
    let mut open: Option<Ceiling> = None;
    while let Some((rate, _)) = search.next().asked() {
        let report = run(LoadModel::OpenLoop { rate, arrivals: Arrivals::Poisson }).await?;
        let kept = matches!(report.verdict.grade, Grade::Valid | Grade::Suspect);
        search.learn(rate, kept);
        if kept && search.interval().0 == Some(rate) {
            open = Some(Ceiling::of(&report));
        }
    }
    let lower = open.map_or(0.0, |open| open.throughput.min(closed.throughput));
    Ok(Calibration {
        version: VERSION,
        closed,
        open: open.filter(|_| search.interval().0.is_some()),
        safe_rate: (lower * SAFE_SHARE).floor(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        concurrency: profile.connections,
        threads: profile.threads,
        build: if cfg!(debug_assertions) { "debug" } else { "release" },
    })
}

impl Ceiling {
    fn of(report: &Report) -> Self {
        let cpu = report.cpu_per_request();
        Self {
            throughput: report.throughput(),
            p50: report.millis(0.5),
            p99: report.millis(0.99),
            verdict: report.verdict.grade,
            client_cpu: cpu.client,
            responder_cpu: cpu.server,
        }
    }
}
