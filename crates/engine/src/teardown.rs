//! Takes a project down: everything with its label goes, and a last look proves it.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join_all;

use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::labels;
use crate::labels::Names;
use crate::observe::Container;
use crate::{container as containers, network, observe, volumes};

/// How often what is left is removed again: a killed `up` may have had a request under way.
const ROUNDS: usize = 3;

/// What a sweep did.
#[derive(Debug, Default)]
pub struct Swept {
    /// What went, in words.
    pub removed: BTreeSet<String>,
    /// What did not, and why.
    pub failed: Vec<EngineError>,
}

impl Swept {
    fn note(&mut self, what: String, gone: Result<(), EngineError>, failed: &mut Vec<EngineError>) {
        match gone {
            Ok(()) => {
                self.removed.insert(what);
            }
            Err(error) => failed.push(error),
        }
    }

    fn is_held(&self) -> bool {
        self.failed.iter().any(|error| matches!(error, EngineError::Held { .. }))
    }
}

/// The way down of one project.
#[derive(Debug)]
pub struct ProjectSweep<'a> {
    engine: &'a Engine,
    names: Names,
}

impl<'a> ProjectSweep<'a> {
    /// The way down of the project with these names.
    #[must_use]
    pub fn new(engine: &'a Engine, names: Names) -> Self {
        Self { engine, names }
    }

    /// Stops the project's containers, those that go first before the others, and removes them and the
    /// networks. What cannot be removed does not keep the rest.
    pub async fn containers_and_networks(
        &self,
        goes_first: impl Fn(&Container) -> bool,
    ) -> Result<Swept, EngineError> {
        let mut swept = Swept::default();
        for _ in 0..ROUNDS {
            let services = observe::containers(self.engine, &self.names).await?;
            let networks = network::list(self.engine, &self.names).await?;
            if services.is_empty() && networks.is_empty() {
                swept.failed.clear();
                break;
            }
            let mut failed = Vec::new();
            let (first, last): (Vec<_>, Vec<_>) = services.iter().partition(|service| goes_first(service));
            for group in [first, last] {
                let ended = join_all(group.iter().map(|service| self.end(service))).await;
                for (service, ended) in group.iter().zip(ended) {
                    swept.note(container_text(service), ended, &mut failed);
                }
            }
            for id in &networks {
                let gone = network::remove(self.engine, id).await;
                let what = format!("network {}", self.names.network());
                swept.note(what.clone(), self.or_held(gone, &what, ("network", id)).await, &mut failed);
            }
            swept.failed = failed;
            if swept.is_held() {
                break; // it stays so
            }
        }
        Ok(swept)
    }

    /// Removes the project's volumes. What cannot be removed does not keep the rest.
    pub async fn volumes(&self) -> Result<Swept, EngineError> {
        let mut swept = Swept::default();
        let mut failed = Vec::new();
        for name in volumes::list(self.engine, &self.names).await? {
            let what = format!("volume {name}");
            let gone = volumes::delete(self.engine, &name).await;
            let gone = self.or_held(gone, &what, ("volume", &name)).await;
            swept.note(what, gone, &mut failed);
        }
        Ok(Swept { failed, ..swept })
    }

    /// A refusal, with the containers that are its cause where some are.
    async fn or_held(
        &self,
        gone: Result<(), EngineError>,
        what: &str,
        (filter, value): (&str, &str),
    ) -> Result<(), EngineError> {
        let Err(refused @ EngineError::Refused { status: 403 | 409, .. }) = gone else { return gone };
        let filter = HashMap::from([(filter.to_owned(), vec![value.to_owned()])]);
        match observe::names_of(self.engine, &filter).await {
            Ok(holders) if !holders.is_empty() => Err(EngineError::Held { what: what.to_owned(), holders }),
            _ => Err(refused),
        }
    }

    /// What is left of the project besides its volumes.
    pub async fn left(&self) -> Result<Vec<String>, EngineError> {
        let services = observe::containers(self.engine, &self.names).await?;
        let networks = network::list(self.engine, &self.names).await?;
        let networks = networks.into_iter().map(|id| format!("network {id}"));
        Ok(services.iter().map(container_text).chain(networks).collect())
    }

    /// The project's volumes that are left.
    pub async fn left_volumes(&self) -> Result<Vec<String>, EngineError> {
        let found = volumes::list(self.engine, &self.names).await?;
        Ok(found.into_iter().map(|name| format!("volume {name}")).collect())
    }

    async fn end(&self, service: &Container) -> Result<(), EngineError> {
        containers::stop(self.engine, &service.id).await?;
        containers::remove(self.engine, &service.id).await
    }
}

fn container_text(service: &Container) -> String {
    let id = service.id.get(..12).unwrap_or(&service.id);
    if service.service.is_empty() {
        format!("container {id}")
    } else {
        format!("service {} ({id})", service.service)
    }
}

/// The name of every project that has anything in the engine.
pub async fn projects_of(engine: &Engine) -> Result<BTreeSet<String>, EngineError> {
    let (containers, networks, volumes) = tokio::try_join!(
        observe::label_values(engine, labels::PROJECT),
        network::label_values(engine, labels::PROJECT),
        volumes::label_values(engine, labels::PROJECT),
    )?;
    Ok(containers.into_iter().chain(networks).chain(volumes).collect())
}
