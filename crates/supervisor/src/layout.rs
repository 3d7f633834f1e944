//! Where the process runtime keeps its files in a project's directory, and how it replaces them.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files::{make_private_dir, open_private};

/// The ending of the files that cut services off the network.
pub(crate) const CUT: &str = "cut";

/// The supervisor's file in the runtime's directory.
pub(crate) const SUPERVISOR_LOCK: &str = "supervisor.lock";

/// Room for a list of services and the state of each.
const ROOM_BYTES: usize = 16 * 1024;

/// What keeps a command from its work, and the command that clears it away.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Obstacle {
    /// What it is.
    pub(crate) what: String,
    /// What to do.
    pub hint: &'static str,
}

impl Obstacle {
    /// A file of a project that cannot be read.
    pub(crate) fn damaged(path: &Path, why: &str) -> Self {
        let hint = "`ordersys down` clears it away, and keeps the data; the next `up` goes on with that";
        Self { what: format!("{} is damaged: {why}", path.display()), hint }
    }
}

/// The runtime's files of one project.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    project: PathBuf,
}

impl Layout {
    pub(crate) fn new(project: &Path) -> Self {
        Self { project: project.to_owned() }
    }

    /// Makes the directories.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        make_private_dir(&self.own_dir())?;
        make_private_dir(&self.logs_dir())
    }

    /// Which directory is at the project's path now, by device and inode.
    pub(crate) fn place(&self) -> Option<(u64, u64)> {
        fs::metadata(self.own_dir()).ok().map(|found| (found.dev(), found.ino()))
    }

    pub(crate) fn project_dir(&self) -> &Path {
        &self.project
    }

    pub(crate) fn logs_dir(&self) -> PathBuf {
        self.project.join("logs")
    }

    /// The current log of a service; its predecessor is [`Self::old_log`].
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs_dir().join(format!("{name}.log"))
    }

    /// What the supervisor says about its own work.
    pub(crate) fn supervisor_log(&self) -> PathBuf {
        self.log("supervisor")
    }

    /// The list of services that should run. No list means none.
    pub(crate) fn desired(&self) -> PathBuf {
        self.own_dir().join("desired.json")
    }

    /// What the supervisor runs.
    pub(crate) fn state(&self) -> PathBuf {
        self.own_dir().join("state.json")
    }

    /// Says which process the supervisor is. It locks the directory for its whole life.
    pub(crate) fn supervisor_lock(&self) -> PathBuf {
        self.own_dir().join(SUPERVISOR_LOCK)
    }

    /// Locked by the command that changes the list.
    pub(crate) fn apply_lock(&self) -> PathBuf {
        self.own_dir().join("apply.lock")
    }

    /// The standard input of every child, empty and locked by each: see `orphans`.
    pub(crate) fn leash(&self) -> PathBuf {
        self.own_dir().join("children.lock")
    }

    /// Cuts a service off the network as long as it is there.
    pub(crate) fn cut(&self, name: &str) -> PathBuf {
        self.own_dir().join(format!("{name}.{CUT}"))
    }

    /// Fails if nothing of the size of these files can be written here.
    pub(crate) fn has_room(&self) -> anyhow::Result<()> {
        let path = self.own_dir().join("room");
        let write = || -> io::Result<()> { open_private(&path)?.write_all(&[0; ROOM_BYTES]) };
        let written = write();
        drop(fs::remove_file(&path));
        written.with_context(|| format!("cannot write in {}", self.own_dir().display()))
    }

    pub(crate) fn own_dir(&self) -> PathBuf {
        self.project.join("process")
    }
}

/// Where the logs are of the processes that are run from a directory.
#[must_use]
pub fn logs_dir(dir: &Path) -> PathBuf {
    Layout::new(dir).logs_dir()
}

/// Where a log goes when it has grown too large.
#[must_use]
pub fn old_log(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// Replaces a file as a whole. The caller is the only writer, by a lock it holds. Not synced to disk:
/// what these files describe does not outlive the machine either.
pub(crate) fn replace_json<T: Serialize>(path: &Path, value: &T) -> anyhow::Result<()> {
    let text = serde_json::to_vec_pretty(value)?;
    let next = path.with_extension("next");
    let replace = || -> io::Result<()> {
        let mut file = open_private(&next)?;
        file.set_len(0)?;
        file.write_all(&text)?;
        fs::rename(&next, path)
    };
    replace()
        .inspect_err(|_| drop(fs::remove_file(&next))) // half of it must not keep room that is short
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Reads what [`replace_json`] wrote; `None` if there is nothing, also after a power cut left it empty.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    match fs::read(path) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| Obstacle::damaged(path, &source.to_string()).into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Removes a file, if there is one.
pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
