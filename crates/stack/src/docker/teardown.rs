//! Takes a project down: everything with its label goes, and a last look proves it.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use crate::docker::engine::Engine;
use crate::docker::engine::error::EngineError;
use crate::docker::labels;
use crate::docker::labels::Names;
use crate::docker::{container as containers, image, network, observe, volumes};
use crate::model::observed::ObservedService;
use crate::model::project::ProjectName;
use crate::model::spec::ServiceName;

/// How often what is left is removed again: a killed `up` may have had a request under way.
const ROUNDS: usize = 3;

/// The way down of one project.
#[derive(Debug)]
pub(crate) struct ProjectSweep<'a> {
    engine: &'a Engine,
    names: Names,
}

impl<'a> ProjectSweep<'a> {
    pub(crate) fn new(engine: &'a Engine, project: ProjectName) -> Self {
        Self { engine, names: Names::of(project) }
    }

    /// Stops the project's containers, those that need others first, and removes them and the
    /// networks. Returns what was removed.
    pub(crate) async fn containers_and_networks(&self) -> Result<Vec<String>, EngineError> {
        let mut removed = BTreeSet::new();
        for _ in 0..ROUNDS {
            let services = observe::services(self.engine, &self.names).await?;
            let networks = network::list(self.engine, &self.names).await?;
            if services.is_empty() && networks.is_empty() {
                break;
            }
            let (first, last): (Vec<_>, Vec<_>) = services.iter().partition(|service| needs_others(service));
            for group in [first, last] {
                try_join_all(group.iter().map(|service| self.end(service))).await?;
                removed.extend(group.iter().map(|service| container_text(service)));
            }
            try_join_all(networks.iter().map(|id| network::remove(self.engine, id))).await?;
            removed.extend(networks.iter().map(|_| format!("network {}", self.names.network())));
        }
        Ok(removed.into_iter().collect())
    }

    /// Removes the project's volumes. Returns what was removed.
    pub(crate) async fn volumes(&self) -> Result<Vec<String>, EngineError> {
        let found = volumes::list(self.engine, &self.names).await?;
        try_join_all(found.iter().map(|name| volumes::delete(self.engine, name))).await?;
        Ok(found.into_iter().map(|name| format!("volume {name}")).collect())
    }

    /// What is left of the project besides its volumes.
    pub(crate) async fn left(&self) -> Result<Vec<String>, EngineError> {
        let services = observe::services(self.engine, &self.names).await?;
        let networks = network::list(self.engine, &self.names).await?;
        let networks = networks.into_iter().map(|id| format!("network {id}"));
        Ok(services.iter().map(container_text).chain(networks).collect())
    }

    /// The project's volumes that are left.
    pub(crate) async fn left_volumes(&self) -> Result<Vec<String>, EngineError> {
        let found = volumes::list(self.engine, &self.names).await?;
        Ok(found.into_iter().map(|name| format!("volume {name}")).collect())
    }

    async fn end(&self, service: &ObservedService) -> Result<(), EngineError> {
        containers::stop(self.engine, &service.id).await?;
        containers::remove(self.engine, &service.id).await
    }
}

/// Whether a service may call others, which therefore have to outlive it.
fn needs_others(service: &ObservedService) -> bool {
    match ServiceName::named(&service.service) {
        Some(name) => name.roles().iter().any(|role| !role.needs().is_empty()),
        None => true,
    }
}

fn container_text(service: &ObservedService) -> String {
    let id = service.id.get(..12).unwrap_or(&service.id);
    if service.service.is_empty() {
        format!("container {id}")
    } else {
        format!("service {} ({id})", service.service)
    }
}

/// Every project that has anything in the engine.
pub(crate) async fn projects_of(engine: &Engine) -> Result<BTreeSet<ProjectName>, EngineError> {
    let (containers, networks, volumes) = tokio::try_join!(
        observe::label_values(engine, labels::PROJECT),
        network::label_values(engine, labels::PROJECT),
        volumes::label_values(engine, labels::PROJECT),
    )?;
    let names = containers.into_iter().chain(networks).chain(volumes);
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// Removes every image of ours that no container uses.
pub(crate) async fn remove_unused_images(engine: &Engine) -> Result<(), EngineError> {
    image::prune(engine).await
}
