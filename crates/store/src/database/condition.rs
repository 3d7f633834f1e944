//! Whether a store can do its work, and if not, why and what helps.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Options;
use crate::database::fault::Fault;
use crate::database::open;

/// What keeps a store from writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The disk has no room.
    Full,
    /// Another program holds the lock of the database.
    Busy,
    /// The system does not let it write.
    Unwritable,
    /// What is stored cannot be trusted. Stays until the directory is restored.
    Damaged,
}

/// The condition of one store, shared by its threads.
#[derive(Debug)]
pub(crate) struct Condition {
    name: &'static str,
    path: PathBuf,
    trouble: Mutex<Option<Trouble>>,
}

impl Condition {
    pub(crate) fn sound(options: &Options) -> Self {
        Self { name: options.name, path: open::file(options), trouble: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is the matter, if anything is.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        *self.lock()
    }

    /// Notes trouble, and logs it once. Damage is the worst, and not forgotten for anything less.
    pub(crate) fn notice(&self, trouble: Trouble, cause: &str) {
        let mut now = self.lock();
        if *now == Some(trouble) || *now == Some(Trouble::Damaged) {
            return;
        }
        *now = Some(trouble);
        drop(now);
        let reason = self.sentence(trouble);
        tracing::error!(store = self.name, file = %self.path.display(), cause, "{reason}");
    }

    /// Notes what a reader met. Only damage is the store's: a reader does not write.
    pub(crate) fn notice_reading(&self, error: &rusqlite::Error) {
        if Fault::of(error) == Fault::Damaged {
            self.notice(Trouble::Damaged, &error.to_string());
        }
    }

    /// A write went through where none did.
    pub(crate) fn recovered(&self) {
        let mut now = self.lock();
        if now.is_some_and(|trouble| trouble != Trouble::Damaged) {
            *now = None;
            drop(now);
            tracing::info!(store = self.name, file = %self.path.display(), "the store can be written again");
        }
    }

    /// Why the store cannot do its work, fit for any reader: names the file, never where it is.
    pub(crate) fn reason(&self) -> Option<String> {
        self.trouble().map(|trouble| self.sentence(trouble))
    }

    fn sentence(&self, trouble: Trouble) -> String {
        let file = format!("{}.db", self.name);
        match trouble {
            Trouble::Full => {
                format!("no room to write {file}: free space on its disk, the service then goes on by itself")
            }
            Trouble::Busy => {
                format!(
                    "another program holds the lock of {file}: end it, the service then goes on by itself"
                )
            }
            Trouble::Unwritable => {
                format!(
                    "the system does not let {file} be written: the service goes on by itself once it does"
                )
            }
            Trouble::Damaged => {
                format!("{file} is damaged: stop the service and restore its data directory from a copy")
            }
        }
    }
}
