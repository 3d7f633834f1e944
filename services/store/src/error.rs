//! Why a store does not open or does not do what it was asked.

use std::path::{Path, PathBuf};

use ordersys_contract::{Code, Problem};
use rusqlite::{ErrorCode, ffi};

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
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged { path, source },
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
            Self::Damaged { .. } => {
                Some("restore the directory from a copy, or name an empty --data-dir".into())
            }
            Self::TooNew { .. } => Some("start the newer program that wrote it".into()),
            Self::Directory { .. } => Some("check that the directory exists and may be written to".into()),
            Self::Database { .. } | Self::Setting { .. } | Self::SqliteTooOld(_) | Self::Thread(_) => None,
        }
    }
}

/// Why a command or query did not happen. In every case nothing of it was written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Too many callers are waiting.
    #[error("the store's queue is full")]
    Overloaded,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The store was closed.
    #[error("the store is closed")]
    Stopped,
    /// Its caller's deadline passed before it began.
    #[error("the deadline passed; nothing was done")]
    Late,
    /// A new row has the key of another one.
    #[error("the key is taken")]
    Taken,
    /// A statement failed: a mistake of ours.
    #[error("a statement failed: {0}")]
    Statement(String),
}

impl StoreError {
    pub(crate) fn from_statement(error: &rusqlite::Error) -> Self {
        const TAKEN: [i32; 2] = [ffi::SQLITE_CONSTRAINT_PRIMARYKEY, ffi::SQLITE_CONSTRAINT_ROWID];
        match error.sqlite_error() {
            Some(error) if error.code == ErrorCode::DiskFull => Self::Full,
            Some(error) if TAKEN.contains(&error.extended_code) => Self::Taken,
            _ => Self::Statement(error.to_string()),
        }
    }
}

impl From<&StoreError> for Problem {
    /// What clients are told. A mistake of ours is logged here and not told.
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::new(Code::Overloaded, "too many requests are waiting"),
            StoreError::Full => Self::new(Code::StorageFull, "the disk is full; nothing was written"),
            StoreError::Late => Self::new(Code::DeadlinePassed, error.to_string()),
            StoreError::Stopped => Self::new(Code::Unavailable, "the service is stopping"),
            StoreError::Taken => {
                tracing::error!(%error, "a row cannot be written");
                Self::new(Code::Internal, "an internal error")
            }
            StoreError::Statement(statement) => {
                tracing::error!(error = statement, "a statement failed");
                Self::new(Code::Internal, "an internal error")
            }
        }
    }
}
