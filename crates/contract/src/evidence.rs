//! What checks from outside read of users, sessions, keys and products: rows as they are stored, without
//! what is secret, and what proves how they came to be.

use serde::{Deserialize, Serialize};

use crate::product::Product;
use crate::user::{UserKindName, UserStatus};
use crate::{Currency, Money, ProductId, SessionId, Timestamp, UserId};

/// `GET /internal/users`.
pub const USER_RECORDS: &str = "/internal/users";
/// `POST /internal/users/records`.
pub const USERS_BY_ID: &str = "/internal/users/records";
/// `GET /internal/sessions`.
pub const SESSION_RECORDS: &str = "/internal/sessions";
/// `GET /internal/networks/unowned`.
pub const UNOWNED_NETWORKS: &str = "/internal/networks/unowned";
/// `GET /internal/keys`.
pub const KEY_EVIDENCE: &str = "/internal/keys";
/// `GET /internal/products`.
pub const PRODUCT_RECORDS: &str = "/internal/products";
/// `GET /internal/products/{id}`.
pub const PRODUCT_RECORD: &str = "/internal/products/{id}";

/// Former names of a user that are kept; earlier ones are forgotten.
pub const MAX_FORMER_NAMES: usize = 20;
/// Editions of a product that are kept; earlier ones are forgotten.
pub const MAX_EDITIONS: u64 = 100;

/// The body of `POST /internal/users/records`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UserIds {
    /// At most [`crate::MAX_BATCH`] users.
    #[schema(max_items = 512)]
    pub ids: Vec<UserId>,
}

/// All that is stored of a user, except the password.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserRecord {
    /// The user's id.
    pub id: UserId,
    /// What the user is called now.
    pub name: String,
    /// What the user was called before, the latest last; `null` stands for names that are forgotten.
    pub former_names: Vec<Option<String>>,
    /// Where to reach the user.
    pub email: String,
    /// The form of the address by which a registered user logs in, as it is stored.
    pub login: Option<String>,
    /// The form of the address by which it is looked for, as it is stored; none until it is completed.
    pub address: Option<String>,
    /// The form of the address by which it is compared with others.
    pub address_form: String,
    /// Whether a hash is stored that a password can be compared with.
    pub has_password: bool,
    /// Guest or registered.
    pub kind: UserKindName,
    /// Whether the user may order.
    pub status: UserStatus,
    /// Tokens of an earlier epoch are revoked.
    pub token_epoch: u64,
    /// When the user was made.
    pub created_at: Timestamp,
    /// Whether the user is test data.
    pub test: bool,
    /// Whether an order may have been made for this user; noted of test data only, which then stays.
    pub used: bool,
    /// Columns that hold what is never written for a user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
}

impl UserRecord {
    /// Whether this was ever the user's name; `None` if it may be one of those that are forgotten.
    #[must_use]
    pub fn was_called(&self, name: &str) -> Option<bool> {
        let known = self.name == name || self.former_names.iter().flatten().any(|former| former == name);
        let complete = self.former_names.iter().all(Option::is_some);
        (known || complete).then_some(known)
    }
}

/// All that is stored of a session, except its token, and the user it is of, as both are at one moment.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRecord {
    /// The session's id.
    pub id: SessionId,
    /// Whose session.
    pub user_id: UserId,
    /// When it was last refreshed.
    pub refreshed_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
    /// How the user came to be; `null` if there is no such user.
    pub kind: Option<UserKindName>,
    /// Whether the user may log in; `null` if there is no such user.
    pub status: Option<UserStatus>,
    /// When the user was made; `null` if there is no such user.
    pub user_created_at: Option<Timestamp>,
}

/// Users of whom networks are remembered, and who are not there.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnownedNetworks {
    /// Some of these users, at most [`crate::MAX_PAGE`].
    pub users: Vec<UserId>,
}

/// The keys that sign access tokens, without their secret halves.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyEvidence {
    /// The keys in use, the oldest first.
    pub used: Vec<SigningKey>,
    /// The keys as they are stored now, the oldest first; `null` if they cannot be read.
    pub stored: Option<Vec<SigningKey>>,
}

/// A key that signs access tokens.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// Its name in tokens.
    pub kid: String,
    /// When it was made.
    pub made: Timestamp,
}

/// A product and what it was in each of its versions.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductRecord {
    /// The product's id.
    pub id: ProductId,
    /// The product as it is now; `null` if only its versions are left.
    pub product: Option<Product>,
    /// Units it started with; `null` without the product.
    pub initial: Option<u64>,
    /// Units added since; `null` without the product.
    pub restocked: Option<u64>,
    /// Whether units were ever reserved or sold; noted of test data only, which then stays.
    #[serde(default)]
    pub used: bool,
    /// Columns that hold what is never written for a product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
    /// The sum of what was added, noted beside the product.
    pub added: u64,
    /// Its versions, the oldest first; those before the first of these are forgotten.
    pub editions: Vec<Edition>,
}

/// What a product was in one of its versions.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edition {
    /// Which product.
    pub product_id: ProductId,
    /// Which version.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// The price of one unit.
    pub price: Money,
    /// The currency of the price.
    pub currency: Currency,
    /// Units it started with.
    pub initial: u64,
    /// When it became this.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_unless_some_are_forgotten() {
        let mut user = UserRecord {
            id: UserId::now(),
            name: "Ada".to_owned(),
            former_names: vec![Some("Augusta".to_owned())],
            email: "ada@example.com".to_owned(),
            login: None,
            address: None,
            address_form: "ada@example.com".to_owned(),
            has_password: false,
            kind: UserKindName::Guest,
            status: UserStatus::Active,
            token_epoch: 0,
            created_at: Timestamp::now(),
            test: false,
            used: false,
            odd: Vec::new(),
        };
        let known = |user: &UserRecord| ["Ada", "Augusta", "Eve"].map(|name| user.was_called(name));
        assert_eq!(known(&user), [Some(true), Some(true), Some(false)]);
        user.former_names.insert(0, None);
        assert_eq!(known(&user), [Some(true), Some(true), None]);
    }
}
