//! The projects of this machine: which there are, and how each is doing.

use std::fs;
use std::path::Path;

use futures_util::future::join_all;
use ordersys_contract::{Role, Timestamp};
use serde::Serialize;

use crate::docker::projects_of;
use crate::model::project::{Project, ProjectName};
use crate::model::record::{RuntimeKind, StackRecord, Topology};
use crate::model::spec::ServiceName;
use crate::model::started::Started;
use crate::ops::status::{State, status};
use crate::process::data_dir;
use crate::state::mark::Ownership;
use crate::up::select::engine_if_any;
use ordersys_command::{Exit, Failure};
use ordersys_engine::Lookup;

/// A project.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Where it runs, or ran last.
    pub runtime: Option<RuntimeKind>,
    /// How it is spread, or was last.
    pub topology: Option<Topology>,
    /// How it is doing as a whole.
    pub state: Whole,
    /// Services that take requests.
    pub ready: usize,
    /// Services that there should be.
    pub services: usize,
    /// Where the order service answers.
    pub url: Option<String>,
    /// Bytes of the databases in its state directory.
    pub data_bytes: u64,
    /// When it was started or changed last.
    pub since: Option<Timestamp>,
    /// What is known besides.
    pub note: Option<String>,
}

/// How a project is doing as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Whole {
    /// Every service takes requests.
    Ready,
    /// Something runs, and not all of it takes requests.
    Partly,
    /// Nothing runs.
    Down,
    /// It cannot be looked at from here.
    Unknown,
}

impl Whole {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Partly => "partly",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// Every project that has state below `state_dir` or anything in the engine, by name.
pub async fn projects(engine: &Lookup, state_dir: &Path) -> Vec<Listed> {
    let mut names = projects_in(state_dir);
    names.retain(|name| {
        let owner = Ownership::of(&Project::new(name.clone(), state_dir));
        owner.is_ok_and(|owner| matches!(owner, Ownership::Ours(_) | Ownership::Unmarked))
    });
    if let Ok(engine) = engine_if_any(engine).await {
        names.extend(projects_of(&engine).await.unwrap_or_default());
    }
    names.sort();
    names.dedup();
    join_all(names.into_iter().map(|name| listed(engine, Project::new(name, state_dir)))).await
}

async fn listed(engine: &Lookup, project: Project) -> Listed {
    let last = Started::load(&project);
    let base = Listed {
        name: project.name.to_string(),
        runtime: last.as_ref().map(|last| last.runtime),
        topology: last.as_ref().map(|last| last.topology),
        state: Whole::Down,
        ready: 0,
        services: Role::ALL.len(),
        url: None,
        data_bytes: bytes_in(&data_dir(&project)),
        since: changed(&project.dir.join(Started::FILE)),
        note: None,
    };
    match status(engine, &project).await {
        Ok(report) => {
            let takes = |state| matches!(state, State::Ready | State::Degraded | State::Unwatched);
            let ready = report.services.iter().filter(|service| takes(service.state)).count();
            let order = report.services.iter().find(|service| service.name == ServiceName::from(Role::Order));
            Listed {
                runtime: Some(report.runtime),
                topology: Some(report.topology),
                services: report.services.len(),
                state: if ready == report.services.len() { Whole::Ready } else { Whole::Partly },
                ready,
                url: order.map(|order| order.url.clone()),
                ..base
            }
        }
        Err(failure) if failure.exit == Exit::NotFound => base,
        Err(failure) => Listed { state: Whole::Unknown, note: Some(failure.error.to_string()), ..base },
    }
}

/// The names of the directories that may be projects.
pub(crate) fn projects_in(state_dir: &Path) -> Vec<ProjectName> {
    let entries = fs::read_dir(state_dir).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// That no stack of a project is up, and which others are: a name may be left out or misspelt.
#[must_use]
pub fn none_runs(project: &Project) -> Failure {
    let state_dir = project.dir.parent().unwrap_or(Path::new("."));
    let is_up = |name: &ProjectName| StackRecord::readable(&Project::new(name.clone(), state_dir)).is_some();
    let mut others: Vec<String> =
        projects_in(state_dir).iter().filter(|name| is_up(name)).map(ToString::to_string).collect();
    others.sort();
    let others = if others.is_empty() { String::new() } else { format!("; running: {}", others.join(", ")) };
    Failure::new(Exit::NotFound, format!("no stack of project `{}` is running{others}", project.name))
        .hint(format!("start one with `{}`", project.command("up")))
}

/// The bytes of all files in the directories in there: a database has one.
fn bytes_in(dir: &Path) -> u64 {
    let list = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten();
    let files = list(dir).flat_map(|database| list(&database.path()));
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

fn changed(path: &Path) -> Option<Timestamp> {
    let age = fs::metadata(path).ok()?.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(age.as_millis()).ok()?))
}
