//! What is done to a running container on purpose: killed, paused, cut off its network, restarted.

use std::time::Duration;

use bollard::exec::StartExecOptions;
use bollard::models::{ExecConfig, NetworkConnectRequest, NetworkDisconnectRequest};
use tokio::time::{Instant, sleep};

use crate::container::body::endpoint;
use crate::engine::Engine;
use crate::engine::error::{EngineError, EngineSaid, during};
use crate::labels::Names;
use crate::observe::{Condition, Container};
use crate::{container as containers, network, observe};

/// How long a killed container may take to be seen as ended.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// Pause between two looks whether it has.
const LOOK: Duration = Duration::from_millis(10);
/// Lines of a log that say why a service ended.
const LOG_LINES: usize = 20;

/// The containers of a project, one for each service.
#[derive(Debug)]
pub struct Containers {
    engine: Engine,
    names: Names,
}

/// How the order to end ends when it dies with its container, which may be noticed before the container's
/// own end is.
const KILLED: i64 = 137;

impl Containers {
    /// The containers of the project with these names.
    #[must_use]
    pub fn new(engine: Engine, names: Names) -> Self {
        Self { engine, names }
    }

    /// The container that serves; `None` if there is none.
    pub async fn find(&self, service: &str) -> Result<Option<Container>, EngineError> {
        let found = observe::containers(&self.engine, &self.names).await?;
        Ok(found.into_iter().find(|one| one.serves() && one.service == service))
    }

    /// Kills the service in its container, as a crash would; the engine starts the container again. A kill
    /// by the engine itself would count as a stop that is wanted, after which it stays down.
    pub async fn kill(&self, found: &Container) -> Result<(), EngineError> {
        if found.condition == Condition::Paused {
            self.resume(found).await?; // nothing can be run in a paused container
        }
        let before = self.process_of(&found.id).await?;
        let docker = &self.engine.docker;
        let command = ExecConfig {
            cmd: Some(["/ordersys", "crash-container"].map(str::to_owned).to_vec()),
            ..ExecConfig::default()
        };
        let what = || during(format!("kill the {} service in its container", found.service));
        let order = docker.create_exec(&found.id, command).await.map_err(what())?;
        let detached = Some(StartExecOptions { detach: true, ..StartExecOptions::default() });
        docker.start_exec(&order.id, detached).await.map_err(what())?;
        let deadline = Instant::now() + ENDS_WITHIN;
        while self.process_of(&found.id).await? == before {
            let done = docker.inspect_exec(&order.id).await.ok().and_then(|order| order.exit_code);
            let refused = done.filter(|code| ![0, KILLED].contains(code));
            if refused.is_some() || Instant::now() >= deadline {
                let said = match refused {
                    Some(code) => format!("the order to end gave exit code {code}"),
                    None => format!("it goes on {} s after it was killed", ENDS_WITHIN.as_secs()),
                };
                let what = format!("kill the {} service in its container", found.service);
                return Err(EngineError::Refused { what, status: 500, said: EngineSaid(said) });
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Freezes a container; one that is frozen stays so.
    pub async fn pause(&self, found: &Container) -> Result<(), EngineError> {
        if found.condition == Condition::Paused {
            return Ok(());
        }
        let what = during(format!("pause the container of {}", found.service));
        self.engine.docker.pause_container(&found.id).await.map_err(what)
    }

    /// Lets a container go on; one that is not paused does anyway.
    pub async fn resume(&self, found: &Container) -> Result<(), EngineError> {
        if found.condition != Condition::Paused {
            return Ok(());
        }
        containers::unpause(&self.engine, &found.id).await
    }

    /// Takes a container off its networks, and with that off the published ports.
    pub async fn cut(&self, found: &Container) -> Result<(), EngineError> {
        for network in &found.networks {
            let request = NetworkDisconnectRequest { container: found.id.clone(), force: None };
            let what = during(format!("take {} off the network", found.service));
            self.engine.docker.disconnect_network(network, request).await.map_err(what)?;
        }
        Ok(())
    }

    /// Puts a container back on the project's network, where others find it by these names.
    pub async fn heal(&self, found: &Container, aliases: Vec<String>) -> Result<(), EngineError> {
        let networks = network::list(&self.engine, &self.names).await?;
        let what = format!("put {} back on the network", found.service);
        let Some(network) = networks.first() else {
            let said = EngineSaid(format!("the network {} is gone", self.names.network()));
            return Err(EngineError::Refused { what, status: 404, said });
        };
        if found.networks.contains(network) {
            return Ok(());
        }
        let request = NetworkConnectRequest {
            container: found.id.clone(),
            endpoint_config: Some(endpoint(network, aliases)),
        };
        self.engine.docker.connect_network(network, request).await.map_err(during(what))
    }

    /// Stops a container with time to drain, and starts it again.
    pub async fn restart(&self, found: &Container) -> Result<(), EngineError> {
        self.stop(found).await?;
        self.start(found).await
    }

    /// Stops a container with time to drain.
    pub async fn stop(&self, found: &Container) -> Result<(), EngineError> {
        self.resume(found).await?; // else it cannot drain
        containers::stop(&self.engine, &found.id).await
    }

    /// Starts a container; one that runs stays so.
    pub async fn start(&self, found: &Container) -> Result<(), EngineError> {
        containers::start(&self.engine, &found.id, &found.service).await
    }

    /// How a service that was just started has ended, and what it logged last; `None` while it runs.
    pub async fn ended(&self, service: &str) -> Result<Option<(String, Vec<String>)>, EngineError> {
        let Some(found) = self.find(service).await? else { return Ok(None) };
        let how = match found.condition {
            Condition::Exited(how) | Condition::Restarting(how) => how,
            Condition::Dead => "its container is dead".to_owned(),
            _ if found.restarts > 0 => "and was started again".to_owned(), // a start counts from zero
            _ => return Ok(None),
        };
        Ok(Some((how, containers::last_log_lines(&self.engine, &found.id, LOG_LINES).await)))
    }

    /// The machine's id of the container's first process; `None` while none runs.
    async fn process_of(&self, id: &str) -> Result<Option<i64>, EngineError> {
        let found = observe::inspect(&self.engine, id).await?;
        Ok(found.and_then(|found| found.state?.pid).filter(|pid| *pid > 0))
    }
}
