//! Why the user service refuses.

use ordersys_chassis::auth::bad_credential;
use ordersys_chassis::http::params;
use ordersys_chassis::{Caller, Rejection};
use ordersys_contract::email::NotAnEmail;
use ordersys_contract::user::{MAX_PASSWORD_BYTES, MAX_TEXT_BYTES, MIN_PASSWORD_BYTES};
use ordersys_contract::{Code, Problem, UserKind};
use ordersys_store::{OpenError, StoreError};

use crate::keys::KeysError;

/// The service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its store does not open.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Its keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// Why the user service refuses.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// A text is missing.
    #[error("{field}: must not be empty")]
    Empty {
        /// Which member.
        field: &'static str,
    },
    /// A text is too long or has control characters.
    #[error("{field}: at most {MAX_TEXT_BYTES} bytes without control characters")]
    Unusable {
        /// Which member.
        field: &'static str,
    },
    /// The address has no form of one.
    #[error("email: {0}")]
    NotAnEmail(#[from] NotAnEmail),
    /// The password is too short or too long.
    #[error("password: {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes are needed")]
    PasswordLength,
    /// The password is a common one.
    #[error("password: is too common")]
    GuessedPassword,
    /// A change that names nothing.
    #[error("name or password is needed")]
    NothingToChange,
    /// Users prove that they know the password they change.
    #[error("currentPassword: is needed to set a new password")]
    CurrentPasswordMissing,
    /// Guests have no password to change.
    #[error("password: a guest has none")]
    GuestPassword,
    /// Another registered user has the address.
    #[error("another user is registered with this address")]
    EmailTaken,
    /// The address or the password is wrong.
    #[error("the address or the password is wrong")]
    WrongCredentials,
    /// The current password is wrong.
    #[error("currentPassword: is not the password")]
    WrongPassword,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The refresh token brings no session.
    #[error("the session has ended: log in again")]
    SessionEnded,
    /// The token was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The caller tries too often.
    #[error("too many tries: wait {seconds} s")]
    TooFast {
        /// How long, at least.
        seconds: u32,
    },
    /// Too many passwords wait to be hashed.
    #[error("too many passwords are being checked; nothing was written")]
    HasherBusy,
    /// Hashing ended for another reason.
    #[error("the password cannot be checked")]
    HasherFailed,
    /// No key signs.
    #[error("no token can be made")]
    NoToken,
    /// Someone else than the admin marks a user as test data.
    #[error("test: only the admin marks users as test data")]
    MarkedByOther(Caller),
    /// There is no such user.
    #[error("User not found")]
    NotFound,
    /// The data could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UserError> for Rejection {
    fn from(error: UserError) -> Self {
        let detail = error.to_string();
        let of = |code, field| Self(Problem::new(code, detail.clone()).with("field", field));
        let code = match error {
            UserError::Empty { field } | UserError::Unusable { field } => {
                return of(Code::InvalidField, field);
            }
            UserError::NotAnEmail(_) => return of(Code::InvalidField, "email"),
            UserError::GuestPassword => return of(Code::InvalidField, "password"),
            UserError::PasswordLength | UserError::GuessedPassword => {
                return of(Code::WeakPassword, "password");
            }
            UserError::CurrentPasswordMissing => return of(Code::MissingField, "currentPassword"),
            UserError::NotFound => return params::not_found::<UserKind>(),
            UserError::Store(error) => return Self((&error).into()),
            UserError::MarkedByOther(Caller::Anyone) => return of(Code::Unauthenticated, "test"),
            UserError::MarkedByOther(_) => return of(Code::Forbidden, "test"),
            UserError::Revoked => return Self(bad_credential()),
            UserError::TooFast { seconds } => {
                let problem = Problem::new(Code::TooManyRequests, detail);
                return Self(Problem { retry_after: Some(seconds), ..problem });
            }
            UserError::NothingToChange => Code::MissingField,
            UserError::EmailTaken => Code::EmailTaken,
            UserError::WrongCredentials => Code::InvalidCredentials,
            UserError::WrongPassword => Code::WrongPassword,
            UserError::Disabled => Code::AccountDisabled,
            UserError::SessionEnded => Code::SessionEnded,
            UserError::HasherBusy => Code::Overloaded,
            UserError::HasherFailed | UserError::NoToken => Code::Internal,
        };
        Self::new(code, detail)
    }
}
