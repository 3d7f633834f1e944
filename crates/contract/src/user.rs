//! Users: what goes in and out of the user service.

use serde::{Deserialize, Serialize};

use crate::secret::{Password, some_password};
use crate::trace::lenient_list;
use crate::{RequestId, Timestamp, TraceParent, UserId};

/// `POST /users`, `GET /users`.
pub const USERS: &str = "/users";
/// `GET /users/{id}`, `PATCH /users/{id}`.
pub const USER: &str = "/users/{id}";
/// `POST /users/{id}/disable`.
pub const DISABLE: &str = "/users/{id}/disable";
/// `POST /users/{id}/enable`.
pub const ENABLE: &str = "/users/{id}/enable";
/// `POST /internal/users/lookup`.
pub const LOOKUP: &str = "/internal/users/lookup";
/// `POST /internal/users/cleanup`.
pub const USER_CLEANUP: &str = "/internal/users/cleanup";

/// Most bytes of a name or e-mail address.
pub const MAX_TEXT_BYTES: usize = 254;

/// Fewest bytes of a password.
pub const MIN_PASSWORD_BYTES: usize = 8;
/// Most bytes of a password.
pub const MAX_PASSWORD_BYTES: usize = 128;

/// The body of `POST /users`.
#[derive(utoipa::ToSchema)]
#[schema(examples(json!({ "name": "Alice", "email": "alice@example.com" })))]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What to call the user.
    #[schema(schema_with = crate::schema::user_name)]
    pub name: String,
    /// Where to reach the user.
    #[schema(schema_with = crate::schema::email)]
    pub email: String,
    /// With a password the user is registered, without one a guest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_password")]
    #[schema(schema_with = crate::schema::password, required = false)]
    pub password: Option<Password>,
    /// Whether it is test data, which lists leave out unless asked. Only the admin marks it so.
    #[serde(default, skip_serializing_if = "crate::test_data::is_unmarked")]
    #[schema(required = false)]
    pub test: bool,
}

impl NewUser {
    /// A guest: a user without a password.
    #[must_use]
    pub fn guest(name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { name: name.into(), email: email.into(), password: None, test: false }
    }

    /// A registered user.
    #[must_use]
    pub fn registered(name: impl Into<String>, email: impl Into<String>, password: Password) -> Self {
        Self { password: Some(password), ..Self::guest(name, email) }
    }

    /// The same, marked as test data.
    #[must_use]
    pub fn for_test(self) -> Self {
        Self { test: true, ..self }
    }
}

/// The body of `PATCH /users/{id}`: what is not named stays.
#[derive(utoipa::ToSchema, Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UserPatch {
    /// What to call the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::schema::user_name, required = false)]
    pub name: Option<String>,
    /// A new password. It ends every session of the user and makes all tokens useless.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_password")]
    #[schema(schema_with = crate::schema::password, required = false)]
    pub password: Option<Password>,
    /// The password so far, which only the admin may leave out when setting a new one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_password")]
    #[schema(schema_with = crate::schema::password, required = false)]
    pub current_password: Option<Password>,
}

/// How a user came to be.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UserKindName {
    /// Made without a password: all who know the id may order as this user.
    Guest,
    /// Made with a password: orders need a token of this user.
    Registered,
}

/// A user as services answer it.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether the user may order.
    pub status: UserStatus,
    /// When the user was made.
    pub created_at: Timestamp,
    /// Whether it is test data, which lists leave out unless asked.
    #[serde(default, skip_serializing_if = "crate::test_data::is_unmarked")]
    #[schema(required = false)]
    pub test: bool,
}

/// Whether a user may order.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UserStatus {
    /// May log in and order.
    Active,
    /// May do neither until enabled again.
    Disabled,
}

/// The body of `POST /internal/users/lookup`: many look-ups in one call.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Lookup {
    /// Whom to look up.
    #[schema(max_items = 512)]
    pub ids: Vec<UserId>,
    /// For whom: the request id of each look-up, for the log.
    #[serde(default)]
    #[schema(required = false)]
    pub request_ids: Vec<RequestId>,
    /// Where in its trace each look-up belongs; empty unless one of them is traced.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient_list")]
    #[schema(required = false)]
    pub trace_parents: Vec<Option<TraceParent>>,
}

/// What the order path needs to know of a user.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Tokens of an earlier epoch are revoked.
    pub token_epoch: u64,
}
