//! Removes what a project has in its directory, and nothing else that is there.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::Context as _;
use ordersys_command::counted;

use crate::model::project::Project;
use crate::ops::down::{Forget, Removed};
use crate::state::mark::Mark;
use ordersys_command::OrFail as _;

/// The project's directories, and what they hold in words: the largest first, which makes room.
const DIRECTORIES: [(&str, &str); 4] =
    [("data", "data"), ("logs", "logs"), ("process", "records of processes"), ("secrets", "credentials")];
/// Its files.
const FILES: [&str; 3] = ["started.json", "program.json", "change.lock"];
/// Those that go last: until then they say whose the directory is and what there is to take down.
const LAST: [&str; 2] = ["stack.json", Mark::FILE];
/// What to do about something that cannot be removed.
const AGAIN: &str = "mend that and run it again; everything else that could be removed is";
/// How names of files begin that only some runs leave: logs of a failed `up`, halves of files.
const BEGINNINGS: [&str; 2] = ["failed-", ".tmp"];

impl Removed {
    fn note(&mut self, path: &Path, what: &str, result: io::Result<()>) {
        match result {
            Ok(()) if what.is_empty() => {}
            Ok(()) => self.removed.push(format!("{what} {}", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let failed = Err::<(), _>(error).with_context(|| format!("cannot remove {}", path.display()));
                if let Err(failure) = failed.hint(AGAIN) {
                    self.fail(failure);
                }
            }
        }
    }
}

/// Removes all of a project's state. The caller holds its lock, and has proved that the directory is the project's.
/// One thing that cannot be removed does not keep the rest.
pub(super) async fn remove(project: &Project, forget: &Forget, all: &mut Removed) {
    for (name, what) in DIRECTORIES {
        let path = project.dir.join(name);
        all.note(&path, what, fs::remove_dir_all(&path));
    }
    for path in leavings(&project.dir) {
        all.note(&path, "", fs::remove_file(&path));
    }
    match forget(project.clone()).await {
        Ok(logins) => {
            all.removed.extend(
                (logins.removed > 0).then(|| format!("logins of {}", counted(logins.removed, "account"))),
            );
            if logins.kept > 0 {
                let kept = counted(logins.kept, "login");
                let what = format!("{kept} at other services, in {}", project.dir.display());
                all.left.push(format!("{what}: they are not of this stack"));
                return;
            }
        }
        Err(failure) => all.fail(failure),
    }
    if all.failed.is_none() {
        for name in LAST {
            let path = project.dir.join(name);
            all.note(&path, "", fs::remove_file(&path));
        }
        remove_directory(project, all);
    }
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
fn remove_directory(project: &Project, all: &mut Removed) {
    let dir = &project.dir;
    let others: Vec<String> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| format!("{}: it is not of the project", entry.path().display()))
        .collect();
    if others.is_empty() {
        all.note(dir, "directory", fs::remove_dir(dir));
    }
    all.left.extend(others);
}
