//! Sessions and the keys that access tokens are verified with.

use serde::{Deserialize, Serialize};

use crate::secret::Password;
use crate::{Secret, UserId};

/// `POST /sessions` logs in, `DELETE /sessions` ends all sessions of the caller.
pub const SESSIONS: &str = "/sessions";
/// `POST /sessions/refresh`.
pub const REFRESH: &str = "/sessions/refresh";
/// `DELETE /sessions/current`.
pub const CURRENT_SESSION: &str = "/sessions/current";
/// `GET /.well-known/jwks.json`.
pub const JWKS: &str = "/.well-known/jwks.json";

/// Largest body of a call that carries a password or a refresh token, in bytes.
pub const MAX_SESSION_BODY_BYTES: usize = 4 * 1024;

/// The body of `POST /sessions`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The address the user registered with.
    #[schema(schema_with = crate::schema::email)]
    pub email: String,
    /// The user's password.
    #[schema(schema_with = crate::schema::password)]
    pub password: Password,
}

/// The body of `POST /sessions/refresh`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RefreshSession {
    /// The newest refresh token of the session. Using an older one ends the session.
    #[schema(schema_with = crate::schema::token)]
    pub refresh_token: Secret,
}

/// How an access token is presented.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// In the header `Authorization: Bearer ...`.
    Bearer,
}

/// A session as it was made or refreshed.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Proves to every service who calls.
    #[schema(value_type = String)]
    pub access_token: Secret,
    /// How to present it.
    pub token_type: TokenType,
    /// Seconds for which the access token is good.
    pub expires_in: u32,
    /// Brings the next access token, once.
    #[schema(value_type = String)]
    pub refresh_token: Secret,
    /// Whose session it is.
    pub user_id: UserId,
}

/// The public keys of the user service (RFC 7517).
#[derive(utoipa::ToSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// One entry per key; the newest first.
    pub keys: Vec<Jwk>,
}

/// One public key of the only kind there is: Ed25519 (RFC 8037).
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// `EdDSA`.
    pub alg: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Names the key: its thumbprint (RFC 7638).
    pub kid: String,
    /// The key's 32 bytes in base64url.
    pub x: String,
}
