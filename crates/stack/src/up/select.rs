//! Chooses where a stack runs, and says why.

use std::time::Duration;

use crate::model::project::Project;
use crate::model::record::{RuntimeKind, StackRecord};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_engine::{DiscoverError, Engine, Lookup, discover};
use ordersys_supervisor::Processes;

/// How long an engine may take to answer where processes would do as well.
const AUTO_LIMIT: Duration = Duration::from_secs(1);
/// How long an engine may take to answer where one is wanted.
const WANTED_LIMIT: Duration = Duration::from_secs(10);

/// Where the user wants a stack to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum RuntimeChoice {
    /// In Docker where an engine answers, else as local processes
    #[default]
    Auto,
    /// As containers
    Docker,
    /// As processes of this machine
    Process,
}

/// Where a stack is going to run.
#[derive(Debug)]
pub(crate) enum Chosen {
    /// As containers of this engine.
    Docker(Box<Engine>),
    /// As processes.
    Process,
}

/// The choice, and why in words.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) chosen: Chosen,
    pub(crate) reason: String,
}

/// What decides where a stack runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// What the user said, or nothing was ever said.
    Named(RuntimeChoice),
    /// Where it ran last: its data is there.
    AsLastTime(RuntimeKind),
}

/// Chooses. A stack that is up stays where it is: its data is there.
pub(crate) async fn select(choice: Choice, lookup: &Lookup, project: &Project) -> Outcome<Selection> {
    let now = running_on(project)?;
    let wanted = match (choice, now) {
        (Choice::Named(wanted), _) => wanted,
        (Choice::AsLastTime(_), Some(_)) => RuntimeChoice::Auto, // it stays
        (Choice::AsLastTime(RuntimeKind::Process), None) => return Ok(process("as last time")),
        (Choice::AsLastTime(RuntimeKind::Docker), None) => {
            let engine = discover(lookup, WANTED_LIMIT).await;
            return engine.map(docker).map_err(|error| engine_gone(error, project));
        }
    };
    match (wanted, now) {
        (RuntimeChoice::Docker, Some(RuntimeKind::Process)) => {
            Err(elsewhere(project, "as local processes", "process"))
        }
        (RuntimeChoice::Process, Some(RuntimeKind::Docker)) => Err(elsewhere(project, "in Docker", "docker")),
        (RuntimeChoice::Process, _) => Ok(process("asked for with --runtime process")),
        (RuntimeChoice::Auto, Some(RuntimeKind::Process)) => {
            Ok(process("the stack runs as processes already"))
        }
        (RuntimeChoice::Docker, None) => {
            let engine = engine_wanted(lookup).await.map(docker);
            engine.map_err(|failure| or_as_processes(failure, project))
        }
        (RuntimeChoice::Docker | RuntimeChoice::Auto, Some(RuntimeKind::Docker)) => {
            Ok(docker(engine_wanted(lookup).await?))
        }
        (RuntimeChoice::Auto, None) => match discover(lookup, AUTO_LIMIT).await {
            Ok(engine) => Ok(docker(engine)),
            // A choice that cannot be followed is an error; a missing choice is not.
            Err(error @ (DiscoverError::Context { .. } | DiscoverError::Unsupported { .. })) => {
                Err(unreachable(error))
            }
            Err(error) => Ok(process(&error.to_string())),
        },
    }
}

/// Where the project's stack runs, as far as can be told without an engine.
pub(crate) fn running_on(project: &Project) -> anyhow::Result<Option<RuntimeKind>> {
    if let Some(record) = StackRecord::readable(project) {
        return Ok(Some(record.runtime));
    }
    let processes = Processes::new(&project.dir, std::path::PathBuf::from("ordersys")).observe()?;
    Ok((!processes.is_empty()).then_some(RuntimeKind::Process))
}

/// Where Docker was asked for, and other ways would do.
fn or_as_processes(failure: Failure, project: &Project) -> Failure {
    let mend = failure.hint.clone().unwrap_or_default();
    let other = project.command("up --runtime process");
    failure.hint(format!("{mend}; or run local processes with `{other}`"))
}

/// The engine in which a project's data is does not answer: nothing else is started in its place.
fn engine_gone(error: DiscoverError, project: &Project) -> Failure {
    let mend = error.hint();
    let hint = format!(
        "{mend}; or begin anew, without what is stored there, with `{}`",
        project.command("up --runtime process")
    );
    let what = format!("project `{}` ran in Docker last time, and its data is there", project.name);
    Failure { exit: Exit::Environment, error: anyhow::Error::new(error).context(what), hint: Some(hint) }
}

/// The failure of a command that needs the engine.
pub(crate) fn unreachable(error: DiscoverError) -> Failure {
    let hint = error.hint();
    Failure { exit: Exit::Environment, error: error.into(), hint: Some(hint.to_owned()) }
}

/// The engine, where nothing else will do.
pub async fn engine_wanted(lookup: &Lookup) -> Outcome<Engine> {
    discover(lookup, WANTED_LIMIT).await.map_err(unreachable)
}

/// An engine, if one answers soon.
pub(crate) async fn engine_if_any(lookup: &Lookup) -> Result<Engine, DiscoverError> {
    discover(lookup, AUTO_LIMIT).await
}

fn elsewhere(project: &Project, place: &str, runtime: &str) -> Failure {
    let what = format!("the stack of project `{}` runs {place}, and its data is there", project.name);
    let (down, there) = (project.command("down"), project.command(&format!("up --runtime {runtime}")));
    let hint = format!("take it down first with `{down}`, or go on where it is with `{there}`");
    Failure::new(Exit::Failed, what).hint(hint)
}

fn docker(engine: Engine) -> Selection {
    let reason = format!("engine {} at {}, {}", engine.version, engine.address, engine.reason);
    Selection { chosen: Chosen::Docker(Box::new(engine)), reason }
}

fn process(reason: &str) -> Selection {
    Selection { chosen: Chosen::Process, reason: reason.to_owned() }
}
