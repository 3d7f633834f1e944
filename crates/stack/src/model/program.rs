//! The program services run, and its content hash; hashed once, then remembered by size and times.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::project::Project;
use ordersys_contract::hex;
use ordersys_supervisor::files::write_private;

const FILE: &str = "program.json";
/// How much is read at a time, in bytes.
const BLOCK: usize = 256 * 1024;

/// An executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

/// What tells that a file is still the one that was hashed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    path: PathBuf,
    bytes: u64,
    stamps: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    identity: Identity,
    sha256: String,
}

impl Program {
    /// The program at `path`, or this very one.
    pub fn find(path: Option<&Path>, project: &Project) -> anyhow::Result<Self> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => std::env::current_exe().context("cannot tell which program this is")?,
        };
        let reading = || format!("cannot read the program {}", path.display());
        let path = fs::canonicalize(&path).with_context(reading)?;
        let identity = Identity::of(&path, &fs::metadata(&path).with_context(reading)?);
        let memory = project.dir.join(FILE);
        if let Some(sha256) = remembered(&memory, &identity) {
            return Ok(Self { path, sha256 });
        }
        let sha256 = hash(&path).with_context(reading)?;
        let remember = Remembered { identity, sha256: sha256.clone() };
        if project.secrets_dir().exists() {
            let _ = write_private(&memory, &serde_json::to_vec(&remember)?); // on a full disk it is hashed again
        }
        Ok(Self { path, sha256 })
    }
}

impl Program {
    /// The program at `path`, hashed now.
    pub fn hashed(path: &Path) -> std::io::Result<Self> {
        Ok(Self { path: path.to_owned(), sha256: hash(path)? })
    }
}

impl Identity {
    #[cfg(unix)]
    fn of(path: &Path, file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let inode = i64::from_ne_bytes(file.ino().to_ne_bytes());
        let stamps = vec![file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec(), inode];
        Self { path: path.to_owned(), bytes: file.len(), stamps }
    }

    #[cfg(not(unix))]
    fn of(path: &Path, file: &Metadata) -> Self {
        let since_epoch = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
        let nanos = file.modified().ok().and_then(since_epoch).map(|age| age.as_nanos());
        let stamps = nanos.and_then(|nanos| i64::try_from(nanos).ok()).into_iter().collect();
        Self { path: path.to_owned(), bytes: file.len(), stamps }
    }
}

/// A memory that cannot be read is no memory: the program is hashed again.
fn remembered(memory: &Path, identity: &Identity) -> Option<String> {
    let remembered: Remembered = serde_json::from_slice(&fs::read(memory).ok()?).ok()?;
    (remembered.identity == *identity).then_some(remembered.sha256)
}

fn hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&block[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_program_has_another_hash() {
        let dir = tempfile::tempdir().expect("a directory");
        let project = Project::new("p".parse().expect("a name"), dir.path());
        project.prepare().expect("prepared");
        let path = dir.path().join("program");
        let find = |content: &str| {
            fs::write(&path, content).expect("written");
            Program::find(Some(&path), &project).expect("found").sha256
        };
        let first = find("one");
        assert_eq!(first, hex(&Sha256::digest("one")));
        assert_eq!(Program::find(Some(&path), &project).expect("found").sha256, first, "remembered");
        assert_ne!(find("two"), first, "same size, other times");
        fs::write(project.dir.join(FILE), "not json").expect("written");
        assert_eq!(find("one"), first);
    }
}
