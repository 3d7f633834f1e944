//! The header line that presents a credential, rendered once.

use ordersys_contract::Secret;

/// A header line, or nothing; `Debug` hides it.
#[derive(Clone, Default)]
pub struct Bearer(Box<[u8]>);

impl Bearer {
    /// The line that presents a credential, if there is one.
    #[must_use]
    pub fn of(credential: Option<&Secret>) -> Self {
        let line = credential.map(|secret| format!("authorization: Bearer {}\r\n", secret.expose()));
        Self(line.unwrap_or_default().into_bytes().into())
    }

    /// The line with its end, empty without a credential.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.0
    }

    /// This one, or another where there is none.
    #[must_use]
    pub fn or<'a>(&'a self, other: &'a Self) -> &'a Self {
        if self.0.is_empty() { other } else { self }
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "Bearer(none)" } else { "Bearer(hidden)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_makes_a_header_line_that_is_not_shown() {
        let secret = Secret::new("s3cret").expect("visible");
        let (some, none) = (Bearer::of(Some(&secret)), Bearer::of(None));
        assert_eq!(some.line(), b"authorization: Bearer s3cret\r\n");
        assert_eq!(none.line(), b"");
        assert_eq!((none.or(&some).line(), some.or(&none).line()), (some.line(), some.line()));
        assert_eq!(format!("{some:?} {none:?}"), "Bearer(hidden) Bearer(none)");
    }
}
