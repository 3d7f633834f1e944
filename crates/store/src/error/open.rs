//! Why a store does not open, and the way out.

use std::path::{Path, PathBuf};

use crate::database::fault::Fault;
use crate::database::holders;
use crate::error::StoreError;
use crate::postgres::PgOpenError;

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another service of this one, has it open.
    #[error("the data directory {} is in use by {}", path.display(), holder(*pid))]
    InUse {
        /// Which directory.
        path: PathBuf,
        /// The process that has it open, as far as the lock file tells.
        pid: Option<u32>,
    },
    /// The directory cannot be made or its lock not taken.
    #[error("the data directory {} cannot be used", path.display())]
    Directory {
        /// Which directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The directory or a file in it belongs to another user, who could change it at any time.
    #[error("{} belongs to user {owner}, and this process runs as user {own}", path.display())]
    Owner {
        /// Which file or directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this process.
        own: u32,
    },
    /// Something else is in the place of a file.
    #[error("{} is {found}, not a file", path.display())]
    NotAFile {
        /// Which path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// The database is gone, in a directory that was used before. It is not made anew.
    #[error("the database {} {what}", path.display())]
    Lost {
        /// Which file.
        path: PathBuf,
        /// What is the matter.
        what: &'static str,
    },
    /// The database is another one than the one that was made in this directory.
    #[error("the database {} {why}", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What tells that.
        why: String,
        /// The file that says which one is expected.
        identity: PathBuf,
    },
    /// The file that says which database belongs here cannot be used.
    #[error("the identity of the store, {}, cannot be used", path.display())]
    Identity {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Another program holds the lock of the database.
    #[error("the database {} is locked by {holders}", path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
        /// Who holds the lock, as far as the system tells.
        holders: String,
    },
    /// The disk has no room for what opening takes.
    #[error("the disk of the database {} is full", path.display())]
    Full {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The database can be read only.
    #[error("the database {} cannot be written", path.display())]
    ReadOnly {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The database opened, and what the service needs of it cannot be read or written.
    #[error("the database {} cannot be used", path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: StoreError,
    },
    /// The database file cannot be opened or migrated.
    #[error("the database {} cannot be opened", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// The file is no database or a damaged one. It is left as it is.
    #[error("the database {} is damaged; it was not changed", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What SQLite found.
        source: rusqlite::Error,
    },
    /// A database of PostgreSQL does not do.
    #[error(transparent)]
    Postgres(#[from] PgOpenError),
    /// A setting did not take: data would not be as safe as promised.
    #[error("the database does not keep {setting}: wanted {wanted}, got {got}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// What was asked for.
        wanted: String,
        /// What it is.
        got: String,
    },
    /// The database lacks part of its schema, or something was added that changes rows by itself.
    #[error("the database {} {why}; it was not changed", path.display())]
    Schema {
        /// Which file.
        path: PathBuf,
        /// What is missing or was added.
        why: String,
    },
    /// The file was written by a newer program.
    #[error("the database {} has schema {found}, this program knows up to {known}", path.display())]
    TooNew {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// The newest known one.
        known: usize,
    },
    /// The linked SQLite can corrupt its log (fixed in 3.51.3).
    #[error("SQLite {0} is too old, at least 3.51.3 is needed")]
    SqliteTooOld(&'static str),
    /// No thread could be started.
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another instance".to_owned(), |pid| format!("process {pid}"))
}

impl OpenError {
    /// Why a database file failed to open: damage needs other steps than the rest.
    pub(crate) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match Fault::of(&source) {
            Fault::Damaged => Self::Damaged { path, source },
            Fault::Full => Self::Full { path, source },
            Fault::Busy => Self::Locked { holders: holders::of(&path), path },
            _ => Self::Database { path, source },
        }
    }

    /// What to do next, where the program can tell.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::InUse { pid: Some(pid), .. } => {
                Some(format!("stop process {pid}, or name another --data-dir"))
            }
            Self::InUse { pid: None, .. } => {
                Some("stop the other instance, or name another --data-dir".into())
            }
            Self::Damaged { .. } | Self::Lost { .. } | Self::Unusable { source: StoreError::Damaged, .. } => {
                Some("restore the directory from a copy, or name an empty --data-dir".into())
            }
            Self::Schema { path, .. } => Some(format!(
                "restore the directory from a copy, or put it right with `sqlite3 '{}'` (CREATE what is missing, DROP \
                 what was added)",
                path.display()
            )),
            Self::Foreign { path, identity, .. } => Some(format!(
                "put the right {} back; to take this one over for good: rm '{}'",
                path.file_name().unwrap_or_default().display(),
                identity.display()
            )),
            Self::Identity { path, .. } => Some(format!(
                "restore it from a copy; to have it made anew from the database: rm '{}'",
                path.display()
            )),
            Self::Owner { path, own, .. } => {
                Some(format!("start as that user, or: chown -R {own} '{}'", path.display()))
            }
            Self::NotAFile { path, .. } => {
                Some(format!("move {} away and put the file there", path.display()))
            }
            Self::Locked { .. } | Self::Unusable { source: StoreError::Busy, .. } => {
                Some("end that program, then start again".into())
            }
            Self::Full { .. } | Self::Unusable { source: StoreError::Full, .. } => {
                Some("free space on that disk".into())
            }
            Self::ReadOnly { .. } => Some("make the file and its file system writable".into()),
            Self::TooNew { .. } => Some("start the newer program that wrote it".into()),
            Self::Directory { .. } => Some("check that the directory exists and may be written to".into()),
            Self::Postgres(error) => error.hint(),
            Self::Unusable { .. }
            | Self::Database { .. }
            | Self::Setting { .. }
            | Self::SqliteTooOld(_)
            | Self::Thread(_) => None,
        }
    }
}
