//! The two places a stack can run in, behind one set of verbs.

use anyhow::Context as _;

use crate::docker;
use crate::docker::DockerStack;
use crate::model::observed::Observed;
use crate::model::program::Program;
use crate::model::project::Project;
use crate::model::record::RuntimeKind;
use crate::model::spec::{Addressing, ServiceName, StackSpec, local_host};
use crate::plan::{DockerNames, Plan};
use crate::process::ProcessStack;
use crate::up::apply::{Look, Work};
use crate::up::error::UpError;
use ordersys_engine::Engine;
use std::net::IpAddr;

/// Where a stack runs, during one run of a command.
#[derive(Debug)]
pub(crate) struct Runtime {
    place: Place,
    /// How the machine that publishes the ports is written in URLs.
    host: String,
}

#[derive(Debug)]
enum Place {
    Docker(Box<DockerStack>),
    Process(Box<ProcessStack>),
}

impl Runtime {
    /// Containers of this engine, their ports bound to `bind`.
    pub(crate) async fn docker(
        engine: Engine,
        project: &Project,
        program: Program,
        bind: IpAddr,
    ) -> anyhow::Result<Self> {
        let host = match engine.remote_host() {
            Some(name) => resolve(name).await?,
            None => local_host(bind),
        };
        let stack = DockerStack::new(engine, project.clone(), program);
        Ok(Self { place: Place::Docker(Box::new(stack)), host })
    }

    /// Processes of this machine.
    pub(crate) fn process(project: &Project, program: Program, bind: IpAddr) -> Self {
        let stack = ProcessStack::new(project.clone(), program);
        Self { place: Place::Process(Box::new(stack)), host: local_host(bind) }
    }

    pub(crate) fn kind(&self) -> RuntimeKind {
        match self.place {
            Place::Docker(_) => RuntimeKind::Docker,
            Place::Process(_) => RuntimeKind::Process,
        }
    }

    /// The host in the services' URLs.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the ports are this machine's.
    pub(crate) fn is_local(&self) -> bool {
        match &self.place {
            Place::Docker(stack) => stack.engine.remote_host().is_none(),
            Place::Process(_) => true,
        }
    }

    /// How services find each other.
    pub(crate) fn addressing(&self) -> Addressing {
        match self.place {
            Place::Docker(_) => Addressing::Network,
            Place::Process(_) => Addressing::Host,
        }
    }

    /// What the services run.
    pub(crate) fn program(&self) -> &Program {
        match &self.place {
            Place::Docker(stack) => stack.program(),
            Place::Process(stack) => stack.program(),
        }
    }

    /// The hash a running service's program is compared by.
    pub(crate) fn artefact(&self) -> &str {
        match &self.place {
            Place::Docker(stack) => stack.artefact(),
            Place::Process(stack) => stack.artefact(),
        }
    }

    /// What the services need around them, if anything.
    pub(crate) fn docker_names(&self, stack: &StackSpec) -> Option<DockerNames> {
        match &self.place {
            Place::Docker(docker) => Some(docker.names(stack)),
            Place::Process(_) => None,
        }
    }

    /// What is there.
    pub(crate) async fn observe(&self) -> Result<Observed, UpError> {
        match &self.place {
            Place::Docker(stack) => Ok(stack.observe().await?),
            Place::Process(stack) => Ok(stack.observe()?),
        }
    }

    /// Fails if the data there is may be another state directory's.
    pub(super) async fn check_data(&self) -> Result<(), UpError> {
        match &self.place {
            Place::Docker(stack) => Ok(stack.check_volumes().await?),
            Place::Process(_) => Ok(()), // it is in the state directory
        }
    }

    /// Adds the memory that is known without asking an engine.
    pub(crate) fn add_known_memory(&self, observed: &mut Observed) {
        match &self.place {
            Place::Docker(_) => docker::add_known_memory(&mut observed.services),
            Place::Process(_) => {} // it comes with the rest
        }
    }

    /// Adds what `status` shows and only some engines tell at a cost.
    pub(crate) async fn add_memory(&self, observed: &mut Observed) {
        match &self.place {
            Place::Docker(stack) => stack.add_memory(observed).await,
            Place::Process(_) => {} // it comes with the rest
        }
    }

    /// Makes everything a plan asks for.
    pub(crate) async fn prepare(&self, work: &Work<'_>) -> Result<(), UpError> {
        match &self.place {
            Place::Docker(stack) => stack.prepare(work).await,
            Place::Process(stack) => stack.prepare(work).await,
        }
    }

    /// Starts a service, as the plan says.
    pub(crate) async fn start(&self, service: ServiceName) -> Result<(), UpError> {
        match &self.place {
            Place::Docker(stack) => Ok(stack.start(service).await?),
            Place::Process(_) => Ok(()), // the supervisor has the list and starts in order
        }
    }

    /// How a service is doing; `None` when it is gone.
    pub(crate) async fn look(&self, service: ServiceName) -> Result<Option<Look>, UpError> {
        match &self.place {
            Place::Docker(stack) => Ok(stack.look(service).await?),
            Place::Process(stack) => Ok(stack.look(service)?),
        }
    }

    /// The last lines a service logged.
    pub(crate) async fn last_log_lines(&self, service: ServiceName, lines: usize) -> Vec<String> {
        match &self.place {
            Place::Docker(stack) => stack.last_log_lines(service, lines).await,
            Place::Process(stack) => stack.last_log_lines(service, lines),
        }
    }

    /// The container that publishes a port, in words.
    pub(crate) async fn port_owner(&self, port: u16) -> Option<String> {
        match &self.place {
            Place::Docker(stack) => stack.port_owner(port).await,
            Place::Process(_) => None,
        }
    }

    /// Removes what was replaced. Returns the images that went with it.
    pub(crate) async fn commit(&self, plan: &Plan) -> Result<Vec<String>, UpError> {
        match &self.place {
            Place::Docker(stack) => Ok(stack.commit(plan).await?),
            Place::Process(_) => Ok(Vec::new()), // the supervisor has ended it
        }
    }

    /// Takes back what this run did.
    pub(crate) async fn roll_back(&self) -> Result<(), UpError> {
        match &self.place {
            Place::Docker(stack) => Ok(stack.roll_back().await?),
            Place::Process(stack) => Ok(stack.roll_back().await?),
        }
    }
}

/// The address of the engine's machine, as written in a URL.
async fn resolve(name: &str) -> anyhow::Result<String> {
    let mut found =
        tokio::net::lookup_host((name, 0)).await.with_context(|| format!("cannot find {name}"))?;
    let address = found.next().with_context(|| format!("{name} has no address"))?;
    Ok(local_host(address.ip()))
}
