//! One command at a time changes a project: a lock the operating system drops with its holder. It is on the
//! project's directory, and needs no space on the disk.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use crate::model::project::{Project, STATE_HINT};
use ordersys_command::Events;
use ordersys_command::{Exit, Failure, OrFail as _, Outcome};
use ordersys_supervisor::files::{DirLock, make_private_dir};

const FILE: &str = "change.lock";
/// Pause between two tries.
const TRY_EVERY: Duration = Duration::from_millis(50);
/// How long an engine may go on with what a killed command had asked of it: a request does not end
/// with the connection, and what it makes appears only then.
const SETTLE: Duration = Duration::from_secs(1);

/// The right to change a project; given back when dropped, also by a kill.
#[derive(Debug)]
pub(crate) struct ProjectLock {
    lock: DirLock,
}

impl Drop for ProjectLock {
    fn drop(&mut self) {
        if let Some(file) = &self.lock.file {
            let _ = file.set_len(0); // a name that is left says that its command was killed
        }
    }
}

impl ProjectLock {
    /// Takes the lock, waiting for another holder for at most `limit`; says for whom.
    pub(crate) async fn take(
        project: &Project,
        command: &str,
        limit: Duration,
        events: &Events,
    ) -> Outcome<Self> {
        let dir = &project.dir;
        let deadline = Instant::now() + limit;
        let mut told = false;
        let mut lock = loop {
            make_private_dir(dir).exit(Exit::Environment).hint(STATE_HINT)?; // `down` may have removed it
            match DirLock::try_take(dir, FILE) {
                Ok(Some(lock)) => break lock,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let what = format!("cannot lock {}", dir.join(FILE).display());
                    return Err(error).context(what).exit(Exit::Environment).hint(STATE_HINT);
                }
                Ok(None) => {}
            }
            let holder = named_in(project).unwrap_or_else(|| "another process".to_owned());
            if Instant::now() >= deadline {
                let what = format!("project `{}` is still being changed by {holder}", project.name);
                return Err(Failure::new(Exit::TimedOut, what).hint("try again when it is done"));
            }
            if !told {
                events.say(format!("waiting for {holder}, which is changing project `{}`", project.name));
                told = true;
            }
            sleep(TRY_EVERY).await;
        };
        if let Some(killed) = lock.file.as_mut().and_then(name_in) {
            events
                .say(format!("{killed} was killed: waiting until the engine is done with what it asked for"));
            sleep(SETTLE).await;
        }
        if let Some(file) = &mut lock.file {
            let _ = sign(file, command); // for people only: a full disk must not keep anything from being removed
        }
        Ok(Self { lock })
    }
}

/// Writes down who holds the lock.
fn sign(file: &mut File, command: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "`ordersys {command}` (process {})", std::process::id())
}

/// Who says to hold the lock.
fn named_in(project: &Project) -> Option<String> {
    name_in(&mut File::open(project.dir.join(FILE)).ok()?)
}

/// Whose name is in the file.
fn name_in(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_says_who_holds_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let project = Project::new("p".parse().expect("a name"), dir.path());
        let events = Events::ignored();
        let limit = Duration::from_millis(60);
        let first = ProjectLock::take(&project, "up", limit, &events).await.expect("free");
        let second = ProjectLock::take(&project, "down", limit, &events).await.expect_err("held");
        assert_eq!(second.exit, Exit::TimedOut);
        let wanted =
            format!("project `p` is still being changed by `ordersys up` (process {})", std::process::id());
        assert_eq!(second.error.to_string(), wanted);
        drop(first);
        let started = Instant::now();
        let third = ProjectLock::take(&project, "down", limit, &events).await.expect("free again");
        assert!(started.elapsed() < SETTLE, "no process was killed");
        let named = std::fs::read(project.dir.join(FILE)).expect("signed");
        drop(third);
        std::fs::write(project.dir.join(FILE), named).expect("written"); // as a kill leaves it: the name stays
        ProjectLock::take(&project, "up", limit, &events).await.expect("free again");
        assert!(started.elapsed() >= SETTLE, "what it asked for may still come");
    }
}
