//! Test data: what runs and seeds make, marked so that lists leave it out and a cleanup may remove it.

use serde::{Deserialize, Deserializer, Serialize};

/// Most rows that one call of a cleanup goes through.
pub const CLEANUP_ROWS: u32 = 500;

/// Whether a list shows what is marked as test data.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestData {
    /// All but test data.
    #[default]
    Exclude,
    /// Test data and all else.
    Include,
    /// Test data alone.
    Only,
}

impl TestData {
    /// The parameter on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exclude => "exclude",
            Self::Include => "include",
            Self::Only => "only",
        }
    }

    /// Whether something that is marked, or is not, is shown.
    #[must_use]
    pub fn shows(self, marked: bool) -> bool {
        match self {
            Self::Exclude => !marked,
            Self::Include => true,
            Self::Only => marked,
        }
    }
}

/// The body of a call that removes test data: one step of a cleanup.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", bound = "I: Serialize + serde::de::DeserializeOwned")]
pub struct Cleanup<I> {
    /// Only what was made so many seconds ago or earlier: a run may use what is younger.
    pub older_than: u32,
    /// Goes on after this one: `next` of the step before.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(required = false)]
    pub after: Option<I>,
}

/// Reads a member that is left out where there is nothing to say, and is never null.
fn present<'de, D: Deserializer<'de>, I: Deserialize<'de>>(deserializer: D) -> Result<Option<I>, D::Error> {
    I::deserialize(deserializer).map(Some)
}

/// What one step of a cleanup came to. Doing it again is safe.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound = "I: Serialize + serde::de::DeserializeOwned")]
pub struct Cleaned<I> {
    /// How many were removed.
    pub removed: u64,
    /// How many orders or reservations need, so that they stay, hidden.
    pub kept: u64,
    /// How many are younger than was asked for, so that they stay as they are.
    pub young: u64,
    /// Where the next step goes on, if there may be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<I>,
}

/// For `#[serde(skip_serializing_if)]`: what is not marked says nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
pub(crate) fn is_unmarked(test: &bool) -> bool {
    !test
}
