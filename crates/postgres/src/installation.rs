//! Where the programs of PostgreSQL are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest version that is used.
const OLDEST: u32 = 14;
/// Where distributions put versions beside each other: the folder, and what is below a version's.
const USUAL: [(&str, &str); 4] =
    [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/usr/local", "bin"), ("/opt/homebrew/opt", "bin")];

/// The programs of one version of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    bin: PathBuf,
    version: u32,
}

/// There is no PostgreSQL on this machine that is new enough.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("PostgreSQL {OLDEST} or newer is not installed: `postgres` and `initdb` are neither on PATH nor in {usual}", usual = USUAL[0].0)]
pub struct NotInstalled;

impl Installation {
    /// The newest installation on PATH and in the usual places.
    pub fn find() -> Result<Self, NotInstalled> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).filter_map(|dir| Self::at(&dir));
        let usual = USUAL.iter().flat_map(|(folder, bin)| versions(Path::new(folder), bin));
        let usual = usual.filter_map(|dir| Self::at(&dir));
        on_path
            .chain(usual)
            .filter(|found| found.version >= OLDEST)
            .max_by_key(|found| found.version)
            .ok_or(NotInstalled)
    }

    fn at(dir: &Path) -> Option<Self> {
        if !["postgres", "initdb"].iter().all(|program| dir.join(program).is_file()) {
            return None;
        }
        let told = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
        let version = major(&String::from_utf8_lossy(&told.stdout))?;
        Some(Self { bin: dir.to_owned(), version })
    }

    /// Its major version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

/// The folders of programs below the versions in a folder.
fn versions(folder: &Path, bin: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_digit())
            || name.starts_with("pgsql")
            || name.starts_with("postgresql")
    };
    let of_version = entries.filter(|entry| named(&entry.file_name().to_string_lossy()));
    of_version.map(|entry| entry.path().join(bin)).collect()
}

/// The major version in what `postgres --version` says.
fn major(told: &str) -> Option<u32> {
    let number =
        told.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(major("postgres"), None);
    }
}
