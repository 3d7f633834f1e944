//! Credentials and passwords: texts that never show themselves.

use std::fmt;
use std::path::Path;

use rand::Rng;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::values::hex::hex;

/// Fewest characters of a credential that a service accepts or a project uses: 128 random bits in hexadecimal.
pub const MIN_CREDENTIAL: usize = 32;

/// A bearer credential; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 256 random bits from the operating system's generator, as 64 hexadecimal digits.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0_u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        Self(hex(&bytes))
    }

    /// The secret with this text, unless empty or not printable.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let usable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        usable.then(|| Self(text.to_owned()))
    }

    /// The secret in the first line of a file.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let line = text.lines().next().unwrap_or("").trim();
        Self::new(line)
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "holds no usable credential"))
    }

    /// The secret itself, for a header or a file of mode 0600, for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(HiddenText)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom("must be visible ASCII characters"))
    }
}

/// A password as a person chose it: any text. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password with this text. Whether it is good enough is the user service's decision.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself, to be hashed or sent, for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HiddenText).map(Self)
    }
}

/// Reads an optional password that is a text if it is there: `null` is a mistake, not "none".
/// For `#[serde(default, deserialize_with)]`.
pub(crate) fn some_password<'de, D>(deserializer: D) -> Result<Option<Password>, D::Error>
where
    D: Deserializer<'de>,
{
    Password::deserialize(deserializer).map(Some)
}

/// Reads a text. An error never repeats what was there instead: a format that is asked for a string
/// would write such an error itself, so it is asked for anything.
struct HiddenText;

impl HiddenText {
    fn not_a_text<T, E: serde::de::Error>() -> Result<T, E> {
        Err(E::custom("must be a string"))
    }
}

impl Visitor<'_> for HiddenText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<String, E> {
        Self::not_a_text()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<String, E> {
        Self::not_a_text()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<String, E> {
        Self::not_a_text()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<String, E> {
        Self::not_a_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_errors_show_them() {
        let secret = Secret::new("s3cret").expect("usable");
        let shown = format!("{secret:?} {:?}", Password::new("s3cret"));
        assert_eq!(shown, "Secret(hidden) Password(hidden)");
        for wrong in ["12345678", "-12345678", "12345678.5", "true", "null", "[\"s3cret\"]", "{\"s3cret\":1}"]
        {
            for error in [
                serde_json::from_str::<Password>(wrong).expect_err(wrong),
                serde_json::from_str::<Secret>(wrong).expect_err(wrong),
            ] {
                let text = error.to_string();
                assert!(!text.contains("s3cret") && !text.contains("12345678"), "{text}");
            }
        }
        let error = serde_json::from_str::<Secret>("\"s3cret with spaces\"").expect_err("has spaces");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn they_are_written_and_read_as_they_are() {
        let json = serde_json::json!("s3cret");
        let secret: Secret = serde_json::from_value(json.clone()).expect("a secret");
        let password: Password = serde_json::from_value(json.clone()).expect("a password");
        assert_eq!((secret.expose(), password.expose()), ("s3cret", "s3cret"));
        assert_eq!(serde_json::to_value(&secret).expect("serializes"), json);
        assert_eq!(serde_json::to_value(&password).expect("serializes"), json);
        assert_eq!(serde_json::from_str::<Password>(r#""s3cret""#).expect("a password"), password);
        let error = serde_json::from_str::<Password>("null").expect_err("no password").to_string();
        assert!(error.contains("expected a string"), "{error}");
    }

    #[test]
    fn a_password_that_may_be_left_out_is_a_text_if_it_is_there() {
        #[derive(Debug, Deserialize)]
        struct Body {
            #[serde(default, deserialize_with = "some_password")]
            password: Option<Password>,
        }
        let read = |text| serde_json::from_str::<Body>(text).map(|body| body.password);
        assert_eq!(read("{}").expect("left out"), None);
        assert_eq!(read(r#"{"password":"x"}"#).expect("there"), Some(Password::new("x")));
        assert!(read(r#"{"password":null}"#).is_err());
    }

    #[test]
    fn a_credential_is_visible_text_and_the_first_line_of_its_file() {
        for (text, usable) in [("s3cret", true), ("", false), ("two words", false), ("g\u{fc}te", false)] {
            assert_eq!(Secret::new(text).is_some(), usable, "{text:?}");
        }
        let (one, other) = (Secret::random(), Secret::random());
        assert_eq!((one.expose().len(), one == other), (64, false));
        let file = std::env::temp_dir().join(format!("credential-{}", other.expose()));
        let read = |text: &str| {
            std::fs::write(&file, text).expect("writes");
            Secret::read(&file)
        };
        assert_eq!(read(" s3cret \nrest").expect("a secret").expose(), "s3cret");
        assert!(read("").is_err() && read("two words").is_err());
        std::fs::remove_file(&file).expect("was there");
        assert!(Secret::read(&file).is_err());
    }
}
