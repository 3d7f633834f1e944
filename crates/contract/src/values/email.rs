//! E-mail addresses: the one form in which they are compared, wherever they are.

use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::user::MAX_TEXT_BYTES;

/// Characters that are not seen, or change the direction of what is: first and last of each range (Unicode's
/// `Default_Ignorable_Code_Point`, and the blank of braille).
const INVISIBLE: [(char, char); 17] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// An address in the form in which it is compared: two texts that people take for the same address have the same.
///
/// Case does not count, nor do spaces around it. Before the `@` the compatible composed form (NFKC) is taken, behind
/// it the ASCII form of the domain (UTS 46), without a final dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailKey(String);

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEmail {
    /// Not a name and a host.
    #[error("must look like name@host, without spaces inside")]
    Form,
    /// Longer than any address.
    #[error("must have at most {MAX_TEXT_BYTES} bytes")]
    TooLong,
    /// It would look like another address.
    #[error("must not have characters that cannot be seen, such as U+{:04X}", u32::from(*.0))]
    Invisible(char),
    /// What is behind the `@` is no domain.
    #[error("must have a domain behind the @")]
    Domain,
}

impl EmailKey {
    /// The key of an address.
    pub fn of(email: &str) -> Result<Self, NotAnEmail> {
        let email = email.trim();
        if email.len() > MAX_TEXT_BYTES {
            return Err(NotAnEmail::TooLong);
        }
        if let Some(hidden) = email.chars().find(|c| is_invisible(*c)) {
            return Err(NotAnEmail::Invisible(hidden));
        }
        let (name, host) = email.split_once('@').ok_or(NotAnEmail::Form)?;
        let name = folded(name);
        let host = idna::domain_to_ascii(host).map_err(|_| NotAnEmail::Domain)?;
        let host = host.strip_suffix('.').unwrap_or(&host);
        // Looked at in the end: compatible forms of a sign or a space are that sign or space.
        let is_part = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
        };
        if is_part(&name) && is_part(host) {
            Ok(Self(format!("{name}@{host}")))
        } else {
            Err(NotAnEmail::Form)
        }
    }

    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether two texts are the same address. Texts that are none are only the same as themselves.
#[must_use]
pub fn is_same_email(one: &str, other: &str) -> bool {
    match (EmailKey::of(one), EmailKey::of(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn is_invisible(c: char) -> bool {
    INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Small letters may have another composed form than the capital ones, so both are done until nothing changes.
fn folded(text: &str) -> String {
    const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();
    let once = NFKC.normalize(text).to_lowercase();
    NFKC.normalize(&once).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_key() {
        for (one, other) in [
            ("Carol@Example.com", "carol@example.com"),
            (" carol@example.com ", "carol@example.com"),
            ("jos\u{e9}@example.com", "JOSE\u{301}@example.com"),
            ("\u{ff41}nn@example.com", "ann@example.com"),
            ("\u{fb01}@example.com", "fi@example.com"),
            ("a@b\u{fc}cher.example", "a@xn--bcher-kva.example"),
            ("a@BU\u{308}CHER.example", "a@XN--BCHER-KVA.example"),
            ("a@example\u{3002}com", "a@example.com"),
            ("a@example.com.", "a@example.com"),
            ("\u{130}@x", "i\u{307}@x"),
        ] {
            let keys = [one, other].map(|text| EmailKey::of(text).expect(text));
            assert_eq!(keys[0], keys[1], "{one} {other}");
            assert!(is_same_email(one, other));
            assert_eq!(EmailKey::of(keys[0].as_str()).as_ref(), Ok(&keys[0]), "a key is its own key");
        }
        for (one, other) in
            [("a@x", "b@x"), ("a.b@x", "ab@x"), ("a+1@x", "a@x"), ("a@x", "a@y"), ("e@x", "\u{e9}@x")]
        {
            assert!(!is_same_email(one, other), "{one} {other}");
        }
        assert!(is_same_email("none", "none") && !is_same_email("none", "None"));
    }

    #[test]
    fn ascii_changes_its_case_only() {
        for text in
            ["Ann.B+c_d-e@Sub.Example-1.COM", "a@b", "x'y!#$%&*/=?^`{|}~@a_b.c", "a@[127.0.0.1]", "a@1"]
        {
            let key = EmailKey::of(text).expect(text);
            let lower = text.to_ascii_lowercase();
            assert_eq!((key.as_str(), key.to_string().as_str()), (lower.as_str(), lower.as_str()));
        }
        let longest = format!("{}@b", "x".repeat(MAX_TEXT_BYTES - 2));
        assert_eq!(EmailKey::of(&longest).expect("not too long").as_str(), longest);
    }

    #[test]
    fn what_is_none_says_why() {
        for (text, why) in [
            ("", NotAnEmail::Form),
            ("ab", NotAnEmail::Form),
            ("@b", NotAnEmail::Form),
            ("a@", NotAnEmail::Form),
            ("a@b@c", NotAnEmail::Form),
            ("a b@c", NotAnEmail::Form),
            ("a\u{1}b@c", NotAnEmail::Form),
            ("a\u{ff20}b", NotAnEmail::Form),
            ("a\u{ff20}b@c", NotAnEmail::Form),
            ("\u{a8}@c", NotAnEmail::Form),
            ("a\u{200b}@b", NotAnEmail::Invisible('\u{200b}')),
            ("a@b\u{ad}c", NotAnEmail::Invisible('\u{ad}')),
            ("\u{202e}a@b", NotAnEmail::Invisible('\u{202e}')),
            ("a@xn--a.example", NotAnEmail::Domain),
            (&format!("{}@b", "x".repeat(MAX_TEXT_BYTES)), NotAnEmail::TooLong),
        ] {
            assert_eq!(EmailKey::of(text), Err(why), "{text:?}");
        }
        assert_eq!(
            NotAnEmail::Invisible('\u{ad}').to_string(),
            "must not have characters that cannot be seen, such as U+00AD"
        );
    }
}
