//! The stack as local processes, in the terms plans are carried out in. The supervisor does the work.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::Context as _;

use crate::model::command::{Place, serve_args};
use crate::model::observed::{Condition, Facts, Observed, ObservedService, Standing};
use crate::model::program::Program;
use crate::model::project::Project;
use crate::model::spec::{ServiceName, ServiceSpec, local_host};
use crate::plan::{Action, Cause};
use crate::up::apply::{Look, Work};
use crate::up::error::UpError;
use ordersys_supervisor::files::make_private_dir;
use ordersys_supervisor::{ProcessObserved, ProcessService, ProcessState, Processes};

/// A project's processes, during one run.
#[derive(Debug)]
pub(crate) struct ProcessStack {
    processes: Processes,
    project: Project,
    program: Program,
    before: OnceLock<Before>,
}

/// What was there before this run changed anything.
#[derive(Debug)]
struct Before {
    program: Program,
    services: Vec<ServiceSpec>,
    data: Data,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    WasThere,
    MadeNow,
}

/// Where a project's processes keep their data.
#[must_use]
pub(crate) fn data_dir(project: &Project) -> PathBuf {
    project.dir.join("data")
}

impl ProcessStack {
    pub(crate) fn new(project: Project, program: Program) -> Self {
        let processes = Processes::new(&project.dir, program.path.clone());
        Self { processes, project, program, before: OnceLock::new() }
    }

    /// What the services run.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// The hash a running service's program is compared by.
    pub(crate) fn artefact(&self) -> &str {
        &self.program.sha256
    }

    /// What is there.
    pub(crate) fn observe(&self) -> anyhow::Result<Observed> {
        let seen = self.processes.observe()?.into_iter().map(|seen| self.told(seen));
        Ok(Observed { services: seen.collect(), ..Observed::default() })
    }

    fn told(&self, seen: ProcessObserved) -> ObservedService {
        let same_program = seen.binary_hash == self.program.sha256;
        ObservedService {
            id: seen.pid.map_or_else(|| seen.name.clone(), |pid| pid.to_string()),
            standing: Standing::Current,
            condition: condition(&seen),
            spec_hash: seen.spec_hash,
            spec: None,
            artefact: seen.binary_hash,
            networks: Vec::new(),
            ports: std::collections::BTreeMap::new(),
            facts: Facts {
                pid: seen.pid,
                since: Some(seen.since),
                restarts: u64::from(seen.restarts),
                version: same_program.then(|| env!("CARGO_PKG_VERSION").to_owned()),
                memory_bytes: seen.memory_bytes,
            },
            service: seen.name,
        }
    }

    /// Hands the services to the supervisor, which ends what is outdated and starts the rest in order.
    pub(crate) async fn prepare(&self, work: &Work<'_>) -> Result<(), UpError> {
        let data_dir = data_dir(&self.project);
        let data = if data_dir.exists() { Data::WasThere } else { Data::MadeNow };
        let program = match &work.observed.program {
            Some(path) if *path != self.program.path => Program::hashed(path).unwrap_or(self.program.clone()),
            _ => self.program.clone(),
        };
        let same_program = |service: &&ObservedService| service.artefact == program.sha256;
        let services = work.observed.services.iter().filter(same_program).filter_map(|now| now.spec.clone());
        let services = services.collect();
        let _ = self.before.set(Before { program, services, data }); // a run prepares once
        make_private_dir(&data_dir)?;
        self.end_faults(work).await?;
        let list = work.stack.services.iter().collect::<Vec<_>>();
        work.timeline.during("supervisor", self.processes.apply(self.list(&list)?)).await?;
        Ok(work.halt.check()?)
    }

