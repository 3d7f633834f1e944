//! Which directories are projects: each carries a mark that `up` wrote, with the directory's own place on disk.
//! Nothing is deleted without it, and a copy of a directory is not taken for the directory itself.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::project::{ADMIN_FILE, Project, SERVICE_FILE};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_supervisor::files::{make_private_dir, write_private};
use ordersys_supervisor::home::Home;

/// Digits of a credential that `up` made.
const CREDENTIAL_DIGITS: usize = 64;
/// What may be in a directory that `up` has not marked: logins, and what is made before the mark.
const BEGUN: [&str; 5] = ["accounts.json", "accounts.lock", "change.lock", "program.json", Mark::FILE];

/// What a project's directory says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The project's name.
    pub(crate) project: String,
    /// Names the project among all of that name.
    pub(crate) identity: Uuid,
    /// Where the directory was when it was marked.
    pub(crate) home: Home,
}

/// Whose a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// There is none.
    Absent,
    /// It is this project's.
    Ours(Mark),
    /// It is this project's, made before there were marks, or its `up` was killed early.
    Unmarked,
    /// It is a copy of this project's or another's directory.
    Copy(Mark),
    /// No `up` made it; why that is known.
    Foreign(&'static str),
}

impl Mark {
    /// The mark's file in a project's directory.
    pub(crate) const FILE: &str = "project.json";
}

impl Ownership {
    /// Whose the directory of a project is.
    pub(crate) fn of(project: &Project) -> io::Result<Self> {
        let dir = &project.dir;
        // Entries first: a run that is making the project at this moment writes its proofs before its data.
        let of_others = match fs::read_dir(dir) {
            Ok(mut entries) => entries.any(|entry| !entry.is_ok_and(|entry| is_begun(&entry.file_name()))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::Absent);
            }
            Err(error) => return Err(error),
        };
        let mark = fs::read(dir.join(Mark::FILE)).ok();
        if let Some(mark) = mark.and_then(|text| serde_json::from_slice::<Mark>(&text).ok()) {
            let ours = mark.project == project.name.to_string() && mark.home.is_at(dir);
            return Ok(if ours { Self::Ours(mark) } else { Self::Copy(mark) });
        }
        if of_others && !has_credentials(&project.secrets_dir()) {
            return Ok(Self::Foreign("it holds something, and neither a mark nor credentials of a project"));
        }
        Ok(Self::Unmarked)
    }

    /// Whether what a project leaves in the directory may be deleted, and else why not.
    pub(crate) fn may_delete(&self, project: &Project) -> Result<(), String> {
        match self {
            Self::Absent | Self::Ours(_) | Self::Unmarked => Ok(()),
            Self::Copy(mark) if mark.project == project.name.to_string() => Ok(()),
            Self::Copy(mark) => Err(format!("it is a copy of project `{}`", mark.project)),
            Self::Foreign(why) => Err((*why).to_owned()),
        }
    }
}

/// Whether a run that was killed early may have left this; half of a file has the second name.
fn is_begun(name: &OsStr) -> bool {
    let begun = |name: &str| BEGUN.contains(&name) || name.starts_with(".tmp");
    name.to_str().is_some_and(begun)
}

/// Whether both credentials are there as `up` makes them.
fn has_credentials(secrets: &Path) -> bool {
    let made_here = |name: &str| {
        let text = fs::read_to_string(secrets.join(name)).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        first.len() == CREDENTIAL_DIGITS && first.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    [SERVICE_FILE, ADMIN_FILE].into_iter().all(made_here)
}

/// Refuses a directory that holds something of others.
pub(crate) fn check(project: &Project) -> Outcome {
    let dir = project.dir.display();
    let of = Ownership::of(project).with_context(|| format!("cannot list {dir}"))?;
    let Ownership::Foreign(why) = of else { return Ok(()) };
    Err(Failure::new(Exit::Environment, format!("{dir} is no directory of a project: {why}"))
        .hint("choose another project with --project, or another place with --state-dir"))
}

/// Makes the project's directory and its mark. A copy becomes a project of its own.
pub(crate) fn claim(project: &Project) -> anyhow::Result<Mark> {
    make_private_dir(&project.dir)?;
    let reading = || format!("cannot read {}", project.dir.display());
    match Ownership::of(project).with_context(reading)? {
        Ownership::Ours(mark) => return Ok(mark),
        Ownership::Foreign(why) => {
            anyhow::bail!("{} is no directory of a project: {why}", project.dir.display())
        }
        Ownership::Absent | Ownership::Unmarked | Ownership::Copy(_) => {}
    }
    let home = Home::of(&project.dir).with_context(reading)?;
    let mark = Mark { project: project.name.to_string(), identity: Uuid::new_v4(), home };
    write_private(&project.dir.join(Mark::FILE), &serde_json::to_vec_pretty(&mark)?)?;
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(dir: &Path, name: &str) -> Project {
        Project::new(name.parse().expect("a name"), dir)
    }

    #[test]
    fn only_what_up_made_is_a_project() {
        let dir = tempfile::tempdir().expect("a directory");
        let (made, other, early) =
            (project(dir.path(), "made"), project(dir.path(), "other"), project(dir.path(), "early"));
        assert_eq!(Ownership::of(&made).expect("looks"), Ownership::Absent);
        made.prepare().expect("prepared");
        assert!(matches!(Ownership::of(&made).expect("looks"), Ownership::Ours(_)));
        fs::create_dir_all(other.dir.join("data")).expect("made");
        let foreign = Ownership::of(&other).expect("looks");
        assert!(matches!(foreign, Ownership::Foreign(_)) && foreign.may_delete(&other).is_err());
        assert!(other.prepare().is_err() && !other.secrets_dir().exists(), "it stays as it is");
        fs::create_dir_all(&early.dir).expect("made");
        fs::write(early.dir.join("change.lock"), "").expect("written");
        assert_eq!(Ownership::of(&early).expect("looks"), Ownership::Unmarked);
        for common in ["logs", "process", "secrets", "failed-1"] {
            fs::create_dir_all(early.dir.join(common)).expect("made");
            let foreign = Ownership::of(&early).expect("looks");
            assert!(foreign.may_delete(&early).is_err(), "{common} may belong to another program");
            fs::remove_dir(early.dir.join(common)).expect("removes");
        }
        fs::remove_file(made.dir.join(Mark::FILE)).expect("removes");
        fs::create_dir(made.dir.join("data")).expect("made");
        assert_eq!(Ownership::of(&made).expect("looks"), Ownership::Unmarked, "its credentials prove it");
    }

    #[test]
    fn a_copy_is_told_from_the_original_and_a_new_name_is_not_a_copy() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = project(dir.path(), "first");
        first.prepare().expect("prepared");
        let copy = project(dir.path(), "copy");
        fs::create_dir(&copy.dir).expect("made");
        fs::copy(first.dir.join(Mark::FILE), copy.dir.join(Mark::FILE)).expect("copies");
        let of_copy = Ownership::of(&copy).expect("looks");
        assert!(matches!(of_copy, Ownership::Copy(_)) && of_copy.may_delete(&copy).is_err());
        let mark = claim(&copy).expect("becomes its own");
        assert_ne!(mark.identity, claim(&first).expect("is marked").identity);
        let home = Home::of(&first.dir).expect("is there");
        let moved = dir.path().join("moved");
        fs::rename(&first.dir, &moved).expect("renames");
        assert!(home.is_at(&moved) && !home.is_at(&copy.dir));
    }
}
