//! The data that stays after a `down`, and where: so that it does not seem gone.

use std::fs;

use crate::model::project::Project;
use crate::model::started::Started;
use crate::process::data_dir;

/// How the names of volumes end that hold a database.
const DATA: &str = "-data";

/// The databases of containers, from what is left in the engine.
pub(super) fn of_volumes(left: &[String]) -> Option<String> {
    let volumes: Vec<&str> = left.iter().filter_map(|volume| volume.strip_prefix("volume ")).collect();
    let names: Vec<&str> = volumes.into_iter().filter(|name| name.ends_with(DATA)).collect();
    (!names.is_empty())
        .then(|| format!("{} in the Docker volumes {}", databases(names.len()), names.join(", ")))
}

/// The databases of local processes.
pub(super) fn of_processes(project: &Project) -> Option<String> {
    let dir = data_dir(project);
    let found = fs::read_dir(&dir).into_iter().flatten().flatten();
    let count = found.filter(|entry| entry.path().is_dir()).count();
    (count > 0).then(|| format!("{} in {}", databases(count), dir.display()))
}

/// The database of PostgreSQL that the stack used, which is not its own.
pub(super) fn of_server(project: &Project) -> Option<String> {
    let database = Started::load(project)?.database?;
    Some(format!("{database}; it is not the project's own and never removed"))
}

fn databases(count: usize) -> String {
    if count == 1 { "1 database".to_owned() } else { format!("{count} databases") }
}
