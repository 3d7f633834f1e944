//! One container: created, started, stopped, renamed, removed, its last words read.

pub(crate) mod body;
mod cgroup;
mod faults;
mod logs;
pub mod memory;

use std::time::Duration;

pub use crate::container::body::{ContainerSpec, DataVolume, Making, PublishedPort};
pub use crate::container::cgroup::processes_in;
pub use crate::container::faults::Containers;
pub use crate::container::logs::{ContainerLine, ContainerLog, Lines, Reading};

use bollard::query_parameters::{
    CreateContainerOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    RenameContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
};
use futures_util::StreamExt as _;

use crate::container::body::{STOP_GRACE, StartInterval, body};
use crate::engine::Engine;
use crate::engine::error::{EngineError, during, gone_is_fine, says_port_taken};

/// Limit of a stop call: the grace and what the engine needs around it.
const STOP_LIMIT: Duration = Duration::from_secs(40);

/// Most bytes of a log's end that are held.
const MAX_LAST_LOG: usize = 32 * 1024 * 1024;
/// How long the end of a log may take to come.
const LAST_LOG_LIMIT: Duration = Duration::from_secs(10);

/// Makes the container of a service and returns its id.
pub async fn create(
    engine: &Engine,
    making: Making<'_>,
    spec: &ContainerSpec,
) -> Result<String, EngineError> {
    let name = making.names.container(&spec.service);
    let body = body(making, spec, StartInterval::of(engine));
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    let what = during(format!("create the container {name}"));
    match engine.docker.create_container(Some(options), body).await.map_err(what) {
        Ok(made) => Ok(made.id),
        Err(error) if error.is_conflict() => {
            Err(EngineError::Foreign { kind: "container", name, project: making.names.project.clone() })
        }
        Err(error) => Err(error),
    }
}

/// Starts a container; one that runs is fine.
pub async fn start(engine: &Engine, id: &str, name: &str) -> Result<(), EngineError> {
    let what = during(format!("start the container {name}"));
    match engine.docker.start_container(id, None::<StartContainerOptions>).await.map_err(what) {
        Err(EngineError::Refused { said, .. }) if says_port_taken(&said.0) => {
            Err(EngineError::PortTaken { container: name.to_owned(), said })
        }
        other => other,
    }
}

/// Lets a paused container go on.
pub async fn unpause(engine: &Engine, id: &str) -> Result<(), EngineError> {
    engine.docker.unpause_container(id).await.map_err(during(format!("unpause the container {id}")))
}

/// Stops a container, with time to drain; one that is stopped or gone is fine.
pub async fn stop(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let docker = engine.docker.clone().with_timeout(STOP_LIMIT);
    let seconds = i32::try_from(STOP_GRACE.as_secs()).unwrap_or(i32::MAX);
    let options = StopContainerOptionsBuilder::new().t(seconds).build();
    gone_is_fine(
        docker.stop_container(id, Some(options)).await.map_err(during(format!("stop the container {id}"))),
    )
}

/// Gives a container another name.
pub async fn rename(engine: &Engine, id: &str, name: &str) -> Result<(), EngineError> {
    let options = RenameContainerOptionsBuilder::new().name(name).build();
    let what = during(format!("rename the container {id} to {name}"));
    engine.docker.rename_container(id, options).await.map_err(what)
}

/// Removes a container, running or not; one that is gone, or about to be, is fine.
pub async fn remove(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    let what = during(format!("remove the container {id}"));
    match gone_is_fine(engine.docker.remove_container(id, Some(options)).await.map_err(what)) {
        Err(error) if error.is_conflict() => Ok(()), // "removal is already in progress"; `down` looks again
        other => other,
    }
}

/// The last lines a container logged; none if they cannot be had.
pub async fn last_log_lines(engine: &Engine, id: &str, lines: usize) -> Vec<String> {
    let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&lines.to_string()).build();
    let mut frames = Box::pin(engine.docker.logs(id, Some(options)));
    let mut text = Vec::new();
    let read = async {
        while let Some(Ok(frame)) = frames.next().await {
            text.extend_from_slice(&frame.into_bytes()); // frames are not lines: a long line comes in several
            if text.len() > MAX_LAST_LOG {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(LAST_LOG_LIMIT, read).await; // what came until then is shown
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}
