//! One command at a time changes a project: a lock the operating system drops with its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use super::project::{Project, STATE_HINT, make_private_dir};
use crate::cli::{Exit, Failure, OrFail as _, Outcome};
use crate::ui::Printer;

const FILE: &str = "change.lock";
/// Pause between two tries.
const TRY_EVERY: Duration = Duration::from_millis(50);
/// How long an engine may go on with what a killed command had asked of it: a request does not end
/// with the connection, and what it makes appears only then.
const SETTLE: Duration = Duration::from_secs(1);

/// The right to change a project; given back when dropped, also by a kill.
#[derive(Debug)]
pub(super) struct ProjectLock {
    file: File,
}

impl Drop for ProjectLock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0); // a name that is left says that its command was killed
    }
}

impl ProjectLock {
    /// Takes the lock, waiting for another holder for at most `limit`; says for whom.
    pub(super) async fn take(
        project: &Project,
        command: &str,
        limit: Duration,
        printer: &Printer,
    ) -> Outcome<Self> {
        make_private_dir(&project.dir).exit(Exit::Environment).hint(STATE_HINT)?;
        let path = project.dir.join(FILE);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let opened =
            opened.with_context(|| format!("cannot open {}", path.display())).exit(Exit::Environment);
        let mut file = opened.hint(STATE_HINT)?;
        let deadline = Instant::now() + limit;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    Err(error).with_context(|| format!("cannot lock {}", path.display()))?;
                }
            }
            let holder = name_in(&mut file).unwrap_or_else(|| "another process".to_owned());
            if Instant::now() >= deadline {
                let what = format!("project `{}` is still being changed by {holder}", project.name);
                return Err(Failure::new(Exit::TimedOut, what).hint("try again when it is done"));
            }
            if !told {
                printer.say(format!("waiting for {holder}, which is changing project `{}`", project.name));
                told = true;
            }
            sleep(TRY_EVERY).await;
        }
        if let Some(killed) = name_in(&mut file) {
            printer
                .say(format!("{killed} was killed: waiting until the engine is done with what it asked for"));
            sleep(SETTLE).await;
        }
        Ok(Self { file: signed(file, command)? })
    }
}

/// Writes down who holds the lock; for people only.
fn signed(mut file: File, command: &str) -> anyhow::Result<File> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "`ordersys {command}` (process {})", std::process::id())?;
    Ok(file)
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
    use crate::ui::Output;

    #[tokio::test]
    async fn the_second_says_who_holds_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let project = Project::new("p".parse().expect("a name"), dir.path());
        let printer = Printer::new(Output::Table, true);
        let limit = Duration::from_millis(60);
        let first = ProjectLock::take(&project, "up", limit, &printer).await.expect("free");
        let second = ProjectLock::take(&project, "down", limit, &printer).await.expect_err("held");
        assert_eq!(second.exit, Exit::TimedOut);
        let wanted =
            format!("project `p` is still being changed by `ordersys up` (process {})", std::process::id());
        assert_eq!(second.error.to_string(), wanted);
        drop(first);
        let started = Instant::now();
        let third = ProjectLock::take(&project, "down", limit, &printer).await.expect("free again");
        assert!(started.elapsed() < SETTLE, "nobody was killed");
        third.file.unlock().expect("unlocked"); // as a kill does it: the name stays
        ProjectLock::take(&project, "up", limit, &printer).await.expect("free again");
        assert!(started.elapsed() >= SETTLE, "what it asked for may still come");
    }
}
