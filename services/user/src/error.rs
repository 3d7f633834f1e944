//! Why the user service refuses.

use ordersys_chassis::{Refusal, params};
use ordersys_contract::user::MAX_TEXT_BYTES;
use ordersys_contract::{Code, UserKind};
use ordersys_store::StoreError;

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
    #[error("email: must look like name@host")]
    NotAnEmail,
    /// There is no such user.
    #[error("User not found")]
    NotFound,
    /// The data could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UserError> for Refusal {
    fn from(error: UserError) -> Self {
        let field = match &error {
            UserError::Empty { field } | UserError::Unusable { field } => field,
            UserError::NotAnEmail => "email",
            UserError::NotFound => return params::not_found::<UserKind>(),
            UserError::Store(error) => return Self(error.into()),
        };
        let problem = Self::new(Code::InvalidField, error.to_string()).0;
        Self(problem.with("field", field))
    }
}
