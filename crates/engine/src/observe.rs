//! What the engine has of a project, found by label.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bollard::models::{
    ContainerInspectResponse, ContainerState, ContainerStateStatusEnum as Status, EndpointSettings,
    HostConfig,
};
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptionsBuilder, ListVolumesOptionsBuilder,
};
use futures_util::future::try_join_all;

use crate::engine::Engine;
use crate::engine::error::{EngineError, during};
use crate::labels;
use crate::labels::{Names, OWNER, Owner, STATE_DIR};
use ordersys_contract::{Role, Timestamp};

/// A container of the project.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// The service it was made for; empty for helpers.
    pub service: String,
    /// Whether it serves.
    pub(crate) standing: Standing,
    /// What it is doing.
    pub condition: Condition,
    /// The hash of the settings it was made with.
    pub spec_hash: String,
    /// The hash of the image it runs.
    pub image_hash: String,
    /// The networks it is on, by id.
    pub networks: Vec<String>,
    /// The ports it holds on the engine's machine.
    pub ports: BTreeMap<Role, u16>,
    /// The id of its first process, as the engine's machine counts.
    pub pid: Option<u32>,
    /// Since when it runs.
    pub since: Option<Timestamp>,
    /// How often it was restarted.
    pub restarts: u64,
    /// The version of the program that made it.
    pub version: Option<String>,
}

/// Whether a container is the one that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has the service's name.
    Current,
    /// A run set it aside to replace it, and was killed before it removed it; or it is a helper.
    SetAside,
}

/// What a container is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Made, never started.
    Created,
    /// Running.
    Running,
    /// Frozen.
    Paused,
    /// Running, and on no network.
    Cut,
    /// It ended and is about to be started again; how it ended.
    Restarting(String),
    /// It ended, and stays so; how.
    Exited(String),
    /// The engine cannot use it any more.
    Dead,
}

impl Container {
    /// Whether it serves as a service.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.standing == Standing::Current
    }
}

/// The containers of the project, whatever their state.
pub async fn containers(engine: &Engine, names: &Names) -> Result<Vec<Container>, EngineError> {
    let ids = ids(engine, &names.filter()).await?;
    let found = try_join_all(ids.iter().map(|id| inspect(engine, id))).await?;
    let mut services: Vec<_> = found.into_iter().flatten().map(|found| told(found, names)).collect();
    services.sort_by(|a, b| (&a.service, &a.id).cmp(&(&b.service, &b.id)));
    Ok(services)
}

/// The ids of containers with these labels.
pub(crate) async fn ids(
    engine: &Engine,
    filter: &HashMap<String, Vec<String>>,
) -> Result<Vec<String>, EngineError> {
    let options = ListContainersOptionsBuilder::new().all(true).filters(filter).build();
    let found = engine.docker.list_containers(Some(options)).await.map_err(during("list containers"))?;
    Ok(found.into_iter().filter_map(|container| container.id).collect())
}

/// The names of containers that a filter finds.
pub(crate) async fn names_of(
    engine: &Engine,
    filter: &HashMap<String, Vec<String>>,
) -> Result<Vec<String>, EngineError> {
    let options = ListContainersOptionsBuilder::new().all(true).filters(filter).build();
    let found = engine.docker.list_containers(Some(options)).await.map_err(during("list containers"))?;
    let first = found.into_iter().filter_map(|container| container.names?.into_iter().next());
    Ok(first.map(|name| name.trim_start_matches('/').to_owned()).collect())
}

/// The values a label has on containers.
pub(crate) async fn label_values(engine: &Engine, label: &str) -> Result<Vec<String>, EngineError> {
    let options = ListContainersOptionsBuilder::new().all(true).filters(&labels::label_filter(label)).build();
    let found = engine.docker.list_containers(Some(options)).await.map_err(during("list containers"))?;
    Ok(found.into_iter().filter_map(|container| container.labels?.remove(label)).collect())
}

/// The container that publishes a port, in words; `None` if there is none or the engine does not say.
pub async fn port_owner(engine: &Engine, port: u16) -> Option<String> {
    let filter = HashMap::from([("publish".to_owned(), vec![port.to_string()])]);
    let options = ListContainersOptionsBuilder::new().filters(&filter).build();
    let found = engine.docker.list_containers(Some(options)).await.ok()?;
    let container = found.into_iter().next()?;
    let names = container.names.unwrap_or_default();
    let name = names.first().map_or("without a name", |name| name.trim_start_matches('/'));
    let labels = container.labels.unwrap_or_default();
    let project = labels.get(labels::PROJECT).or_else(|| labels.get("com.docker.compose.project"));
    Some(match project {
        Some(project) => format!("container `{name}` (project {project})"),
        None => format!("container `{name}`"),
    })
}

