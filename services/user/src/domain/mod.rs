//! What a user is allowed to look like, and who may see and change one. Pure.

use ordersys_chassis::Caller;
use ordersys_contract::user::{MAX_PASSWORD_BYTES, MAX_TEXT_BYTES, MIN_PASSWORD_BYTES};
use ordersys_contract::{EmailKey, Password, UserId};

use crate::UserError;

pub(crate) mod ring;

/// Common passwords, rejected at registration.
const WORST: [&str; 16] = [
    "password",
    "password1",
    "password12",
    "password123",
    "passw0rd",
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "qwertyui",
    "qwerty123",
    "qwertyuiop",
    "1q2w3e4r",
    "iloveyou",
    "abcd1234",
    "letmein1",
];

/// A user's name and address, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) email: String,
}

impl Profile {
    /// Checks what a client sent.
    pub(crate) fn new(name: &str, email: &str) -> Result<Self, UserError> {
        let (name, email) = (checked_name(name)?, text("email", email)?);
        EmailKey::of(&email)?;
        Ok(Self { name, email })
    }

    /// Refuses passwords that are too short, too long, or the first guess of a stranger.
    pub(crate) fn accepts(&self, password: &Password) -> Result<(), UserError> {
        let text = password.expose();
        let lower = text.to_lowercase();
        let one_character = text.chars().all(|c| text.starts_with(c));
        let guessed = one_character
            || WORST.contains(&lower.as_str())
            || [&self.name, &self.email].iter().any(|own| own.to_lowercase() == lower);
        match text.len() {
            MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES if guessed => Err(UserError::GuessedPassword),
            MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES => Ok(()),
            _ => Err(UserError::PasswordLength),
        }
    }
}

/// A user's name, checked.
pub(crate) fn checked_name(name: &str) -> Result<String, UserError> {
    text("name", name)
}

/// The form of an address in which it is looked for, and belongs to one registered user at most. What is no address
/// has a form too: earlier versions took some of it.
pub(crate) fn login(email: &str) -> String {
    EmailKey::of(email).map_or_else(|_| earlier_login(email), |key| key.as_str().to_owned())
}

/// The form that earlier versions stored. Two accounts of these may have the same form by now: the later one keeps
/// its earlier one.
pub(crate) fn earlier_login(email: &str) -> String {
    email.trim().to_lowercase()
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

/// As whom a caller reads or changes one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The admin: every user.
    Admin,
    /// The user, by a token of this epoch: guests and oneself.
    Owner(u64),
    /// All others: guests.
    Stranger,
}

impl Role {
    /// What a caller is to a user.
    pub(crate) fn of(caller: Caller, user: UserId) -> Self {
        match caller {
            Caller::Admin | Caller::Trusted => Self::Admin,
            Caller::User(holder) if holder.user == user => Self::Owner(holder.epoch),
            Caller::User(_) | Caller::Anyone | Caller::Service => Self::Stranger,
        }
    }
}

#[cfg(test)]
mod tests {
    use ordersys_chassis::Holder;
    use ordersys_contract::SessionId;

    use super::*;

    #[test]
    fn names_and_addresses_are_checked() {
        let check = |name: &str, email: &str| Profile::new(name, email).is_ok();
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
            (&"x".repeat(MAX_TEXT_BYTES + 1), "a@b"),
        ] {
            assert!(!check(name, email), "{name:?} {email:?}");
        }
        assert!(check(&"x".repeat(MAX_TEXT_BYTES), "a@b"));
        let padded = Profile::new(" padded ", " A@b ").expect("fine");
        assert_eq!((padded.name.as_str(), padded.email.as_str()), ("padded", "A@b"));
        assert_eq!(checked_name(" padded ").expect("fine"), "padded");
    }

    #[test]
    fn the_first_guesses_are_no_passwords() {
        let profile = Profile::new("Alice Miller", "alice@example.com").expect("fine");
        let check = |text: &str| profile.accepts(&Password::new(text)).is_ok();
        for good in ["correct horse", "8 bytes!", "pässwört", &"ab".repeat(64)] {
            assert!(check(good), "{good}");
        }
        for bad in
            ["", "7 bytes", &"ab".repeat(65), "PASSWORD", "aaaaaaaaaaaa", "alice miller", "Alice@example.com"]
        {
            assert!(!check(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_is_looked_for_in_one_form_and_what_is_none_as_it_was() {
        for (email, now, earlier) in [
            (" Alice@Example.COM ", "alice@example.com", "alice@example.com"),
            ("\u{ff41}nn@example.com", "ann@example.com", "\u{ff41}nn@example.com"),
            (" No Address ", "no address", "no address"),
        ] {
            assert_eq!((login(email).as_str(), earlier_login(email).as_str()), (now, earlier), "{email}");
        }
    }

    #[test]
    fn a_user_owns_oneself_and_the_admin_reaches_all() {
        let (own, other) = (UserId::now(), UserId::now());
        let holder = Caller::User(Holder { user: own, epoch: 3, session: SessionId::random() });
        for (caller, to_own, to_other) in [
            (Caller::Admin, Role::Admin, Role::Admin),
            (Caller::Trusted, Role::Admin, Role::Admin),
            (holder, Role::Owner(3), Role::Stranger),
            (Caller::Anyone, Role::Stranger, Role::Stranger),
            (Caller::Service, Role::Stranger, Role::Stranger),
        ] {
            assert_eq!((Role::of(caller, own), Role::of(caller, other)), (to_own, to_other), "{caller:?}");
        }
    }
}
