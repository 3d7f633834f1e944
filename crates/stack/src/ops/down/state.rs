//! Removes what a project has in its directory, and nothing else that is there.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::Context as _;
use ordersys_command::counted;

use crate::model::project::Project;
use crate::ops::down::Forget;
use crate::state::mark::Mark;

/// The project's directories, and what they hold in words: the largest first, which makes room.
const DIRECTORIES: [(&str, &str); 4] =
    [("data", "data"), ("logs", "logs"), ("process", "records of processes"), ("secrets", "credentials")];
/// Its files.
const FILES: [&str; 3] = ["stack.json", "program.json", "change.lock"];
/// How names of files begin that only some runs leave: logs of a failed `up`, halves of files.
const BEGINNINGS: [&str; 2] = ["failed-", ".tmp"];

/// What became of a project's state.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What went, in words.
    pub(crate) removed: Vec<String>,
    /// What stays, and why.
    pub(crate) kept: Vec<String>,
    /// What could not be removed.
    pub(crate) failed: Vec<anyhow::Error>,
}

impl State {
    fn note(&mut self, path: &Path, what: &str, result: io::Result<()>) {
        match result {
            Ok(()) if what.is_empty() => {}
            Ok(()) => self.removed.push(format!("{what} {}", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let failed = Err::<(), _>(error).with_context(|| format!("cannot remove {}", path.display()));
                self.failed.extend(failed.err());
            }
        }
    }
}

/// Removes all of a project's state. The caller holds its lock, and has proved that the directory is the project's.
/// One thing that cannot be removed does not keep the rest.
pub(crate) async fn remove(project: &Project, forget: &Forget) -> State {
    let mut state = State::default();
    for (name, what) in DIRECTORIES {
        let path = project.dir.join(name);
        state.note(&path, what, fs::remove_dir_all(&path));
    }
    for path in leavings(&project.dir) {
        state.note(&path, "", fs::remove_file(&path));
    }
    match forget(project.clone()).await {
        Ok(logins) => {
            state.removed.extend(
                (logins.removed > 0).then(|| format!("logins of {}", counted(logins.removed, "account"))),
            );
            if logins.kept > 0 {
                let what = format!(
                    "{} at other services, in {}",
                    counted(logins.kept, "login"),
                    project.dir.display()
                );
                state.kept.push(format!("{what}: they are not of this stack"));
                return state;
            }
        }
        Err(failure) => state.failed.push(failure.error),
    }
    if state.failed.is_empty() {
        let mark = project.dir.join(Mark::FILE);
        state.note(&mark, "", fs::remove_file(&mark)); // the last: until then it is a project's directory
        remove_directory(project, &mut state);
    }
    state
}

/// Files of the project besides logins and mark.
fn leavings(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_ours =
        |name: &str| FILES.contains(&name) || BEGINNINGS.iter().any(|begin| name.starts_with(begin));
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .map(|entry| entry.path())
        .collect()
}

/// Removes the directory, unless it holds something of others.
fn remove_directory(project: &Project, state: &mut State) {
    let dir = &project.dir;
    let others: Vec<String> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| format!("{}: it is not of the project", entry.path().display()))
        .collect();
    if others.is_empty() {
        state.note(dir, "directory", fs::remove_dir(dir));
    }
    state.kept.extend(others);
}
