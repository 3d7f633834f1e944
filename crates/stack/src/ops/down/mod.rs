//! `down`: everything of a project goes, on whatever it runs, and a last look proves it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::docker::observe::needs_others;
use crate::docker::{check_owner, check_volumes, projects_of};
use crate::model::project::Project;
use crate::model::record::{RuntimeKind, StackRecord};
use crate::model::started::Started;
use crate::ops::projects::projects_in;
use crate::state::lock::ProjectLock;
use crate::state::mark::Ownership;
use crate::state::trust;
use crate::state::trust::Distrust;
use crate::up::error::UpError;
use crate::up::select::{engine_if_any, unreachable};
use futures_util::future::BoxFuture;
use ordersys_command::Events;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_engine::labels::Names;
use ordersys_engine::teardown::ProjectSweep;
use ordersys_engine::{DiscoverError, Engine, EngineError, Lookup, image};
use ordersys_supervisor::Processes;
use std::fmt;

mod kept;
mod state;

/// How long `down` waits for another command that changes the project.
const LOCK_LIMIT: Duration = Duration::from_mins(2);

/// What happens to the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataPolicy {
    /// It stays for the next `up`.
    #[default]
    Keep,
    /// It goes: volumes, and the data of local processes.
    Remove,
}

/// What went.
#[derive(Debug, Serialize)]
pub struct Removed {
    /// Of which project.
    pub project: String,
    /// What, in words.
    pub removed: Vec<String>,
    /// What was found and not touched, with the reason.
    pub left: Vec<String>,
    /// The data that stays for the next `up`: what and where.
    pub kept: Vec<String>,
    /// Why not everything went that should have.
    #[serde(skip)]
    pub failed: Option<Failure>,
}

impl Removed {
    fn of(project: &Project) -> Self {
        let (project, kept) = (project.name.to_string(), Vec::from_iter(kept::of_server(project)));
        Self { project, removed: Vec::new(), left: Vec::new(), kept, failed: None }
    }

    /// Notes an obstacle; the first says how the command ends.
    fn fail(&mut self, failure: Failure) {
        self.failed = Some(match self.failed.take() {
            Some(first) => first.and(&failure),
            None => failure,
        });
    }
}

/// Logins that went with a project, or that stay because they are of other services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// How many went.
    pub removed: usize,
    /// How many stay.
    pub kept: usize,
}

/// Forgets the logins that a project's directory keeps. The caller keeps logins, so it knows how.
pub type Forget = dyn Fn(Project) -> BoxFuture<'static, Outcome<Forgotten>>;

/// How stacks are taken down.
#[derive(Clone, Copy)]
pub struct Down<'a> {
    /// Where an engine may be.
    pub engine: &'a Lookup,
    /// What becomes of data.
    pub data: DataPolicy,
    /// What goes with the data.
    pub forget: &'a Forget,
    /// Where waiting is reported.
    pub events: &'a Events,
}

impl fmt::Debug for Down<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Down").field("data", &self.data).finish_non_exhaustive()
    }
}

/// Takes a project's stack down. Taking down what is not there is fine.
pub async fn down(how: Down<'_>, project: &Project) -> Outcome<Removed> {
    let engine = match engine_if_any(how.engine).await {
        Ok(engine) => Some(engine),
        Err(error) => {
            // Where the record says Docker, nothing is proved without the engine.
            if is_in_docker(project, how.data) {
                return Err(unreachable(error));
            }
            None
        }
    };
    let owner = owner_of(project)?;
    believed(project, &owner)?;
    if let Some(engine) = &engine {
        check_owner(engine, project).await.map_err(engine_failure)?;
        if how.data == DataPolicy::Remove {
            check_volumes(engine, project).await.map_err(engine_failure)?;
        }
    }
    let removed = down_with(engine.as_ref(), project, how).await?;
    match owner.may_delete(project) {
        Err(why) if how.data == DataPolicy::Remove => Err(not_ours(project, &why)),
        _ => Ok(removed),
    }
}

/// Whether a stack is there, as far as the record tells, or data that is to go, as far as is remembered.
fn is_in_docker(project: &Project, data: DataPolicy) -> bool {
    let stack = StackRecord::readable(project).map(|record| record.runtime);
    let stored = Started::load(project).map(|last| last.runtime).filter(|_| data == DataPolicy::Remove);
    [stack, stored].contains(&Some(RuntimeKind::Docker))
}

fn owner_of(project: &Project) -> Outcome<Ownership> {
    let found = Ownership::of(project);
    Ok(found.with_context(|| format!("cannot list {}", project.dir.display()))?)
}

/// Refuses a project's directory whose content others could have written. What is of others is left anyway.
fn believed(project: &Project, owner: &Ownership) -> Outcome {
    match owner {
        Ownership::Absent | Ownership::Foreign(_) => Ok(()),
        Ownership::Ours(_) | Ownership::Unmarked | Ownership::Copy(_) => {
            trust::check_project(project).map_err(Distrust::into_failure)
        }
    }
}

fn not_ours(project: &Project, why: &str) -> Failure {
    let dir = project.dir.display();
    Failure::new(Exit::Failed, format!("{dir} is left as it is: {why}"))
        .hint(format!("look what it holds: `ls -la {dir}`"))
}

