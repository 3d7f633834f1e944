//! What a commit promises.

use std::fmt;
use std::str::FromStr;

/// What a commit promises. Anything but [`Durability::Full`] is for measuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// On disk before it is answered: survives a crash and a power cut.
    #[default]
    Full,
    /// Survives a crash of the process; a power cut may lose the last commits.
    Normal,
    /// Never synced: survives a crash of the process, a power cut may lose everything.
    Memory,
}

impl Durability {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::Full, Self::Normal, Self::Memory];

    /// The level's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Normal => "normal",
            Self::Memory => "memory",
        }
    }

    /// The value of `PRAGMA synchronous`.
    #[must_use]
    pub fn synchronous(self) -> i64 {
        match self {
            Self::Full => 2,
            Self::Normal => 1,
            Self::Memory => 0,
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or_else(|| "durability is full, normal or memory".to_owned())
    }
}
