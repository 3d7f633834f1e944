//! Files that decide: private whatever the umask, never reached through a link, and locked so that a file
//! put in the place of another lets no second holder in.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use rustix::fs::OFlags;

/// Only the owner may read and write.
const PRIVATE: u32 = 0o600;
/// How often a lock is tried again on a file that went, or was replaced, meanwhile.
const LOCK_TRIES: u32 = 100;

/// How files of a state directory are opened: not through a link.
pub fn unlinked(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
}

/// Opens a file that only its owner may read, making it if need be; content stays.
pub fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(PRIVATE);
    unlinked(&mut options).open(path)
}

/// Opens a file for appending, readable by its owner only.
pub fn append_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(PRIVATE);
    unlinked(&mut options).open(path)
}

/// Makes a directory that only its owner may enter.
pub fn make_private_dir(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).with_context(|| format!("cannot make the directory {}", path.display()))
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let whole = || -> anyhow::Result<()> {
        let dir = path.parent().context("a file needs a directory")?;
        let mut file = tempfile::NamedTempFile::new_in(dir)?; // made with mode 0600
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        fs::File::open(dir)?.sync_all()?; // the name too
        Ok(())
    };
    whole().with_context(|| format!("cannot write {}", path.display()))
}

/// Whether an open file is the one at this path now.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (ours, there) = (file.metadata()?, std::fs::symlink_metadata(path));
    match there {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes the lock on what `open` opens, if it is free. What was locked is at `path` afterwards.
fn try_lock_at(path: &Path, open: impl Fn(&Path) -> io::Result<File>) -> io::Result<Option<File>> {
    for _ in 0..LOCK_TRIES {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path)? => return Ok(Some(file)),
            Ok(()) => {} // removed or replaced between the two
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other("it is replaced again and again"))
}

/// Takes the lock on a file, if it is free; makes the file if need be.
pub fn try_lock_file(path: &Path) -> io::Result<Option<File>> {
    try_lock_at(path, open_private)
}

/// An exclusive lock on a directory, which cannot be replaced as a file in it can; and on a file in it, for the
/// name of the holder and for programs of earlier versions, which know no other lock.
#[derive(Debug)]
pub struct DirLock {
    _dir: File,
    /// The file, unless there is none and no room to make one.
    pub file: Option<File>,
}

impl DirLock {
    /// Takes the lock, if it is free. Needs no space on the disk.
    pub fn try_take(dir: &Path, name: &str) -> io::Result<Option<Self>> {
        let open_dir = |path: &Path| unlinked(OpenOptions::new().read(true)).open(path);
        let Some(held) = try_lock_at(dir, open_dir)? else { return Ok(None) };
        match try_lock_file(&dir.join(name)) {
            Ok(None) => Ok(None),
            Ok(file) => Ok(Some(Self { _dir: held, file })),
            Err(error) if no_room(&error) => Ok(Some(Self { _dir: held, file: None })),
            Err(error) => Err(error),
        }
    }

    /// Whether some process holds the lock now.
    #[must_use]
    pub fn is_held(dir: &Path, name: &str) -> bool {
        let is_held = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        File::open(dir).is_ok_and(is_held) || File::open(dir.join(name)).is_ok_and(is_held)
    }
}

/// Whether a write failed for want of room, or of the right to write at all.
#[must_use]
pub fn no_room(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_that_was_removed_lets_no_second_holder_in() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = DirLock::try_take(dir.path(), "lock").expect("locks").expect("free");
        assert!(DirLock::is_held(dir.path(), "lock"));
        std::fs::remove_file(dir.path().join("lock")).expect("removes");
        assert!(DirLock::try_take(dir.path(), "lock").expect("looks").is_none(), "held all the same");
        drop(first);
        assert!(!DirLock::is_held(dir.path(), "lock"));
        assert!(DirLock::try_take(dir.path(), "lock").expect("locks").is_some());
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (link, target) = (dir.path().join("link"), dir.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).expect("links");
        assert!(open_private(&link).is_err() && append_private(&link).is_err());
        assert!(!target.exists(), "nothing was made at its end");
    }
}
