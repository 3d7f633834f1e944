//! What an error of SQLite means, for the caller and for the store as a whole. Result codes are at
//! <https://sqlite.org/rescode.html>.

use rusqlite::{Error, ffi};

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk has no room. Nothing of the transaction counts.
    Full,
    /// Another program has held a lock for longer than is waited for.
    Busy,
    /// The system refused before anything was written: read-only, no permission, no more open files.
    Unwritable,
    /// A write failed. Whether a part of it got to the disk depends on why.
    Broken,
    /// A sync failed: what is on disk is not known.
    Unknown,
    /// What was stored cannot be read, or makes no sense.
    Damaged,
    /// There is no memory.
    Memory,
    /// A new row has the key of another one.
    Taken,
    /// A mistake of ours.
    Statement,
}

impl Fault {
    /// What this error means.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            // Tables are strict: a value that does not fit was not written by the service.
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => Self::Damaged,
            other => other.sqlite_error().map_or(Self::Statement, |error| Self::of_code(error.extended_code)),
        }
    }

    fn of_code(extended: i32) -> Self {
        match extended & 0xff {
            ffi::SQLITE_FULL => Self::Full,
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => Self::Busy,
            ffi::SQLITE_READONLY if extended == ffi::SQLITE_READONLY_DBMOVED => Self::Damaged,
            ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM => Self::Unwritable,
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB | ffi::SQLITE_FORMAT => Self::Damaged,
            ffi::SQLITE_NOMEM => Self::Memory,
            ffi::SQLITE_IOERR => Self::of_disk(extended),
            ffi::SQLITE_CONSTRAINT => match extended {
                ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => Self::Taken,
                _ => Self::Statement,
            },
            _ => Self::Statement,
        }
    }

    fn of_disk(extended: i32) -> Self {
        match extended {
            ffi::SQLITE_IOERR_READ
            | ffi::SQLITE_IOERR_SHORT_READ
            | ffi::SQLITE_IOERR_CORRUPTFS
            | ffi::SQLITE_IOERR_DATA => Self::Damaged,
            ffi::SQLITE_IOERR_SHMSIZE => Self::Full, // the only way in which a small file does not grow
            ffi::SQLITE_IOERR_NOMEM => Self::Memory,
            ffi::SQLITE_IOERR_BLOCKED => Self::Busy,
            ffi::SQLITE_IOERR_SHMOPEN
            | ffi::SQLITE_IOERR_SHMMAP
            | ffi::SQLITE_IOERR_SHMLOCK
            | ffi::SQLITE_IOERR_LOCK
            | ffi::SQLITE_IOERR_RDLOCK
            | ffi::SQLITE_IOERR_CHECKRESERVEDLOCK
            | ffi::SQLITE_IOERR_FSTAT
            | ffi::SQLITE_IOERR_ACCESS => Self::Unwritable,
            ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_TRUNCATE | ffi::SQLITE_IOERR_SEEK => Self::Broken,
            _ => Self::Unknown,
        }
    }

    /// Whether only the command that met it fails. Any other fault is one of the whole store.
    pub(crate) fn is_of_command(self) -> bool {
        matches!(self, Self::Taken | Self::Statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_code_of_a_store_that_fails_has_a_meaning_of_its_own() {
        for (code, fault) in [
            (ffi::SQLITE_FULL, Fault::Full),
            (ffi::SQLITE_IOERR_SHMSIZE, Fault::Full),
            (ffi::SQLITE_BUSY, Fault::Busy),
            (ffi::SQLITE_BUSY_RECOVERY, Fault::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, Fault::Busy),
            (ffi::SQLITE_LOCKED, Fault::Busy),
            (ffi::SQLITE_PROTOCOL, Fault::Busy),
            (ffi::SQLITE_READONLY, Fault::Unwritable),
            (ffi::SQLITE_READONLY_DIRECTORY, Fault::Unwritable),
            (ffi::SQLITE_READONLY_DBMOVED, Fault::Damaged),
            (ffi::SQLITE_CANTOPEN, Fault::Unwritable),
            (ffi::SQLITE_PERM, Fault::Unwritable),
            (ffi::SQLITE_IOERR_WRITE, Fault::Broken),
            (ffi::SQLITE_IOERR_TRUNCATE, Fault::Broken),
            (ffi::SQLITE_IOERR_FSYNC, Fault::Unknown),
            (ffi::SQLITE_IOERR_DIR_FSYNC, Fault::Unknown),
            (ffi::SQLITE_IOERR, Fault::Unknown),
            (ffi::SQLITE_IOERR_READ, Fault::Damaged),
            (ffi::SQLITE_IOERR_SHORT_READ, Fault::Damaged),
            (ffi::SQLITE_IOERR_NOMEM, Fault::Memory),
            (ffi::SQLITE_NOMEM, Fault::Memory),
            (ffi::SQLITE_CORRUPT, Fault::Damaged),
            (ffi::SQLITE_CORRUPT_INDEX, Fault::Damaged),
            (ffi::SQLITE_NOTADB, Fault::Damaged),
            (ffi::SQLITE_CONSTRAINT_PRIMARYKEY, Fault::Taken),
            (ffi::SQLITE_CONSTRAINT_ROWID, Fault::Taken),
            (ffi::SQLITE_CONSTRAINT_CHECK, Fault::Statement),
            (ffi::SQLITE_TOOBIG, Fault::Statement),
            (ffi::SQLITE_ERROR, Fault::Statement),
        ] {
            let error = Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(Fault::of(&error), fault, "{error}");
        }
        assert_eq!(Fault::of(&Error::IntegralValueOutOfRange(3, 99)), Fault::Damaged);
        assert_eq!(Fault::of(&Error::QueryReturnedNoRows), Fault::Statement);
    }
}
