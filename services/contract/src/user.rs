//! Users: what goes in and out of the user service.

use serde::{Deserialize, Serialize};

use crate::{RequestId, Timestamp, UserId};

/// `POST /users`, `GET /users`.
pub const USERS: &str = "/users";
/// `GET /users/{id}`.
pub const USER: &str = "/users/{id}";
/// `POST /internal/users/lookup`.
pub const LOOKUP: &str = "/internal/users/lookup";

/// Most bytes of a name or e-mail address.
pub const MAX_TEXT_BYTES: usize = 254;

/// The body of `POST /users`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What to call the user.
    pub name: String,
    /// Where to reach the user.
    pub email: String,
}

/// How a user came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UserKindName {
    /// Made without a password: anybody who knows the id may order as this user.
    Guest,
}

/// A user as services answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// What to call the user.
    pub name: String,
    /// Where to reach the user.
    pub email: String,
    /// Guest or registered.
    pub kind: UserKindName,
    /// When the user was made.
    pub created_at: Timestamp,
}

/// Whether a user may order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UserStatus {
    /// May order.
    Active,
}

/// The body of `POST /internal/users/lookup`: many look-ups in one call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Lookup {
    /// Whom to look up.
    pub ids: Vec<UserId>,
    /// For whom: the request id of each look-up, for the log.
    #[serde(default)]
    pub request_ids: Vec<RequestId>,
}

/// What the order path needs to know of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserSummary {
    /// The user's id.
    pub id: UserId,
    /// What to call the user.
    pub name: String,
    /// Guest or registered.
    pub kind: UserKindName,
    /// Whether the user may order.
    pub status: UserStatus,
}
