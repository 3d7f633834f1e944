//! `down`: everything of a project goes, on whatever it runs, and a last look proves it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::docker::{DiscoverError, Engine, Lookup, ProjectSweep, projects_of, remove_unused_images};
use super::lock::ProjectLock;
use super::process::Processes;
use super::process_stack::remove_data;
use super::project::{Project, ProjectName};
use super::record::{RuntimeKind, StackRecord};
use super::select::{engine_if_any, unreachable};
use super::up_error::UpError;
use crate::accounts::forget_own;
use crate::cli::{Exit, Failure, Outcome};
use crate::ui::Printer;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Of which project.
    pub project: String,
    /// What, in words.
    pub removed: Vec<String>,
}

/// Takes a project's stack down. Taking down what is not there is fine.
pub async fn down(
    engine: &Lookup,
    project: &Project,
    data: DataPolicy,
    printer: &Printer,
) -> Outcome<Removed> {
    let engine = match engine_if_any(engine).await {
        Ok(engine) => Some(engine),
        Err(error) => {
            // Where the record says Docker, nothing is proved without the engine.
            if StackRecord::load(project)?.is_some_and(|record| record.runtime == RuntimeKind::Docker) {
                return Err(unreachable(error));
            }
            None
        }
    };
    down_with(engine.as_ref(), project, data, printer).await
}

/// What went of all projects.
#[derive(Debug)]
pub struct AllRemoved {
    /// Of each.
    pub projects: Vec<Removed>,
    /// Why nothing is known of containers: there may be more.
    pub unseen: Option<Failure>,
}

/// Takes down every project that has anything in the engine or state below `state_dir`, and removes
/// the images nobody uses. Without an engine, processes go.
pub async fn down_all(
    engine: &Lookup,
    state_dir: &Path,
    data: DataPolicy,
    printer: &Printer,
) -> Outcome<AllRemoved> {
    let (engine, unseen) = match engine_if_any(engine).await {
        Ok(engine) => (Some(engine), None),
        Err(error) => (None, Some(containers_unseen(error))),
    };
    let mut names = projects_in(state_dir);
    if let Some(engine) = &engine {
        names.extend(projects_of(engine).await.map_err(engine_failure)?);
    }
    names.sort();
    names.dedup();
    let mut all = Vec::new();
    for name in names {
        let project = Project::new(name, state_dir);
        all.push(down_with(engine.as_ref(), &project, data, printer).await?);
    }
    if let Some(engine) = &engine {
        remove_unused_images(engine).await.map_err(engine_failure)?;
    }
    Ok(AllRemoved { projects: all, unseen })
}

fn containers_unseen(error: DiscoverError) -> Failure {
    let failure = unreachable(error);
    let what =
        "no Docker engine answers, so containers of any project may be left; only processes were taken down";
    Failure { error: failure.error.context(what), ..failure }
}

fn projects_in(state_dir: &Path) -> Vec<ProjectName> {
    let entries = std::fs::read_dir(state_dir).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

async fn down_with(
    engine: Option<&Engine>,
    project: &Project,
    data: DataPolicy,
    printer: &Printer,
) -> Outcome<Removed> {
    let _lock = if project.dir.exists() {
        Some(ProjectLock::take(project, "down", LOCK_LIMIT, printer).await?)
    } else {
        None // no state: only the engine may have something
    };
    let mut removed = end_processes(project).await?;
    if let Some(engine) = engine {
        removed.extend(sweep(engine, project, data).await?);
    }
    if data == DataPolicy::Remove {
        removed.extend(remove_data(project)?.map(|dir| format!("data {}", dir.display())));
        let logins = forget_own(project).await?;
        removed.extend((logins > 0).then(|| format!("logins of {logins} accounts")));
    }
    StackRecord::remove(project)?;
    Ok(Removed { project: project.name.to_string(), removed })
}

async fn end_processes(project: &Project) -> anyhow::Result<Vec<String>> {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("ordersys"));
    let processes = Processes::new(project, program);
    let seen = processes.observe()?;
    processes.down().await?;
    let text = |pid: Option<u32>| pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    Ok(seen.into_iter().map(|seen| format!("service {}{}", seen.name, text(seen.pid))).collect())
}

async fn sweep(engine: &Engine, project: &Project, data: DataPolicy) -> Outcome<Vec<String>> {
    let sweep = ProjectSweep::new(engine, project.name.clone());
    let mut removed = sweep.containers_and_networks().await.map_err(engine_failure)?;
    let mut left = sweep.left().await.map_err(engine_failure)?;
    if data == DataPolicy::Remove {
        removed.extend(sweep.volumes().await.map_err(engine_failure)?);
        left.extend(sweep.left_volumes().await.map_err(engine_failure)?);
    }
    if left.is_empty() {
        return Ok(removed);
    }
    let what = format!("not everything of project `{}` is gone: {}", project.name, left.join(", "));
    Err(Failure::new(Exit::Failed, what).hint("run `ordersys down` again, or look with `docker ps -a`"))
}

fn engine_failure(error: super::docker::EngineError) -> Failure {
    UpError::from(error).into_failure()
}
