//! Finds the logs of a project: in the engine, or the files of local processes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;

use crate::Source;
use ordersys_command::Outcome;
use ordersys_engine::Lookup;
use ordersys_engine::container::ContainerLog;
use ordersys_engine::labels::Names;
use ordersys_stack::model::project::Project;
use ordersys_stack::model::record::{RuntimeKind, StackRecord, Topology};
use ordersys_stack::up::select;
use ordersys_supervisor::logs_dir;

/// The logs of a project.
#[derive(Debug)]
pub struct Found {
    /// A source for each service that has a log.
    pub sources: Vec<Source>,
    /// How the stack is spread, if one is up.
    pub topology: Option<Topology>,
}

/// Finds the logs of the stack that is up; else those the last local processes left.
pub async fn find(lookup: &Lookup, project: &Project) -> Outcome<Found> {
    let record = StackRecord::load(project)?;
    let topology = record.as_ref().map(|record| record.topology);
    let sources = match record.map(|record| record.runtime) {
        Some(RuntimeKind::Docker) => {
            let engine = select::engine_wanted(lookup).await?;
            let logs = ContainerLog::all(&engine, &Names::of(&project.name)).await?;
            logs.into_iter()
                .map(|(name, log)| Source::Container { name: name.into(), log: Box::new(log) })
                .collect()
        }
        Some(RuntimeKind::Process) | None => files(&logs_dir(&project.dir))?,
    };
    Ok(Found { sources, topology })
}

/// The logs in a directory, by the names of their services.
fn files(dir: &Path) -> anyhow::Result<Vec<Source>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", dir.display())),
    };
    let name = |file: &Path| Some(file.file_name()?.to_str()?.strip_suffix(".log")?.to_owned());
    let names: BTreeSet<String> = entries.filter_map(|entry| name(&entry.ok()?.path())).collect();
    let source = |name: String| Source::File { path: dir.join(format!("{name}.log")), name: name.into() };
    Ok(names.into_iter().map(source).collect())
}
