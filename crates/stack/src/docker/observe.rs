//! What an engine has of a project, told in the orchestrator's words.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use ordersys_engine::container::memory;
use ordersys_engine::labels::Names;
use ordersys_engine::observe;
use ordersys_engine::observe::Container;
use ordersys_engine::{Engine, EngineError, teardown};

use crate::model::observed::{Condition, Facts, ObservedService, Standing};
use crate::model::project::ProjectName;
use crate::model::spec::ServiceName;

/// The containers of the project, whatever their state.
pub(crate) async fn services(engine: &Engine, names: &Names) -> Result<Vec<ObservedService>, EngineError> {
    Ok(observe::containers(engine, names).await?.into_iter().map(told).collect())
}

fn told(found: Container) -> ObservedService {
    let serves = found.serves() && ServiceName::named(&found.service).is_some();
    ObservedService {
        id: found.id,
        service: found.service,
        standing: if serves { Standing::Current } else { Standing::SetAside },
        condition: found.condition.into(),
        spec_hash: found.spec_hash,
        spec: None,
        artefact: found.image_hash,
        networks: found.networks,
        ports: found.ports,
        facts: Facts {
            pid: found.pid,
            since: found.since,
            restarts: found.restarts,
            version: found.version,
            memory_bytes: None,
        },
    }
}

impl From<observe::Condition> for Condition {
    fn from(condition: observe::Condition) -> Self {
        match condition {
            observe::Condition::Created => Self::Created,
            observe::Condition::Running => Self::Running,
            observe::Condition::Paused => Self::Paused,
            observe::Condition::Cut => Self::Cut,
            observe::Condition::Restarting(how) => Self::Restarting(how),
            observe::Condition::Exited(how) => Self::Exited(how),
            observe::Condition::Dead => Self::Dead,
        }
    }
}

/// Adds the memory of each running container; where neither the kernel nor the engine
/// reports it, it stays unknown.
pub(crate) async fn add_memory(engine: &Engine, services: &mut [ObservedService]) {
    let amounts = join_all(services.iter().map(|service| async {
        match service.condition {
            Condition::Running => memory::of(engine, &service.id, service.facts.pid).await,
            _ => None,
        }
    }))
    .await;
    for (service, amount) in services.iter_mut().zip(amounts) {
        service.facts.memory_bytes = amount;
    }
}

/// Adds the memory of each running container that is this machine's: what costs nothing to know.
pub(crate) fn add_known_memory(services: &mut [ObservedService]) {
    for service in services.iter_mut().filter(|service| service.condition == Condition::Running) {
        service.facts.memory_bytes = memory::known(&service.id, service.facts.pid);
    }
}

/// Every project that has anything in the engine.
pub(crate) async fn projects_of(engine: &Engine) -> Result<BTreeSet<ProjectName>, EngineError> {
    Ok(teardown::projects_of(engine).await?.into_iter().filter_map(|name| name.parse().ok()).collect())
}

/// Whether the service of a container may call others, which therefore have to outlive it.
pub(crate) fn needs_others(container: &Container) -> bool {
    match ServiceName::named(&container.service) {
        Some(name) => name.roles().iter().any(|role| !role.needs().is_empty()),
        None => true,
    }
}