/// What went of all projects.
#[derive(Debug)]
pub struct AllRemoved {
    /// Of each.
    pub projects: Vec<Removed>,
    /// Why nothing is known of containers: there may be more.
    pub unseen: Option<Failure>,
    /// What could not be taken down.
    pub failed: Vec<Failure>,
}

/// Takes down every project that has anything in the engine or state below `state_dir`, and removes
/// the images that no container uses. Without an engine, processes go. Directories that are no projects, or
/// are not to be believed, are named and left.
pub async fn down_all(how: Down<'_>, state_dir: &Path) -> Outcome<AllRemoved> {
    let (engine, unseen) = match engine_if_any(how.engine).await {
        Ok(engine) => (Some(engine), None),
        Err(error) => (None, Some(containers_unseen(error))),
    };
    let mut names = projects_in(state_dir);
    if let Some(engine) = &engine {
        names.extend(projects_of(engine).await.map_err(engine_failure)?);
    }
    names.sort();
    names.dedup();
    let mut all = AllRemoved { projects: Vec::new(), unseen, failed: Vec::new() };
    for name in names {
        let project = Project::new(name, state_dir);
        let down = async {
            believed(&project, &owner_of(&project)?)?;
            down_with(engine.as_ref(), &project, how).await
        };
        match down.await {
            Ok(removed) => all.projects.push(removed),
            Err(failure) => all.failed.push(failure),
        }
    }
    if let Some(engine) = &engine {
        image::prune(engine).await.map_err(engine_failure)?;
    }
    Ok(all)
}

fn containers_unseen(error: DiscoverError) -> Failure {
    let failure = unreachable(error);
    let what =
        "no Docker engine answers, so containers of any project may be left; only processes were taken down";
    Failure { error: failure.error.context(what), ..failure }
}

/// Takes everything down that can be; one obstacle does not keep the rest.
async fn down_with(engine: Option<&Engine>, project: &Project, how: Down<'_>) -> Outcome<Removed> {
    let owner = owner_of(project)?;
    let mut all = Removed::of(project);
    let _lock = match &owner {
        Ownership::Absent => None, // no state: only the engine may have something
        Ownership::Foreign(why) => {
            all.left.push(format!("{}: {why}", project.dir.display()));
            None
        }
        Ownership::Ours(_) | Ownership::Unmarked | Ownership::Copy(_) => {
            let lock = ProjectLock::take(project, "down", LOCK_LIMIT, how.events).await?;
            match end_processes(project).await {
                Ok(ended) => all.removed.extend(ended),
                Err(error) => all.fail(error.into()),
            }
            Some(lock)
        }
    };
    if let Some(engine) = engine
        && let Err(error) = sweep(engine, project, how.data, &mut all).await
    {
        all.fail(engine_failure(error));
    }
    match &owner {
        Ownership::Absent | Ownership::Foreign(_) => return Ok(all),
        Ownership::Ours(_) | Ownership::Unmarked | Ownership::Copy(_) => {}
    }
    match owner.may_delete(project) {
        Ok(()) if how.data == DataPolicy::Remove => state::remove(project, how.forget, &mut all).await,
        Ok(()) => {}
        Err(why) => all.left.push(format!("{}: {why}", project.dir.display())),
    }
    if all.failed.is_none() {
        StackRecord::remove(project)?; // until then it says what there is to take down
    }
    all.kept.extend(kept::of_processes(project));
    Ok(all)
}

/// Ends the project's processes; says which there really were.
async fn end_processes(project: &Project) -> anyhow::Result<Vec<String>> {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("ordersys"));
    let processes = Processes::new(&project.dir, program);
    let seen = processes.observe().unwrap_or_default(); // what is damaged names none; its processes end anyway
    let ended = processes.down().await?;
    let named: Vec<u32> = seen.iter().filter_map(|seen| seen.pid).collect();
    let text = |pid: Option<u32>| pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    let services = seen.into_iter().map(|seen| format!("service {}{}", seen.name, text(seen.pid)));
    let others = ended.left_alone.iter().filter(|pid| !named.contains(pid));
    let others = others.map(|pid| format!("process {pid}, which no supervisor had written down"));
    let supervisor = ended.supervisor.map(|pid| format!("supervisor (process {pid})"));
    Ok(services.chain(others).chain(supervisor).collect())
}

async fn sweep(
    engine: &Engine,
    project: &Project,
    data: DataPolicy,
    all: &mut Removed,
) -> Result<(), EngineError> {
    let sweep = ProjectSweep::new(engine, Names::of(&project.name));
    let mut swept = sweep.containers_and_networks(needs_others).await?;
    let mut left = sweep.left().await?;
    if data == DataPolicy::Remove {
        let volumes = sweep.volumes().await?;
        swept.removed.extend(volumes.removed);
        swept.failed.extend(volumes.failed);
        left.extend(sweep.left_volumes().await?);
    } else {
        all.kept.extend(kept::of_volumes(&sweep.left_volumes().await?));
    }
    all.removed.extend(swept.removed);
    if swept.failed.is_empty() && !left.is_empty() {
        let what = format!("not everything of project `{}` is gone: {}", project.name, left.join(", "));
        let again = project.command("down");
        all.fail(
            Failure::new(Exit::Failed, what)
                .hint(format!("run `{again}` again, or look with `docker ps -a`")),
        );
    }
    swept.failed.into_iter().map(engine_failure).for_each(|failure| all.fail(failure));
    Ok(())
}

fn engine_failure(error: EngineError) -> Failure {
    UpError::from(error).into_failure()
}
