//! One at a time: locks on files, which the operating system drops with their holder however it ends.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::identity::Identity;
use super::layout::open_private;

/// Pause between two attempts to get a lock.
const RETRY: Duration = Duration::from_millis(5);

/// A lock, held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Who holds the supervisor's lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// The supervisor's process.
    pub(super) identity: Identity,
    /// The program it runs, as `os::program_stamp` names it.
    pub(super) program: String,
}

impl Lock {
    /// Takes the lock; `None` if somebody else holds it.
    pub(super) fn try_take(path: &Path) -> anyhow::Result<Option<Self>> {
        let file = open_private(path).with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Takes the lock, waiting for its holder no longer than `limit`.
    pub(super) async fn take(path: &Path, limit: Duration) -> anyhow::Result<Self> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(lock) = Self::try_take(path)? {
                return Ok(lock);
            }
            if Instant::now() >= deadline {
                bail!("{} is held by another command for longer than {limit:?}", path.display());
            }
            sleep(RETRY).await;
        }
    }

    /// Writes into the lock's file who holds it.
    pub(super) fn sign(&mut self, holder: &Holder) -> anyhow::Result<()> {
        let text = serde_json::to_vec(holder)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        Ok(())
    }
}

impl Holder {
    /// Who signed the lock's file last and is still alive. `None` also in the moment between a
    /// holder's taking the lock and its signature.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mut text = Vec::new();
        File::open(path).ok()?.read_to_end(&mut text).ok()?;
        let holder: Self = serde_json::from_slice(&text).ok()?;
        holder.identity.is_alive().then_some(holder)
    }
}
