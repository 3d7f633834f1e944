//! A project: one named stack and the directory that holds its state.

use std::path::{Path, PathBuf};

use ordersys_contract::Secret;
use ordersys_supervisor::files::{make_private_dir, write_private};

use crate::state::mark;

/// Most characters of a project's name: container names carry it.
const MAX_NAME: usize = 40;

/// A project's name: lower-case letters, digits, `-` and `_`, starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectName(String);

impl std::str::FromStr for ProjectName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts_well && text.chars().all(allowed) && text.len() <= MAX_NAME {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "a project name has 1 to {MAX_NAME} of a-z, 0-9, `-` and `_`, starting with a letter or digit"
            ))
        }
    }
}

impl std::fmt::Display for ProjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A project and its state directory.
#[derive(Debug, Clone)]
pub struct Project {
    /// The project's name.
    pub name: ProjectName,
    /// Where its state lives: one directory of its own.
    pub dir: PathBuf,
    /// Whether commands find it where they look by themselves.
    place: Place,
}

/// Where a project's state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where commands look unless told otherwise.
    Usual,
    /// Where `--state-dir` says.
    Named,
}

/// The project of a command that names none.
pub const DEFAULT_NAME: &str = "ordersys";

impl Project {
    /// The project of that name, its state below `state_dir`.
    #[must_use]
    pub fn new(name: ProjectName, state_dir: &Path) -> Self {
        let dir = state_dir.join(name.to_string());
        Self { name, dir, place: Place::Named }
    }

    /// The same, where commands look unless told otherwise.
    #[must_use]
    pub fn in_the_usual_place(self) -> Self {
        Self { place: Place::Usual, ..self }
    }

    /// Whether commands find it without being told where.
    pub(crate) fn is_in_the_usual_place(&self) -> bool {
        self.place == Place::Usual
    }

    /// A command on this project, ready to be pasted.
    #[must_use]
    pub fn command(&self, words: &str) -> String {
        let mut command = format!("ordersys {words}");
        if self.name.0 != DEFAULT_NAME {
            command.push_str(" --project ");
            command.push_str(&self.name.0);
        }
        if let (Place::Named, Some(state_dir)) = (self.place, self.dir.parent()) {
            let state_dir = std::path::absolute(state_dir).unwrap_or_else(|_| state_dir.to_owned());
            command.push_str(" --state-dir ");
            command.push_str(&quoted(&state_dir.display().to_string()));
        }
        command
    }

    /// Where the two credentials are.
    #[must_use]
    pub fn secrets_dir(&self) -> PathBuf {
        self.dir.join("secrets")
    }

    /// The admin's credential, if the project has one.
    #[must_use]
    pub fn admin_credential(&self) -> Option<Secret> {
        Secret::read(&self.secrets_dir().join(ADMIN_FILE)).ok()
    }

    /// Keeps the password of the database's role with the other credentials.
    pub fn keep_database_password(&self, password: &Secret) -> anyhow::Result<()> {
        let path = self.secrets_dir().join(DATABASE_FILE);
        if Secret::read(&path).ok().as_ref() != Some(password) {
            write_private(&path, password.expose().as_bytes())?;
        }
        Ok(())
    }

    /// The password of the database's role, if one is kept.
    #[must_use]
    pub fn database_password(&self) -> Option<Secret> {
        Secret::read(&self.secrets_dir().join(DATABASE_FILE)).ok()
    }

    /// Makes the directory and its mark, if they are not there yet. Fails where something of others is there.
    pub fn claim(&self) -> anyhow::Result<()> {
        mark::claim(self).map(drop)
    }

    /// Makes the directories, the mark and the credentials that are not there yet. Existing ones stay.
    pub fn prepare(&self) -> anyhow::Result<()> {
        mark::claim(self)?;
        let secrets = self.secrets_dir();
        make_private_dir(&secrets)?;
        for name in [SERVICE_FILE, ADMIN_FILE] {
            let path = secrets.join(name);
            if !path.exists() {
                write_private(&path, Secret::random().expose().as_bytes())?;
            }
        }
        Ok(())
    }
}

/// File name of the credential between services.
pub const SERVICE_FILE: &str = "service.token";
/// File name of the password of the database's role, where the data is in a database.
pub const DATABASE_FILE: &str = "database.password";
/// File name of the admin's credential.
pub const ADMIN_FILE: &str = "admin.token";

/// What to do where the state directory cannot be used.
pub const STATE_HINT: &str = "name a directory that can be written with --state-dir";

/// A word as a shell takes it.
#[must_use]
pub fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or(word.to_owned(), std::borrow::Cow::into_owned)
}
