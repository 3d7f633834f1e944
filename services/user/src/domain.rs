//! What a user is allowed to look like. Pure.

use ordersys_contract::user::{MAX_TEXT_BYTES, NewUser};

use crate::UserError;

/// A user's name and address, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) email: String,
}

impl Profile {
    /// Checks what a client sent.
    pub(crate) fn new(new: &NewUser) -> Result<Self, UserError> {
        if new.password.is_some() {
            return Err(UserError::Unusable { field: "password" });
        }
        let name = text("name", &new.name)?;
        let email = text("email", &new.email)?;
        let has_address_form = email
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
            && !email.contains(char::is_whitespace);
        if has_address_form { Ok(Self { name, email }) } else { Err(UserError::NotAnEmail) }
    }
}

fn text(field: &'static str, text: &str) -> Result<String, UserError> {
    let text = text.trim();
    if text.is_empty() {
        Err(UserError::Empty { field })
    } else if text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
        Err(UserError::Unusable { field })
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_checked() {
        let check = |name: &str, email: &str| Profile::new(&NewUser::guest(name, email)).is_ok();
        assert!(check("Alice", "alice@example.com"));
        assert!(check("Ünal", "ü@example.com"));
        assert!(check(" padded ", "a@b"));
        for (name, email) in [
            ("", "a@b"),
            ("  ", "a@b"),
            ("A", ""),
            ("A", "ab"),
            ("A", "@b"),
            ("A", "a@"),
            ("A", "a@b@c"),
            ("A", "a b@c"),
            ("A\u{0}", "a@b"),
            (&"x".repeat(255), "a@b"),
        ] {
            assert!(!check(name, email), "{name:?} {email:?}");
        }
    }
}
