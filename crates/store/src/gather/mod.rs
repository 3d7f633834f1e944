//! Gathers what a commit adds to the log into one write.
//!
//! SQLite writes each changed page, and a header for each, by calls of their own, and syncs the log once at
//! the end of a commit. Connections opened through this module hold back what they add to the log until
//! SQLite syncs it, or looks at it. The sync comes before anybody is told of the commit, but only with
//! `synchronous = FULL`: other levels of durability keep SQLite's own way.

mod held;
mod vfs;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Opens a database that is to be used with `synchronous = FULL` only.
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    match vfs::registered() {
        Some(name) => Connection::open_with_flags_and_vfs(path, OpenFlags::default(), name),
        None => Connection::open(path),
    }
}

#[cfg(test)]
mod tests;
