//! The project's network. Engines before version 23 make several networks of one name without a word,
//! so everything goes by id.

use bollard::models::{Network, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptionsBuilder;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::error::{EngineError, during, gone_is_fine};
use crate::labels;
use crate::labels::{Names, RunId};

/// How long `down` waits for containers to leave a network.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);
const LEAVE_STEP: Duration = Duration::from_millis(50);

/// The ids of the project's networks, oldest first.
pub async fn list(engine: &Engine, names: &Names) -> Result<Vec<String>, EngineError> {
    Ok(find(engine, names).await?.into_iter().filter_map(|network| network.id).collect())
}

/// The ids of the project's networks a run made.
pub(crate) async fn of_run(engine: &Engine, names: &Names, run: &RunId) -> Result<Vec<String>, EngineError> {
    let of_run = |network: &Network| {
        let labels = network.labels.as_ref();
        labels.and_then(|labels| labels.get(labels::RUN_ID)).map(String::as_str) == Some(run.text())
    };
    let found = find(engine, names).await?.into_iter();
    Ok(found.filter(of_run).filter_map(|network| network.id).collect())
}

/// The values a label has on networks.
pub(crate) async fn label_values(engine: &Engine, label: &str) -> Result<Vec<String>, EngineError> {
    let options = ListNetworksOptionsBuilder::new().filters(&labels::label_filter(label)).build();
    let found = engine.docker.list_networks(Some(options)).await.map_err(during("list networks"))?;
    Ok(found.into_iter().filter_map(|network| network.labels?.remove(label)).collect())
}

async fn find(engine: &Engine, names: &Names) -> Result<Vec<Network>, EngineError> {
    let options = ListNetworksOptionsBuilder::new().filters(&names.filter()).build();
    let mut found = engine.docker.list_networks(Some(options)).await.map_err(during("list networks"))?;
    found.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
    Ok(found)
}

/// Makes the project's network and returns the id to use: where another run made one at the same
/// moment, the older one, and this one is removed again.
pub async fn create(engine: &Engine, names: &Names, run: &RunId) -> Result<String, EngineError> {
    let name = names.network();
    let request = NetworkCreateRequest {
        name: name.clone(),
        driver: Some("bridge".to_owned()),
        labels: Some(names.labels(run)),
        ..NetworkCreateRequest::default()
    };
    let what = during(format!("create the network {name}"));
    let made = match engine.docker.create_network(request).await.map_err(what) {
        Ok(answer) => Some(answer.id),
        // Engines from 23 on: another client was faster, or owns it.
        Err(error) if error.is_conflict() => None,
        Err(error) => return Err(error),
    };
    let foreign =
        || EngineError::Foreign { kind: "network", name: name.clone(), project: names.project.clone() };
    let oldest = list(engine, names).await?.into_iter().next().ok_or_else(foreign)?;
    match made {
        Some(id) if id != oldest => remove(engine, &id).await?,
        _ => {}
    }
    Ok(oldest)
}

/// Removes a network as soon as its containers have left it.
pub async fn remove(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let deadline = tokio::time::Instant::now() + LEAVE_LIMIT;
    loop {
        let what = during(format!("remove the network {}", id.get(..12).unwrap_or(id)));
        let result = gone_is_fine(engine.docker.remove_network(id).await.map_err(what));
        match result {
            // 403: it has active endpoints; they leave a moment after their containers.
            Err(EngineError::Refused { status: 403 | 409, .. }) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(LEAVE_STEP).await;
            }
            other => return other,
        }
    }
}
