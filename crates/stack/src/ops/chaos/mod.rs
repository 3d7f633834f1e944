//! Faults on purpose, and restarts: what a running service is put through while others look how the
//! system takes it. Used by the command line and by load tests.
//!
//! What each fault means on each runtime:
//!
//! | fault | in Docker | as a process |
//! |---|---|---|
//! | kill | SIGKILL to the service inside its container; the engine starts the container again | SIGKILL; the supervisor starts it again |
//! | pause | the container is frozen: connections are made, and nothing answers | SIGSTOP: the same |
//! | partition | off the network: published ports refuse, peers do not find it, open connections hang | open connections break, new ones get no answer, calls to peers get none |
//!
//! A fault takes no lock: like an accident it may strike while another command changes the project.

mod fault;
mod turn;

use std::time::Duration;

use ordersys_contract::client::Endpoints;
use tokio::time::{Instant, timeout};

pub use fault::Fault;
pub use turn::{Then, Turn, Turned, Until};

use crate::docker::spec::aliases;
use crate::model::project::Project;
use crate::model::record::{RuntimeKind, StackRecord, Topology};
use crate::model::spec::ServiceName;
use crate::ops::projects::none_runs;
use crate::up::error::UpError;
use crate::up::readiness::ask_until_ready;
use crate::up::select::engine_wanted;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_contract::Role;
use ordersys_engine::container::Containers;
use ordersys_engine::labels::Names;
use ordersys_engine::observe::{Condition, Container};
use ordersys_engine::{EngineError, Lookup};
use ordersys_supervisor::{Answer, Probe, ProcessState, Processes};

/// How long a service may take to fall silent once it is cut off.
const SILENT_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer of a service that was cut off is waited for.
const SILENCE: Duration = Duration::from_millis(150);

/// A running stack whose services can be put through something.
#[derive(Debug)]
pub struct Chaos {
    place: Place,
    project: Project,
    topology: Topology,
    endpoints: Endpoints,
}

#[derive(Debug)]
enum Place {
    Docker(Box<Containers>),
    Process(Box<Processes>),
}

impl Chaos {
    /// The project's stack. Fails when there is none.
    pub async fn open(engine: &Lookup, project: &Project) -> Outcome<Self> {
        let record = StackRecord::load(project)?.ok_or_else(|| none_runs(project))?;
        let place = match record.runtime {
            RuntimeKind::Docker => {
                let engine = engine_wanted(engine).await?;
                Place::Docker(Box::new(Containers::new(engine, Names::of(&project.name))))
            }
            RuntimeKind::Process => {
                let program = record.program.unwrap_or_default();
                Place::Process(Box::new(Processes::new(&project.dir, program)))
            }
        };
        let (topology, endpoints) = (record.topology, record.endpoints);
        Ok(Self { place, project: project.clone(), topology, endpoints })
    }

    /// What is meant by the name of a service, or of a role, which is that of the first one that plays it: in a
    /// monolith the one there is.
    #[must_use]
    pub fn service(&self, named: impl Into<ServiceName>) -> ServiceName {
        match self.topology {
            Topology::Services => named.into(),
            Topology::Monolith => ServiceName::MONOLITH,
        }
    }

