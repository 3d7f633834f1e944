//! Ids that cannot be confused: a UUID tagged with the kind of thing it names.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::Timestamp;

mod making;

/// What an [`Id`] names; the word is used in messages.
pub trait Kind {
    /// The kind in lower case, e.g. `order`.
    const NAME: &'static str;
}

macro_rules! kinds {
    ($($kind:ident = $name:literal),*) => {$(
        #[doc = concat!("Marks the id of a ", $name, ".")]
        #[derive(Debug, Clone, Copy)]
        pub enum $kind {}
        impl Kind for $kind {
            const NAME: &'static str = $name;
        }
    )*};
}
kinds!(OrderKind = "order", ProductKind = "product", SessionKind = "session", UserKind = "user");

/// The id of one thing of kind `K`.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// A new id whose order follows the time of its making (UUID version 7), back and forth with the clock.
    #[must_use]
    pub fn now() -> Self {
        let now = u64::try_from(Timestamp::now().as_millis()).unwrap_or_default();
        Self(making::next(now), PhantomData)
    }

    /// A new random id (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4(), PhantomData)
    }

    /// The id with these 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes), PhantomData)
    }

    /// The 16 bytes of the id, in the order they sort by.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// When it was made, if the id tells (UUID version 7). After a clock was set back, ids go on from the
    /// latest time they had, so this may lie after the moment it really was.
    #[must_use]
    pub fn made(&self) -> Option<Timestamp> {
        let seven = self.0.get_version_num() == 7;
        let millis = u128::from_be_bytes(*self.0.as_bytes()) >> 80;
        seven.then_some(millis).and_then(|millis| i64::try_from(millis).ok()).map(Timestamp::from_millis)
    }

    /// Gives its text, without an allocation.
    pub(crate) fn with_text<T>(&self, to: impl FnOnce(&str) -> T) -> T {
        let mut buffer = Uuid::encode_buffer();
        to(self.0.as_hyphenated().encode_lower(&mut buffer))
    }
}

/// A text that is an id.
const EXAMPLE: &str = "0198c5a1-7a50-7c3e-9d3c-3f1f0b1f6c11";

/// The text is not the id of a `K`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} id: ids are UUIDs such as {EXAMPLE}")]
pub struct NotAnId {
    kind: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;

    /// Reads the hyphenated form only, in either case.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let hyphenated = text.len() == 36;
        match Uuid::try_parse(text) {
            Ok(uuid) if hyphenated => Ok(Self(uuid, PhantomData)),
            _ => Err(NotAnId { kind: K::NAME }),
        }
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<K>(PhantomData<K>);
        impl<K: Kind> serde::de::Visitor<'_> for Visitor<K> {
            type Value = Id<K>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one {} id", K::NAME)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id<K>, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = Id::<OrderKind>::now();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        let age = Timestamp::now().as_millis() - id.made().expect("tells when").as_millis();
        assert!((-60_000..60_000).contains(&age), "{age} ms");
        assert_eq!(Id::<OrderKind>::random().made(), None);
        for text in ["", "abc-123", &id.to_string().replace('-', ""), &format!("{{{id}}}")] {
            assert!(text.parse::<Id<OrderKind>>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_is_its_bytes() {
        let id = |number| Id::<OrderKind>::from_bytes([number; 16]);
        let (small, large) = (id(1), id(2));
        assert_eq!((small.as_bytes(), large.as_bytes()), (&[1; 16], &[2; 16]));
        assert_eq!(
            (small == id(1), small == large, small < large, large < small),
            (true, false, true, false)
        );
        let hasher = std::hash::RandomState::new();
        let hash = |id: Id<OrderKind>| std::hash::BuildHasher::hash_one(&hasher, id);
        assert!(hash(small) == hash(id(1)) && hash(small) != hash(large));
        assert_eq!(format!("{small:?}"), small.to_string());
        let json = format!("\"{small}\"");
        assert_eq!(serde_json::to_string(&small).expect("serializes"), json);
        assert_eq!(serde_json::from_str::<Id<OrderKind>>(&json).expect("an id"), small);
        let error = serde_json::from_str::<Id<OrderKind>>("7").expect_err("no id").to_string();
        assert!(error.contains("expected one order id"), "{error}");
    }
}
