//! The private file that keeps a project's accounts, and the lock under which it changes.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};

use crate::accounts::Accounts;
use ordersys_command::{Exit, Failure, OrFail as _, Outcome};
use ordersys_stack::model::project::{Project, STATE_HINT, quoted};
use ordersys_stack::ops::down::Forgotten;
use ordersys_supervisor::files::{is_at, try_lock_file, write_private};

const FILE: &str = "accounts.json";
const LOCK: &str = "accounts.lock";
/// How long a command waits for another that changes the accounts; a refresh takes one call.
const LOCK_LIMIT: Duration = Duration::from_secs(30);
/// Pause between two tries.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// The accounts as they are stored; a replaced file is seen whole or not at all.
pub(super) fn read(project: &Project) -> Outcome<Accounts> {
    let path = project.dir.join(FILE);
    match fs::read(&path) {
        Ok(text) if text.is_empty() => Ok(Accounts::default()), // a power cut left it so
        Ok(text) => serde_json::from_slice(&text)
            .with_context(|| format!("{} does not hold accounts", path.display()))
            .hint(format!("`rm {}`, then log in again", quoted(&path.display().to_string()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Accounts::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display()))?,
    }
}

/// The right to change the accounts. The operating system gives it back, also after a kill.
#[derive(Debug)]
pub(super) struct Locked {
    path: PathBuf,
    lock_path: PathBuf,
    lock: File,
}

impl Locked {
    /// Waits for commands that change the accounts at the moment.
    pub(super) async fn take(project: &Project) -> Outcome<Self> {
        project.claim().exit(Exit::Environment).hint(STATE_HINT)?;
        let lock_path = project.dir.join(LOCK);
        let deadline = Instant::now() + LOCK_LIMIT;
        loop {
            let taken = try_lock_file(&lock_path);
            let taken = taken.with_context(|| format!("cannot lock {}", lock_path.display()));
            if let Some(lock) = taken.exit(Exit::Environment).hint(STATE_HINT)? {
                return Ok(Self { path: project.dir.join(FILE), lock_path, lock });
            }
            if Instant::now() >= deadline {
                let what = "another command is still refreshing a login of this project";
                return Err(Failure::new(Exit::TimedOut, what).hint("try again when it is done"));
            }
            sleep(TRY_EVERY).await;
        }
    }

    /// Stores the accounts durably.
    pub(super) fn write(&self, accounts: &Accounts) -> anyhow::Result<()> {
        if !is_at(&self.lock, &self.lock_path)? {
            anyhow::bail!("{} was removed while a command held it", self.lock_path.display());
        }
        write_private(&self.path, &serde_json::to_vec_pretty(accounts)?)
    }
}

/// [`forget_own`] in the form that `down` takes.
#[must_use]
pub fn forget(project: Project) -> BoxFuture<'static, Outcome<Forgotten>> {
    Box::pin(async move { forget_own(&project).await })
}

/// Drops the logins at the project's own services, whose accounts are gone, and the file if none is left. A file
/// that cannot be read goes too.
pub async fn forget_own(project: &Project) -> Outcome<Forgotten> {
    if ![FILE, LOCK].iter().any(|name| project.dir.join(name).exists()) {
        return Ok(Forgotten { removed: 0, kept: 0 });
    }
    let locked = Locked::take(project).await?;
    let mut accounts = read(project).unwrap_or_default();
    let removed = accounts.remove_own();
    let kept = accounts.accounts.len();
    if kept > 0 {
        locked.write(&accounts)?;
    } else {
        for path in [&locked.path, &locked.lock_path] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(error).with_context(|| format!("cannot remove {}", path.display()))?;
                }
                _ => {}
            }
        }
    }
    Ok(Forgotten { removed, kept })
}
