//! `status`: what runs, where it answers, and how it is doing.

use futures_util::future::join_all;
use ordersys_contract::Timestamp;
use ordersys_contract::client::Endpoints;
use ordersys_contract::health::Peer;
use serde::Serialize;

use crate::model::observed::{Observed, ObservedService, Standing};
use crate::model::program::Program;
use crate::model::project::Project;
use crate::model::record::{RuntimeKind, StackRecord, Topology};
use crate::model::spec::{MOST_REPLICAS, ServiceName};
use crate::ops::projects::none_runs;
use crate::runtime::Runtime;
use crate::up::error::UpError;
use crate::up::select::{Choice, Chosen, RuntimeChoice, select};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_contract::Role;
use ordersys_engine::Lookup;
use ordersys_engine::container::processes_in;

mod doing;

use crate::ops::status::doing::{Doing, doing};

/// The state of a stack; stable, scripts read it.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    version: u32,
    project: String,
    /// Where it runs.
    pub runtime: RuntimeKind,
    /// How it is spread.
    pub topology: Topology,
    /// Its roles, each with what plays it; a role that several play is there for each.
    pub services: Vec<ServiceStatus>,
    /// The command that mends what is wrong.
    #[serde(skip)]
    pub mend: String,
}

impl StatusReport {
    /// The ids of the containers or processes, each once.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let id =
            |service: &ServiceStatus| service.container_id.clone().or(service.pid.map(|pid| pid.to_string()));
        let mut ids: Vec<String> = self.services.iter().filter_map(id).collect();
        ids.dedup();
        ids
    }
}

/// The state of one role, or of one of the services that play it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Which.
    pub name: ServiceName,
    /// How it is doing.
    pub state: State,
    /// Why it is not ready, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it has to do without, if it is degraded: which service, since when and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<Peer>,
    /// What a person has to look at, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Where it answers.
    pub url: String,
    /// Its container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The processes of this machine that play it: its own, or those in its container.
    #[serde(skip)]
    pub local_pids: Vec<u32>,
    /// How often it was restarted.
    pub restarts: u64,
    /// Since when it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The version it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The memory its container or process uses, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

/// How a role is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It takes requests.
    Ready,
    /// It takes requests, but has to refuse some because another service fails.
    Degraded,
    /// It runs and does not take requests.
    Unready,
    /// It takes requests, and nothing would start it again: its supervisor is gone.
    Unwatched,
    /// It ended and is about to be started again.
    Restarting,
    /// It is paused.
    Paused,
    /// It runs, cut off the network on purpose.
    Cut,
    /// It does not run.
    Stopped,
    /// There is no container or process for it.
    Missing,
}

impl State {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Unready => "unready",
            Self::Unwatched => "unwatched",
            Self::Restarting => "restarting",
            Self::Paused => "paused",
            Self::Cut => "cut",
            Self::Stopped => "stopped",
            Self::Missing => "missing",
        }
    }
}

/// The state of the project's stack. Fails when there is none.
pub async fn status(engine: &Lookup, project: &Project) -> Outcome<StatusReport> {
    let record = StackRecord::readable(project);
    let program = Program::find(None, project)?;
    let bind = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let runtime = match select(Choice::Named(RuntimeChoice::Auto), engine, project).await?.chosen {
        Chosen::Docker(engine) => Runtime::docker(*engine, project, program, bind).await?,
        Chosen::Process => Runtime::process(project, program, bind),
    };
    let mut observed = runtime.observe().await.map_err(UpError::into_failure)?;
    if observed.services.is_empty() {
        return Err(nothing_runs(project, record.is_some()));
    }
    runtime.add_memory(&mut observed).await;
    let record = record.unwrap_or_else(|| guess(&runtime, &observed));
    Ok(report(project, &record, &observed).await)
}

fn nothing_runs(project: &Project, has_record: bool) -> Failure {
    let (name, up) = (&project.name, project.command("up"));
    if !has_record {
        return none_runs(project);
    }
    let what = format!("nothing of the stack of project `{name}` runs any more, and it was not taken down");
    Failure::new(Exit::NotFound, what).hint(format!("`{up}` starts it again, at its ports and with its data"))
}

/// What a record would say if the `up` that made these services had come to its end.
fn guess(runtime: &Runtime, observed: &Observed) -> StackRecord {
    let url = |(_, port): (_, u16)| format!("http://{}:{port}", runtime.host());
    let urls = |role: Role| observed.ports_of(role).into_iter().map(url).collect::<Vec<_>>();
    let endpoints = Role::ALL.into_iter().fold(Endpoints::default(), |all, role| all.with(role, &urls(role)));
    let monolith = observed.services.iter().any(|service| service.service == ServiceName::MONOLITH.name());
    StackRecord {
        runtime: runtime.kind(),
        topology: if monolith { Topology::Monolith } else { Topology::Services },
        endpoints,
        services: Vec::new(),
        program: None,
        failed: false,
        home: None,
    }
}

/// The report of a stack: asks each role whether it is ready.
pub(crate) async fn report(project: &Project, record: &StackRecord, observed: &Observed) -> StatusReport {
    let players = Role::ALL.into_iter().flat_map(|role| players(role, record));
    let services = join_all(players.map(|(name, url)| role_status(name, url, record, observed))).await;
    StatusReport {
        version: 1,
        project: project.name.to_string(),
        runtime: record.runtime,
        topology: record.topology,
        services,
        mend: project.command("up"),
    }
}

/// The services that play a role, and where each answers; a monolith counts as one that is named like the role.
fn players(role: Role, record: &StackRecord) -> impl Iterator<Item = (ServiceName, &str)> {
    let urls = record.endpoints.all(role);
    ServiceName::replicas(role, MOST_REPLICAS).zip(urls)
}

async fn role_status(
    name: ServiceName,
    url: &str,
    record: &StackRecord,
    observed: &Observed,
) -> ServiceStatus {
    let plays = |service: &&ObservedService| {
        let found = ServiceName::named(&service.service);
        let is_it = found.is_some_and(|found| found == name || found == ServiceName::MONOLITH);
        service.standing == Standing::Current && is_it
    };
    let player = observed.services.iter().find(plays);
    let facts = player.map(|service| service.facts.clone()).unwrap_or_default();
    let on_docker = record.runtime == RuntimeKind::Docker;
    let Doing { state, reason, degraded, warnings } = doing(player, url).await;
    let local_pids = match player {
        Some(player) if on_docker => processes_in(&player.id),
        _ => facts.pid.into_iter().collect(),
    };
    ServiceStatus {
        name,
        state,
        reason,
        degraded,
        warnings,
        url: url.to_owned(),
        container_id: player.filter(|_| on_docker).map(|service| service.id.clone()),
        pid: facts.pid.filter(|_| !on_docker),
        local_pids,
        restarts: facts.restarts,
        since: facts.since,
        version: facts.version,
        memory_bytes: facts.memory_bytes,
    }
}
