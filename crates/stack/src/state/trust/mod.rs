//! Whether what is read from a directory may be believed: owner and mode are looked at as ssh does before it
//! uses a key, and links are not followed.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ordersys_contract::MIN_CREDENTIAL;
use rustix::fs::StatVfsMountFlags;

use crate::model::project::{ADMIN_FILE, Project, SERVICE_FILE, quoted};
use ordersys_command::{Exit, Failure, Outcome};

/// May be changed by the group or by all.
const WRITABLE: u32 = 0o022;
/// May be changed by all.
const WRITABLE_BY_ALL: u32 = 0o002;
/// May be read, changed or entered by others than the owner.
const OPEN: u32 = 0o077;
/// May be entered by others than the owner.
const ENTERED: u32 = 0o011;
/// Only owners remove or rename what is in the directory.
const STICKY: u32 = 0o1000;
/// The system's user.
const ROOT: u32 = 0;
/// The directories of a project whose files decide.
const DIRECTORIES: [&str; 4] = ["data", "logs", "process", "secrets"];
/// The files of a project.
const FILES: [&str; 7] = [
    "accounts.json",
    "accounts.lock",
    "change.lock",
    "program.json",
    "project.json",
    "stack.json",
    "started.json",
];

/// Why something is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// A link, which could lead anywhere.
    #[error("{} is a symbolic link to {}, and links are not followed here", path.display(), target.display())]
    Link {
        /// Where.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Another user's.
    #[error("{} belongs to user {owner}, and this is user {us}", path.display())]
    Owner {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who this is.
        us: u32,
    },
    /// Others may change it.
    #[error("{} can be changed by others (mode {mode:04o})", path.display())]
    Writable {
        /// Where.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A secret that others may read.
    #[error("{} can be read by others (mode {mode:04o})", path.display())]
    Readable {
        /// Where.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Of another kind: a directory for a file, say.
    #[error("{} is no {wanted}", path.display())]
    Kind {
        /// Where.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
    },
    /// A credential that could be guessed.
    #[error("the credential in {} is shorter than {MIN_CREDENTIAL} characters", path.display())]
    Short {
        /// Where.
        path: PathBuf,
    },
    /// It cannot be looked at.
    #[error("cannot look at {}", path.display())]
    Hidden {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Distrust {
    /// The failure of a command.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        let hint = self.hint();
        Failure { exit: Exit::Environment, error: self.into(), hint: Some(hint) }
    }

    /// What mends it, ready to be pasted.
    #[must_use]
    pub fn hint(&self) -> String {
        let quoted = |path: &Path| quoted(&path.display().to_string());
        match self {
            Self::Link { path, .. } => {
                format!("`rm {}` removes the link, not what it points to", quoted(path))
            }
            Self::Owner { path, us, .. } => format!(
                "if all of it is yours: `chown -R {us} {}`; else choose another place with --state-dir",
                quoted(path)
            ),
            Self::Writable { path, .. } => {
                format!("if only you have changed it: `chmod go-w {}`", quoted(path))
            }
            Self::Readable { path, .. } => format!("`chmod go= {}`", quoted(path)),
            Self::Kind { path, .. } => format!("`mv {0} {0}.old` puts it aside", quoted(path)),
            Self::Short { path } => {
                format!("`rm {}`, then `ordersys up` makes a new one; or write a longer one", quoted(path))
            }
            Self::Hidden { .. } => "name a directory of your own with --state-dir".to_owned(),
        }
    }
}

/// Who looks.
fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// What is at a path, without following a link; `None` if nothing is.
fn look(path: &Path) -> Result<Option<Metadata>, Distrust> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(Distrust::Hidden { path: path.to_owned(), source }),
    }
}

fn owned(path: &Path, found: &Metadata) -> Result<(), Distrust> {
    if found.uid() == us() || found.uid() == ROOT {
        return Ok(());
    }
    Err(Distrust::Owner { path: path.to_owned(), owner: found.uid(), us: us() })
}

/// Bits of the mode that must not be there.
fn closed(path: &Path, found: &Metadata, bits: u32) -> Result<(), Distrust> {
    let (path, mode) = (path.to_owned(), found.mode() & 0o7777);
    match mode & bits {
        0 => Ok(()),
        open if open & WRITABLE != 0 => Err(Distrust::Writable { path, mode }),
        _ => Err(Distrust::Readable { path, mode }),
    }
}

/// What something has to be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Directory,
    File,
}

