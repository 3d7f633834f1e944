//! The private file that keeps a project's accounts, and the lock under which it changes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use super::Accounts;
use crate::cli::{Exit, Failure, OrFail as _, Outcome};
use crate::stack::project::{Project, STATE_HINT, make_private_dir, write_private};

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
        Ok(text) => serde_json::from_slice(&text)
            .with_context(|| format!("{} does not hold accounts", path.display()))
            .hint("remove the file and log in again"),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Accounts::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display()))?,
    }
}

/// The right to change the accounts. The operating system gives it back, also after a kill.
#[derive(Debug)]
pub(super) struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits for commands that change the accounts at the moment.
    pub(super) async fn take(project: &Project) -> Outcome<Self> {
        make_private_dir(&project.dir).exit(Exit::Environment).hint(STATE_HINT)?;
        let path = project.dir.join(LOCK);
        let open = || format!("cannot open {}", path.display());
        let lock = private(&path).with_context(open).exit(Exit::Environment).hint(STATE_HINT)?;
        let deadline = Instant::now() + LOCK_LIMIT;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: project.dir.join(FILE), _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(TRY_EVERY).await,
                Err(TryLockError::WouldBlock) => {
                    let what = "another command is still refreshing a login of this project";
                    return Err(Failure::new(Exit::TimedOut, what).hint("try again when it is done"));
                }
                Err(TryLockError::Error(error)) => {
                    Err(error).with_context(|| format!("cannot lock {}", path.display()))?;
                }
            }
        }
    }

    /// Stores the accounts durably.
    pub(super) fn write(&self, accounts: &Accounts) -> anyhow::Result<()> {
        write_private(&self.path, &serde_json::to_vec_pretty(accounts)?)
    }
}

fn private(path: &std::path::Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Drops the logins at the project's own services, whose accounts are gone; says how many.
pub async fn forget_own(project: &Project) -> Outcome<usize> {
    if !project.dir.join(FILE).exists() {
        return Ok(0);
    }
    let locked = Locked::take(project).await?;
    let mut accounts = read(project)?;
    let removed = accounts.remove_own();
    if removed > 0 {
        locked.write(&accounts)?;
    }
    Ok(removed)
}
