//! `status`: what runs, where it answers, and how it is doing.

use std::time::Duration;

use futures_util::future::join_all;
use ordersys_contract::Timestamp;
use ordersys_contract::client::Endpoints;
use ordersys_contract::health::{BreakerState, Peer, Readiness, Ready};
use serde::Serialize;

use super::docker::{self, Lookup};
use super::observed::{Condition, Observed, ObservedService, Standing};
use super::process::probe::Probe;
use super::program::Program;
use super::project::Project;
use super::record::{RuntimeKind, StackRecord, Topology};
use super::role::Role;
use super::runtime::Runtime;
use super::select::{Chosen, RuntimeChoice, select};
use super::spec::ServiceName;
use super::up_error::UpError;
use crate::cli::{Exit, Failure, Outcome};
use crate::ui::Table;

/// How long a service may take to say that it is ready.
const ASK_LIMIT: Duration = Duration::from_secs(1);

/// The state of a stack; stable, scripts read it.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    version: u32,
    project: String,
    /// Where it runs.
    pub runtime: RuntimeKind,
    /// How it is spread.
    pub topology: Topology,
    /// Its roles, each with what plays it.
    pub services: Vec<ServiceStatus>,
}

/// The state of one role.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Which.
    pub name: Role,
    /// How it is doing.
    pub state: State,
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
    fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Unready => "unready",
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
    let record = StackRecord::load(project)?;
    let program = Program::find(None, project)?;
    let bind = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let runtime = match select(RuntimeChoice::Auto, engine, project).await?.chosen {
        Chosen::Docker(engine) => Runtime::docker(*engine, project, program, bind).await?,
        Chosen::Process => Runtime::process(project, program, bind),
    };
    let mut observed = runtime.observe().await.map_err(UpError::into_failure)?;
    if observed.services.is_empty() {
        let what = format!("no stack of project `{}` is running", project.name);
        return Err(Failure::new(Exit::NotFound, what).hint("start one with `ordersys up`"));
    }
    runtime.add_memory(&mut observed).await;
    let record = record.unwrap_or_else(|| guess(&runtime, &observed));
    Ok(report(project, &record, &observed).await)
}

/// What a record would say if the `up` that made these services had come to its end.
fn guess(runtime: &Runtime, observed: &Observed) -> StackRecord {
    let port = |role: Role| observed.services.iter().find_map(|service| service.ports.get(&role).copied());
    let url =
        |role: Role| port(role).map(|port| format!("http://{}:{port}", runtime.host())).unwrap_or_default();
    let monolith = observed.services.iter().any(|service| service.service == ServiceName::All.name());
    StackRecord {
        runtime: runtime.kind(),
        topology: if monolith { Topology::Monolith } else { Topology::Services },
        endpoints: Endpoints { user: url(Role::User), product: url(Role::Product), order: url(Role::Order) },
        services: Vec::new(),
        program: None,
    }
}

/// The report of a stack: asks each role whether it is ready.
pub(super) async fn report(project: &Project, record: &StackRecord, observed: &Observed) -> StatusReport {
    let services = join_all(Role::ALL.map(|role| role_status(role, record, observed))).await;
    StatusReport {
        version: 1,
        project: project.name.to_string(),
        runtime: record.runtime,
        topology: record.topology,
        services,
    }
}

async fn role_status(role: Role, record: &StackRecord, observed: &Observed) -> ServiceStatus {
    let url = match role {
        Role::User => record.endpoints.user.clone(),
        Role::Product => record.endpoints.product.clone(),
        Role::Order => record.endpoints.order.clone(),
    };
    let plays = |service: &&ObservedService| {
        let name = ServiceName::named(&service.service);
        service.standing == Standing::Current && name.is_some_and(|name| name.roles().contains(&role))
    };
    let player = observed.services.iter().find(plays);
    let facts = player.map(|service| service.facts.clone()).unwrap_or_default();
    let on_docker = record.runtime == RuntimeKind::Docker;
    let Said { state, degraded, warnings } = state(player, &url).await;
    let local_pids = match player {
        Some(player) if on_docker => docker::processes_in(&player.id),
        _ => facts.pid.into_iter().collect(),
    };
    ServiceStatus {
        name: role,
        state,
        degraded,
        warnings,
        url,
        container_id: player.filter(|_| on_docker).map(|service| service.id.clone()),
        pid: facts.pid.filter(|_| !on_docker),
        local_pids,
        restarts: facts.restarts,
        since: facts.since,
        version: facts.version,
        memory_bytes: facts.memory_bytes,
    }
}

/// How a role is doing, and what it says of that.
struct Said {
    state: State,
    degraded: Vec<Peer>,
    warnings: Vec<String>,
}

impl From<State> for Said {
    fn from(state: State) -> Self {
        Self { state, degraded: Vec::new(), warnings: Vec::new() }
    }
}

async fn state(player: Option<&ObservedService>, url: &str) -> Said {
    let state = match player.map(|service| &service.condition) {
        None => State::Missing,
        Some(Condition::Paused) => State::Paused,
        Some(Condition::Cut) => State::Cut,
        Some(Condition::Restarting(_)) => State::Restarting,
        Some(Condition::Created | Condition::Exited(_) | Condition::Dead) => State::Stopped,
        Some(Condition::Running | Condition::Unwatched) => return asked(url).await,
    };
    state.into()
}

/// What a running service says of itself.
async fn asked(url: &str) -> Said {
    let body = match format!("{url}/readyz").parse::<Probe>() {
        Ok(probe) => probe.body(ASK_LIMIT).await,
        Err(_) => None,
    };
    let said = body.and_then(|body| serde_json::from_slice::<Readiness>(&body).ok());
    match said {
        Some(Readiness { status: Ready::Ready, degraded: true, mut peers, warnings, .. }) => {
            peers.retain(|peer| peer.breaker != BreakerState::Closed);
            Said { state: State::Degraded, degraded: peers, warnings }
        }
        Some(Readiness { status: Ready::Ready, .. }) => State::Ready.into(),
        Some(_) | None => State::Unready.into(),
    }
}

impl StatusReport {
    /// As a table to read.
    #[must_use]
    pub fn table(&self) -> String {
        let place = match self.runtime {
            RuntimeKind::Docker => "CONTAINER",
            RuntimeKind::Process => "PID",
        };
        let mut table =
            Table::new(["SERVICE", "STATE", "URL", place, "RESTARTS", "SINCE", "VERSION", "MEMORY"])
                .right(&[4, 7]);
        for service in &self.services {
            let dash = || "-".to_owned();
            let container = service.container_id.as_ref().map(|id| id.get(..12).unwrap_or(id).to_owned());
            table.row([
                service.name.to_string(),
                service.state.name().to_owned(),
                service.url.clone(),
                container.or(service.pid.map(|pid| pid.to_string())).unwrap_or_else(dash),
                service.restarts.to_string(),
                service.since.map_or_else(dash, |since| since.to_string()),
                service.version.clone().unwrap_or_else(dash),
                service
                    .memory_bytes
                    .map_or_else(dash, |bytes| format!("{} MiB", bytes.div_ceil(1024 * 1024))),
            ]);
        }
        let mut text = table.to_string();
        for service in &self.services {
            let peers = service.degraded.iter().map(Peer::sentence);
            for sentence in peers.chain(service.warnings.iter().cloned()) {
                text = format!("{}\n\n{} is degraded: {sentence}", text.trim_end(), service.name);
            }
        }
        text
    }
}
