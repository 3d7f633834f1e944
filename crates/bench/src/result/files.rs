//! Files of results: meant to be read by others, who may not change them whatever the umask.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Others may read.
const SHARED: u32 = 0o644;
/// Others may look into the directory.
const SHARED_DIR: u32 = 0o755;

/// Makes a file, or empties it, that is meant to be read by others: they may not change it whatever the umask.
pub fn create_shared(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(SHARED).open(path)
}

/// Makes a directory that others may look into and not change, whatever the umask.
pub fn make_shared_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(SHARED_DIR).create(path)
}
