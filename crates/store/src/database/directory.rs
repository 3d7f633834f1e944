//! The directory of a store: for its owner alone, and for one process at a time.
//!
//! The lock is on the directory and on the database itself, so that it cannot be removed. A file beside them
//! says who holds it, and whether the last holder came to its end.

use std::fs::{self, DirBuilder, File, Metadata, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::database::open;
use crate::{OpenError, Options};

/// What may be done with a directory: by its owner alone.
const DIRECTORY_MODE: u32 = 0o700;
/// What may be done with a file: by its owner alone.
const FILE_MODE: u32 = 0o600;
/// The bits of a mode that let others in.
const OTHERS: u32 = 0o077;
/// The file that says who holds the directory.
const LOCK: &str = "lock";

/// How the process before this one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastEnd {
    /// It closed the store.
    Closed,
    /// It did not.
    Open,
    /// It met damage.
    Damaged,
    /// Nothing tells: the store is new, was made by an earlier version, or the file was removed.
    Unknown,
}

impl LastEnd {
    fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed\n",
            Self::Open => "open\n",
            Self::Damaged => "damaged\n",
            Self::Unknown => "",
        }
    }
}

/// A directory that no other process uses.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Open for its lock.
    own: File,
    /// Says who holds it.
    lock: File,
    pub(crate) last_end: LastEnd,
}

/// The open files that keep other processes out. Closing the database's would drop SQLite's own locks, so
/// it lives as long as any connection.
#[derive(Debug)]
pub(crate) struct Held {
    directory: Directory,
    damage_noted: AtomicBool,
    pub(crate) database: File,
}

impl Directory {
    /// Makes the directory if it is missing, and takes it for this process.
    pub(crate) fn take(options: &Options) -> Result<Self, OpenError> {
        let path = &options.dir;
        let failed = |source| OpenError::Directory { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path).map_err(failed)?;
        let own = File::open(path).map_err(failed)?;
        keep_others_out(path, &own.metadata().map_err(failed)?)?;
        check_files(options)?;
        match own.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let lock = open_or_make(&path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path)), // by an earlier version
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let last_end = signature(path).1;
        let directory = Self { path: path.clone(), own, lock, last_end };
        directory.sign(last_end);
        Ok(directory)
    }

    /// Opens the database file for its lock, and makes it where it is to be new.
    pub(crate) fn hold(self, database: &Path, is_new: bool) -> Result<Held, OpenError> {
        let opened = if is_new {
            open_or_make(database)
        } else {
            File::options().read(true).write(true).open(database)
        };
        let failed = |source: io::Error| OpenError::ReadOnly { path: database.to_owned(), source };
        let file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Held { directory: self, damage_noted: AtomicBool::new(false), database: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: self.path, pid: None }),
            Err(TryLockError::Error(source)) => Err(OpenError::Directory { path: self.path, source }),
        }
    }

    /// Makes what was made or renamed in the directory durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.own.sync_all()
    }

    /// Says who holds the directory and how it was left. What cannot be written, since the disk is full, says
    /// nothing instead of something wrong.
    fn sign(&self, end: LastEnd) {
        let text = format!("{}\n{}", std::process::id(), end.word());
        let written = self.lock.write_all_at(text.as_bytes(), 0);
        let length = written.map_or(0, |()| text.len() as u64);
        if let Err(error) = self.lock.set_len(length).and_then(|()| self.lock.sync_all()) {
            tracing::debug!(path = %self.path.display(), %error, "the lock file is not written");
        }
    }
}

impl Held {
    /// From now on the store counts as left open, until it is closed.
    pub(crate) fn mark_open(&self) {
        self.directory.sign(LastEnd::Open);
    }

    /// All that was committed is in the database file, and nothing is amiss with it.
    pub(crate) fn mark_closed(&self) {
        self.directory.sign(LastEnd::Closed);
    }

    /// What is there cannot be trusted: the next start refuses it.
    pub(crate) fn mark_damaged(&self) {
        if !self.damage_noted.swap(true, Ordering::Relaxed) {
            self.directory.sign(LastEnd::Damaged);
        }
    }

    pub(crate) fn last_end(&self) -> LastEnd {
        self.directory.last_end
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }
}

fn open_or_make(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).read(true).write(true).mode(FILE_MODE).open(path)
}

fn in_use(path: &Path) -> OpenError {
    OpenError::InUse { path: path.to_owned(), pid: signature(path).0 }
}

/// Who says to hold the directory, if it is not being written right now, and how it was left.
fn signature(dir: &Path) -> (Option<u32>, LastEnd) {
    let text = fs::read_to_string(dir.join(LOCK)).unwrap_or_default();
    let mut lines = text.split_inclusive('\n');
    let pid = lines.next().and_then(|line| line.strip_suffix('\n')?.parse().ok());
    let end = [LastEnd::Closed, LastEnd::Open, LastEnd::Damaged]
        .into_iter()
        .find(|end| lines.clone().next() == Some(end.word()));
    (pid, end.unwrap_or(LastEnd::Unknown))
}

/// Every file of the store is one of its own, and every file in the directory is closed to others.
fn check_files(options: &Options) -> Result<(), OpenError> {
    let failed = |source| OpenError::Directory { path: options.dir.clone(), source };
    let database = open::file(options);
    let beside = |suffix: &str| database.with_extension(format!("db{suffix}"));
    let own = [
        database.clone(),
        beside("-wal"),
        beside("-shm"),
        beside("-journal"),
        options.dir.join(LOCK),
        options.dir.join(crate::database::identity::FILE),
    ];
    for entry in fs::read_dir(&options.dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(metadata) = seen(fs::symlink_metadata(&path)).map_err(failed)? else { continue };
        let is_file = metadata.is_file();
        if own.contains(&path) && !is_file || metadata.is_symlink() {
            return Err(OpenError::NotAFile { path, found: what_is(&metadata) });
        }
        if is_file {
            keep_others_out(&path, &metadata)?;
        }
    }
    Ok(())
}

/// What is there; a file may go at any moment.
fn seen(found: io::Result<Metadata>) -> io::Result<Option<Metadata>> {
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn what_is(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else {
        "a device or socket"
    }
}

/// Takes from others what they may do with a file or directory that is this user's.
fn keep_others_out(path: &Path, metadata: &Metadata) -> Result<(), OpenError> {
    let (owner, own) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != own {
        return Err(OpenError::Owner { path: path.to_owned(), owner, own });
    }
    let wanted = if metadata.is_dir() { DIRECTORY_MODE } else { FILE_MODE };
    let mode = metadata.mode() & 0o777;
    if mode & OTHERS == 0 && mode & wanted == wanted {
        return Ok(());
    }
    let changed = fs::set_permissions(path, Permissions::from_mode(wanted));
    changed.map_err(|source| OpenError::Directory { path: path.to_owned(), source })?;
    tracing::warn!(path = %path.display(), from = format!("{mode:o}"), to = format!("{wanted:o}"), "closed to other users");
    Ok(())
}
