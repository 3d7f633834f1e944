//! Access tokens: made by the user service, told good from bad by every service; and the refresh tokens that
//! bring the next ones.
//!
//! A token is a JWT of the one form we make (RFC 9068): signed with Ed25519, nothing optional.
//! What a token says of itself chooses nothing but the key. No IO, no clock: callers bring the
//! keys and the time.

use std::time::Duration;

use ordersys_contract::{SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

mod key;
mod refresh;
mod verify;

pub use key::PrivateKey;
pub use refresh::RefreshToken;
pub use verify::{PublicKeys, Refused, has_form};

/// How long an access token is good.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// How far the clocks of two services may be apart: a token from the near future is good.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5);
/// Longest text that is looked at, in bytes. Ours have about 560.
pub const MAX_BYTES: usize = 1024;

/// Who makes tokens.
const ISSUER: &str = "ordersys-user";
/// For whom tokens are made.
const AUDIENCE: &str = "ordersys";
/// The media type of access tokens, without `application/`.
const TYPE: &str = "at+jwt";
/// The one algorithm.
const ALGORITHM: &str = "EdDSA";

/// The header: exactly these members.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

/// The payload on the wire: exactly these members. Times are seconds since the Unix epoch.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    sid: SessionId,
    jti: &'a str,
    epoch: u64,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Who holds it.
    pub user: UserId,
    /// The session it belongs to.
    pub session: SessionId,
    /// The user's token epoch when it was made.
    pub epoch: u64,
    /// Good from this second on.
    pub from: Timestamp,
    /// No longer good from this second on.
    pub until: Timestamp,
}

impl Claims {
    /// The claims of a token made now.
    #[must_use]
    pub fn new(user: UserId, session: SessionId, epoch: u64, now: Timestamp) -> Self {
        let from = Timestamp::from_millis(seconds(now) * 1000);
        Self { user, session, epoch, from, until: from.after(LIFETIME) }
    }

    /// Whether the token is good at this time.
    #[must_use]
    pub fn good_at(&self, now: Timestamp) -> bool {
        self.from <= now.after(CLOCK_SKEW) && now < self.until
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}