    /// Lets go on what was paused or cut off on purpose, as the plan says.
    async fn end_faults(&self, work: &Work<'_>) -> anyhow::Result<()> {
        for spec in &work.stack.services {
            match work.plan.for_service(spec.name) {
                Some(Action::Start(_, Cause::Paused)) => {
                    self.processes.resume(spec.name.name()).await?;
                }
                Some(Action::Start(_, Cause::CutOff)) => self.processes.heal(spec.name.name())?,
                _ => {}
            }
        }
        Ok(())
    }

    /// How a service is doing; `None` when there is no such process.
    pub(crate) fn look(&self, service: ServiceName) -> anyhow::Result<Option<Look>> {
        let seen = self.processes.observe()?.into_iter().find(|seen| seen.name == service.name());
        if seen.as_ref().is_none_or(|seen| seen.pid.is_none()) {
            self.processes.has_room()?; // else its end may not be written down
        }
        Ok(seen.map(|seen| Look { condition: condition(&seen), restarts: u64::from(seen.restarts) }))
    }

    /// The last lines a service logged.
    pub(crate) fn last_log_lines(&self, service: ServiceName, lines: usize) -> Vec<String> {
        self.processes.last_log_lines(service.name(), lines)
    }

    /// Goes back to the services there were, as far as their settings are known and their program is
    /// still there; to none, if there were none.
    pub(crate) async fn roll_back(&self) -> anyhow::Result<()> {
        let Some(before) = self.before.get() else { return Ok(()) };
        let services: Vec<&ServiceSpec> = before.services.iter().collect();
        let processes = Processes::new(&self.project.dir, before.program.path.clone());
        processes.apply(self.list(&services)?).await?;
        if before.data == Data::MadeNow {
            remove_data(&self.project)?;
        }
        Ok(())
    }

    fn list(&self, specs: &[&ServiceSpec]) -> anyhow::Result<Vec<ProcessService>> {
        let text = |path: PathBuf| {
            path.to_str().map(str::to_owned).with_context(|| format!("{} is not UTF-8", path.display()))
        };
        let absolute = |path: PathBuf| std::path::absolute(&path).context("there is no current directory");
        let data_dir = text(absolute(data_dir(&self.project))?)?;
        let secrets_dir = text(absolute(self.project.secrets_dir())?)?;
        let service = |spec: &&ServiceSpec| {
            let place = Place {
                bind: spec.bind,
                ports: spec.ports.clone(),
                data_dir: data_dir.clone(),
                secrets_dir: secrets_dir.clone(),
                this_machine: None,
            };
            let listed = |name: &ServiceName| specs.iter().any(|other| other.name == *name);
            let after = spec.needs().into_iter().filter(listed).map(|name| name.to_string());
            let mut args = serve_args(spec, &place);
            if spec.name != ServiceName::MONOLITH {
                let cut = self.processes.cut_path(spec.name.name());
                args.extend(["--cut-while".to_owned(), text(cut)?]);
            }
            Ok(ProcessService {
                name: spec.name.to_string(),
                args,
                ready_urls: spec.ready_urls(&local_host(spec.bind)),
                spec_hash: spec.hash(),
                after: after.collect(),
            })
        };
        specs.iter().map(service).collect()
    }
}

/// Removes the data that a run made for a project's processes.
fn remove_data(project: &Project) -> anyhow::Result<()> {
    let dir = data_dir(project);
    match fs::remove_dir_all(&dir) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot remove {}", dir.display())),
    }
}

fn condition(seen: &ProcessObserved) -> Condition {
    let how = || seen.last_exit.clone().unwrap_or_else(|| "it is not known how".to_owned());
    match seen.state {
        ProcessState::Starting | ProcessState::Ready | ProcessState::Unready => Condition::Running,
        ProcessState::Unwatched => Condition::Unwatched,
        ProcessState::Paused => Condition::Paused,
        ProcessState::Cut => Condition::Cut,
        ProcessState::BackingOff | ProcessState::CrashLoop => Condition::Restarting(how()),
        ProcessState::Stopped => Condition::Exited(how()),
    }
}
