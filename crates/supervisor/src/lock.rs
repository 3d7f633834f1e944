//! One at a time: locks which the operating system drops with their holder however it ends.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::files::{DirLock, try_lock_file};
use crate::layout::{Layout, SUPERVISOR_LOCK};
use crate::os;
use crate::os::identity::Identity;
use crate::os::table;

/// Pause between two attempts to get a lock.
const RETRY: Duration = Duration::from_millis(5);

/// The right to change the list of services, held until dropped.
#[derive(Debug)]
pub(crate) struct ApplyLock {
    _file: File,
}

/// The right to run the project's services, held until dropped.
#[derive(Debug)]
pub(crate) struct SupervisorLock(DirLock);

/// Who holds the supervisor's lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    /// The supervisor's process.
    pub(crate) identity: Identity,
    /// The program it runs, as `os::program_stamp` names it.
    pub(crate) program: String,
}

impl ApplyLock {
    /// Takes the lock, waiting for its holder no longer than `limit`.
    pub(crate) async fn take(path: &Path, limit: Duration) -> anyhow::Result<Self> {
        let deadline = Instant::now() + limit;
        loop {
            let taken = try_lock_file(path).with_context(|| format!("cannot lock {}", path.display()))?;
            if let Some(file) = taken {
                return Ok(Self { _file: file });
            }
            if Instant::now() >= deadline {
                bail!("{} is held by another command for longer than {limit:?}", path.display());
            }
            sleep(RETRY).await;
        }
    }
}

impl SupervisorLock {
    /// Takes the lock; `None` if another process holds it.
    pub(crate) fn try_take(layout: &Layout) -> anyhow::Result<Option<Self>> {
        let dir = layout.own_dir();
        let taken = DirLock::try_take(&dir, SUPERVISOR_LOCK);
        Ok(taken.with_context(|| format!("cannot lock {}", dir.display()))?.map(Self))
    }

    /// Takes the lock, waiting for its holder no longer than `limit`.
    pub(crate) async fn take(layout: &Layout, limit: Duration) -> anyhow::Result<Self> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(lock) = Self::try_take(layout)? {
                return Ok(lock);
            }
            if Instant::now() >= deadline {
                bail!("{} is held for longer than {limit:?}", layout.own_dir().display());
            }
            sleep(RETRY).await;
        }
    }

    /// Writes down who holds it.
    pub(crate) fn sign(&mut self, path: &Path, holder: &Holder) -> anyhow::Result<()> {
        let text = serde_json::to_vec(holder)?;
        let file = self.0.file.as_mut().with_context(|| format!("cannot make {}", path.display()))?;
        let mut sign = || {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&text)
        };
        sign().with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Holder {
    /// The process that holds the lock of this very directory, as far as it has signed; its file alone proves
    /// nothing, since a copy of the directory has it too.
    pub(crate) fn of(layout: &Layout) -> Option<Self> {
        if !DirLock::is_held(&layout.own_dir(), SUPERVISOR_LOCK) {
            return None;
        }
        let mut text = Vec::new();
        let read = File::open(layout.supervisor_lock()).and_then(|mut file| file.read_to_end(&mut text));
        let signed = read.ok().and_then(|_| serde_json::from_slice::<Self>(&text).ok());
        signed.filter(|holder| holder.identity.is_alive()).or_else(|| {
            // Its file was removed, or there was no room for its name: the system knows who holds the lock.
            let identity = Identity::of(table::locks_directory(&layout.own_dir())?)?;
            let program = os::stamp_of(identity.pid).unwrap_or_default();
            Some(Self { identity, program })
        })
    }
}