/// Checks one thing of a project: its kind, owner and mode.
fn check(path: &Path, kind: Kind, bits: u32) -> Result<(), Distrust> {
    let Some(found) = look(path)? else { return Ok(()) };
    if found.file_type().is_symlink() {
        let target = fs::read_link(path).unwrap_or_default();
        return Err(Distrust::Link { path: path.to_owned(), target });
    }
    let (right, wanted) = match kind {
        Kind::Directory => (found.is_dir(), "directory"),
        Kind::File => (found.is_file(), "file"),
    };
    if !right {
        return Err(Distrust::Kind { path: path.to_owned(), wanted });
    }
    owned(path, &found)?;
    closed(path, &found, bits)
}

/// The places above a project: others must not be able to put another directory in its place.
fn check_above(state_dir: &Path) -> Result<(), Distrust> {
    let Ok(place) = fs::canonicalize(state_dir) else { return Ok(()) }; // it is made later, by us
    let Some(found) = look(&place)? else { return Ok(()) };
    owned(&place, &found)?;
    // Many systems give each user a group of the same number and let it write.
    let private_group = found.gid() == found.uid();
    let bits = if private_group { WRITABLE_BY_ALL } else { WRITABLE };
    if found.mode() & STICKY == 0 {
        closed(&place, &found, bits)?;
    }
    for above in place.ancestors().skip(1) {
        let Some(found) = look(above)? else { continue };
        if found.mode() & STICKY == 0 {
            closed(above, &found, WRITABLE_BY_ALL)?;
        }
    }
    Ok(())
}

/// Refuses a project whose directory, or what decides in it, others could have written or can read.
pub fn check_project(project: &Project) -> Result<(), Distrust> {
    let dir = &project.dir;
    check_above(dir.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    check(dir, Kind::Directory, WRITABLE)?;
    for name in FILES {
        check(&dir.join(name), Kind::File, WRITABLE)?;
    }
    for name in DIRECTORIES {
        let within = dir.join(name);
        let bits = if name == "secrets" { OPEN } else { WRITABLE };
        check(&within, Kind::Directory, bits)?;
        if name == "data" {
            check_links(&within)?; // each service looks at its own data
        } else {
            check_files(&within, bits)?;
        }
    }
    for name in [SERVICE_FILE, ADMIN_FILE] {
        check_length(&project.secrets_dir().join(name))?;
    }
    Ok(())
}

/// Refuses links in the place of the services' directories.
fn check_links(dir: &Path) -> Result<(), Distrust> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    let target = |entry: fs::DirEntry| fs::read_link(entry.path()).ok().map(|target| (entry.path(), target));
    match entries.flatten().find_map(target) {
        Some((path, target)) => Err(Distrust::Link { path, target }),
        None => Ok(()),
    }
}

fn check_files(dir: &Path, bits: u32) -> Result<(), Distrust> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    entries.flatten().try_for_each(|entry| check(&entry.path(), Kind::File, bits))
}

fn check_length(path: &Path) -> Result<(), Distrust> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(()) }; // its reader says why
    let long_enough = |line: &str| line.trim().len() >= MIN_CREDENTIAL;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    if lines.peek().is_some() && lines.all(long_enough) {
        return Ok(());
    }
    Err(Distrust::Short { path: path.to_owned() })
}

/// Refuses credentials of a service that others could have written or can read. Where they are mounted for reading
/// only, as containers get them, their owner and mode are up to the user who runs the container.
pub fn check_credentials(dir: &Path) -> Outcome {
    for name in [SERVICE_FILE, ADMIN_FILE] {
        let path = dir.join(name);
        let Ok(resolved) = fs::canonicalize(&path) else { continue }; // its reader says why
        check_credential(&resolved).and_then(|()| check_length(&path)).map_err(Distrust::into_failure)?;
    }
    Ok(())
}

fn check_credential(path: &Path) -> Result<(), Distrust> {
    let read_only = rustix::fs::statvfs(path).is_ok_and(|at| at.f_flag.contains(StatVfsMountFlags::RDONLY));
    let (Some(found), Some(dir)) = (look(path)?, path.parent()) else { return Ok(()) };
    if read_only {
        return Ok(());
    }
    if !found.is_file() {
        return Err(Distrust::Kind { path: path.to_owned(), wanted: "file" });
    }
    owned(path, &found)?;
    let Some(around) = look(dir)? else { return Ok(()) };
    owned(dir, &around)?;
    if around.mode() & STICKY == 0 {
        closed(dir, &around, WRITABLE)?;
    }
    if around.mode() & ENTERED == 0 {
        return Ok(()); // no other user gets there
    }
    // What root gives to a group is for that group.
    let given_to_group = found.uid() == ROOT && us() != ROOT;
    closed(path, &found, if given_to_group { 0o037 } else { OPEN })
}

#[cfg(test)]
mod tests;
