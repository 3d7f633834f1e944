//! Header names and the two header values every call may carry: request id and idempotency key.

use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Names a request in every answer, call and log line.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Which trace a request belongs to, and below which span (W3C trace context).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// How many milliseconds the caller waits for the answer: work that has not begun by then is dropped.
pub const TIMEOUT_MS: HeaderName = HeaderName::from_static("x-timeout-ms");
/// Makes repeated posts of one order the same order.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set to `true` on an answer that repeats an earlier one.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The id of a request, as clients may choose it: 1 to 128 of `A-Z a-z 0-9 . _ -`.
/// Clones share the text: each order names its request in every step, call and log line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// A new random id.
    #[must_use]
    pub fn random() -> Self {
        let mut buffer = Uuid::encode_buffer();
        let text: &str = Uuid::new_v4().as_hyphenated().encode_lower(&mut buffer);
        Self(text.into())
    }

    /// The id with this text, if it is of the allowed form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.into()))
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a request id"))
    }
}

/// The key under which a client may repeat one order: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Arc<str>);

impl IdempotencyKey {
    /// The key with this text, if it is of the allowed form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.into()))
    }

    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number that tells keys apart, nearly always; never 0. It is stored, so it never changes: FNV-1a.
    #[must_use]
    pub fn print(&self) -> u32 {
        let add = |print: u32, byte: u8| (print ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        self.0.bytes().fold(0x811c_9dc5, add).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_and_keys_have_a_form() {
        assert!(RequestId::parse("a.B_9-z").is_some());
        assert!(RequestId::parse(&"x".repeat(128)).is_some());
        for bad in ["", "a b", "a\nb", "ü", &"x".repeat(129)] {
            assert!(RequestId::parse(bad).is_none(), "{bad:?}");
            assert!(IdempotencyKey::parse(bad).is_none(), "{bad:?}");
        }
        let print = |text| IdempotencyKey::parse(text).map(|key| key.print());
        assert_eq!((print("a"), print("foobar")), (Some(0xe40c_292c), Some(0xbf9c_f968)), "as published");
        assert!(IdempotencyKey::parse("order #7!").is_none(), "a space is not visible");
        assert!(IdempotencyKey::parse("order#7!").is_some());
    }
}