/// One container; `None` when it is gone.
pub(crate) async fn inspect(
    engine: &Engine,
    id: &str,
) -> Result<Option<ContainerInspectResponse>, EngineError> {
    let found = engine.docker.inspect_container(id, None::<InspectContainerOptions>).await;
    match found.map_err(during(format!("look at the container {id}"))) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a container is doing, and how often it was restarted; `None` when it is gone.
pub async fn condition_of(engine: &Engine, id: &str) -> Result<Option<(Condition, u64)>, EngineError> {
    let found = inspect(engine, id).await?;
    Ok(found.map(|found| (condition(&found.state.unwrap_or_default()), restarts(found.restart_count))))
}

/// The state directories that the labels of the project's containers and volumes name; things of earlier versions
/// name none.
pub async fn owners(engine: &Engine, names: &Names) -> Result<BTreeSet<Owner>, EngineError> {
    let containers = ListContainersOptionsBuilder::new().all(true).filters(&names.filter()).build();
    let containers =
        engine.docker.list_containers(Some(containers)).await.map_err(during("list containers"))?;
    let volumes = ListVolumesOptionsBuilder::new().filters(&names.filter()).build();
    let volumes = engine.docker.list_volumes(Some(volumes)).await.map_err(during("list volumes"))?;
    let of_volumes = volumes.volumes.unwrap_or_default().into_iter().map(|volume| volume.labels);
    let labels = containers.into_iter().filter_map(|container| container.labels).chain(of_volumes);
    let owner = |mut labels: HashMap<String, String>| {
        Some(Owner { identity: labels.remove(OWNER)?, dir: labels.remove(STATE_DIR)? })
    };
    Ok(labels.filter_map(owner).collect())
}

fn told(found: ContainerInspectResponse, names: &Names) -> Container {
    let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
    let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
    let service = label(labels::SERVICE);
    let state = found.state.unwrap_or_default();
    let name = found.name.unwrap_or_default();
    let current = !service.is_empty() && name.trim_start_matches('/') == names.container(&service);
    let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
    let condition = match condition(&state) {
        Condition::Running if networks.is_empty() => Condition::Cut,
        other => other,
    };
    Container {
        id: found.id.unwrap_or_default(),
        standing: if current { Standing::Current } else { Standing::SetAside },
        condition,
        spec_hash: label(labels::SPEC_HASH),
        image_hash: label(labels::IMAGE_HASH),
        networks: on_networks(networks, &state, found.host_config.as_ref()),
        ports: ports(found.host_config.as_ref()),
        pid: state.pid.and_then(|pid| pid.try_into().ok()).filter(|pid| *pid > 0),
        since: state.started_at.filter(|_| state.running == Some(true)).and_then(|at| at.parse().ok()),
        restarts: restarts(found.restart_count),
        version: labels.get(labels::VERSION).cloned(),
        service,
    }
}

fn restarts(count: Option<i64>) -> u64 {
    count.and_then(|count| count.try_into().ok()).unwrap_or(0)
}

fn condition(state: &ContainerState) -> Condition {
    match state.status {
        Some(Status::CREATED) => Condition::Created,
        Some(Status::RUNNING) => Condition::Running,
        Some(Status::PAUSED) => Condition::Paused,
        Some(Status::RESTARTING) => Condition::Restarting(ending(state)),
        Some(Status::EXITED | Status::STOPPING) => Condition::Exited(ending(state)),
        Some(Status::REMOVING | Status::DEAD | Status::EMPTY) | None => Condition::Dead,
    }
}

/// How a container ended.
fn ending(state: &ContainerState) -> String {
    let code = state.exit_code.unwrap_or(-1);
    if state.oom_killed == Some(true) {
        format!("out of memory, exit code {code}")
    } else {
        format!("exit code {code}")
    }
}

/// Ids of the networks a container is on; one that never ran knows only what it was made with.
fn on_networks(
    networks: HashMap<String, EndpointSettings>,
    state: &ContainerState,
    host: Option<&HostConfig>,
) -> Vec<String> {
    let attached = networks.into_values().filter_map(|endpoint| endpoint.network_id);
    let mut ids: Vec<String> = attached.filter(|id| !id.is_empty()).collect();
    if state.status == Some(Status::CREATED) {
        ids.extend(host.and_then(|host| host.network_mode.clone()));
    }
    ids
}

fn ports(host: Option<&HostConfig>) -> BTreeMap<Role, u16> {
    let bindings = host.and_then(|host| host.port_bindings.as_ref());
    let published = |role: Role| {
        let binding = bindings?.get(&format!("{}/tcp", role.default_port()))?.as_ref()?.first()?;
        Some((role, binding.host_port.as_ref()?.parse().ok()?))
    };
    Role::ALL.into_iter().filter_map(published).collect()
}
