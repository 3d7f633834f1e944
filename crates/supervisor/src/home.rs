//! Which directory is meant: a path alone may name a copy, or another that was put in its place.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where a directory is on disk. A copy is elsewhere; a directory that is renamed is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    device: u64,
    inode: u64,
    path: PathBuf,
}

impl Home {
    /// Where this directory is now.
    pub fn of(dir: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(dir)?;
        let found = fs::metadata(&path)?;
        Ok(Self { device: found.dev(), inode: found.ino(), path })
    }

    /// Whether this is the same directory. The number of a device may change with a restart of the machine.
    fn is(&self, other: &Self) -> bool {
        self.inode == other.inode && (self.device == other.device || self.path == other.path)
    }

    /// Whether this is the directory at this path now.
    #[must_use]
    pub fn is_at(&self, dir: &Path) -> bool {
        Self::of(dir).is_ok_and(|now| self.is(&now))
    }
}