    /// Every service, those that others need first.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceName> {
        let count = |role| u8::try_from(self.endpoints.all(role).len()).unwrap_or(u8::MAX);
        match self.topology {
            Topology::Services => {
                Role::ALL.into_iter().flat_map(|role| ServiceName::replicas(role, count(role))).collect()
            }
            Topology::Monolith => vec![ServiceName::MONOLITH],
        }
    }

    /// Fails if the stack has no such service.
    pub fn check(&self, named: impl Into<ServiceName>) -> Outcome {
        let (service, all) = (named.into(), self.services());
        let is_known = match self.topology {
            Topology::Services => all.contains(&service),
            Topology::Monolith => !service.is_further(),
        };
        if is_known {
            return Ok(());
        }
        let names: Vec<&str> = all.into_iter().map(ServiceName::name).collect();
        let what = format!("the stack of project `{}` has no service `{service}`", self.project.name);
        Err(Failure::new(Exit::Usage, what).hint(format!("there are: {}", names.join(", "))))
    }

    /// Whether this can be done to a service.
    pub fn allows(&self, named: impl Into<ServiceName>, fault: Fault) -> Outcome {
        let named = named.into();
        self.check(named)?;
        if self.service(named) == ServiceName::MONOLITH && matches!(fault, Fault::Partition | Fault::Heal) {
            let what = "one service of a monolith cannot be cut off the others: they are one process";
            return Err(Failure::new(Exit::Usage, what).hint(
                "start three services with `ordersys up --topology services`, or pause the whole process",
            ));
        }
        Ok(())
    }

    /// Does it, and returns when it shows: a killed process is gone, one that was cut off is silent.
    pub async fn apply(&self, named: impl Into<ServiceName>, fault: Fault) -> Outcome {
        let named = named.into();
        self.allows(named, fault)?;
        let service = self.service(named);
        match &self.place {
            Place::Docker(containers) => {
                let found = self.running(containers.find(service.name()).await.map_err(engine)?, service)?;
                self.strike_container(containers, service, &found, fault)
                    .await
                    .map_err(UpError::into_failure)?;
            }
            Place::Process(processes) => self.strike_process(processes, service, fault).await?,
        }
        if fault == Fault::Partition { self.until_silent(service).await } else { Ok(()) }
    }

    /// Waits until a service is ready, and returns how long that took.
    pub async fn until_ready(&self, named: impl Into<ServiceName>, limit: Duration) -> Outcome<Duration> {
        let (named, started) = (named.into(), Instant::now());
        let asked = async {
            for url in self.ready_urls(self.service(named)) {
                ask_until_ready(&url.parse()?, &mut Answer::Silent).await;
            }
            Ok::<(), anyhow::Error>(())
        };
        let Ok(asked) = timeout(limit, asked).await else {
            let what = format!("the {named} service was not ready within {limit:.1?}");
            return Err(Failure::new(Exit::TimedOut, what).hint(format!(
                "see `{}` and `{}`",
                self.project.command("status"),
                self.project.command(&format!("logs {named}"))
            )));
        };
        asked?;
        Ok(started.elapsed())
    }

    async fn strike_container(
        &self,
        containers: &Containers,
        service: ServiceName,
        found: &Container,
        fault: Fault,
    ) -> Result<(), UpError> {
        match fault {
            Fault::Kill => containers.kill(found).await?,
            Fault::Pause => containers.pause(found).await?,
            Fault::Resume => containers.resume(found).await?,
            Fault::Partition => containers.cut(found).await?,
            Fault::Heal => containers.heal(found, aliases(service)).await?,
        }
        Ok(())
    }

    async fn strike_process(&self, processes: &Processes, service: ServiceName, fault: Fault) -> Outcome {
        let name = service.name();
        let seen = processes.observe()?.into_iter().find(|seen| seen.name == name);
        let seen = seen.ok_or_else(|| self.not_running(service, "it has no process"))?;
        let pid = match fault {
            Fault::Kill => processes.kill(name).await?,
            Fault::Pause => processes.pause(name).await?,
            Fault::Resume => processes.resume(name).await?,
            Fault::Partition => processes.cut(name).map(|()| seen.pid)?,
            Fault::Heal => processes.heal(name).map(|()| seen.pid)?,
        };
        if pid.is_some() {
            return Ok(());
        }
        let why = match seen.state {
            ProcessState::CrashLoop => "it ends again and again",
            _ => "it is about to be started",
        };
        Err(self.not_running(service, why))
    }

    fn running(&self, found: Option<Container>, service: ServiceName) -> Outcome<Container> {
        let found = found.ok_or_else(|| self.not_running(service, "it has no container"))?;
        let why = match &found.condition {
            Condition::Running | Condition::Paused | Condition::Cut => {
                return Ok(found);
            }
            Condition::Created => "it was never started",
            Condition::Restarting(how) | Condition::Exited(how) => how,
            Condition::Dead => "its container is dead",
        };
        Err(self.not_running(service, why))
    }

    fn not_running(&self, service: ServiceName, why: &str) -> Failure {
        let project = &self.project.name;
        Failure::new(
            Exit::Failed,
            format!("the {service} service of project `{project}` does not run: {why}"),
        )
        .hint(format!(
            "see `{}`; `{}` starts what is missing",
            self.project.command("status"),
            self.project.command("up")
        ))
    }

    fn ready_urls(&self, service: ServiceName) -> Vec<String> {
        let index = usize::from(service.number() - 1);
        let url = |role: &Role| self.endpoints.all(*role).get(index).map(|url| format!("{url}/readyz"));
        service.roles().iter().filter_map(url).collect()
    }

    /// Waits until nothing answers at the service's port any more.
    async fn until_silent(&self, service: ServiceName) -> Outcome {
        let deadline = Instant::now() + SILENT_WITHIN;
        for url in self.ready_urls(service) {
            let probe: Probe = url.parse()?;
            while probe.ask(SILENCE).await != Answer::Silent {
                if Instant::now() >= deadline {
                    let what = format!("the {service} service answers although it was cut off the network");
                    return Err(Failure::new(Exit::Failed, what));
                }
            }
        }
        Ok(())
    }
}

/// Does it to one service of a project's stack, see [`Chaos::apply`].
pub async fn apply(
    engine: &Lookup,
    project: &Project,
    named: impl Into<ServiceName>,
    fault: Fault,
) -> Outcome {
    Chaos::open(engine, project).await?.apply(named, fault).await
}

fn engine(error: EngineError) -> Failure {
    UpError::from(error).into_failure()
}
