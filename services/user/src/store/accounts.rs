//! Users as the use cases know them: what is stored and changed of an account, and how that ends.

use ordersys_contract::UserId;
use ordersys_contract::user::UserStatus;
use ordersys_store::answers::CommandId;

use crate::hasher::PasswordHash;

/// What makes a user a registered one.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) login: String,
    pub(crate) password: PasswordHash,
}

/// A registered user, as far as logging in needs it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) password: PasswordHash,
    pub(crate) status: UserStatus,
}

/// What is changed of a user.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) command: CommandId,
    pub(crate) name: Option<String>,
    /// The new hash, in place of this one.
    pub(crate) password: Option<(PasswordHash, PasswordHash)>,
}

/// How reading or changing a user for a caller ended.
#[derive(Debug)]
pub(crate) enum Reached<T> {
    Done(T),
    /// There is none, or not for this caller.
    NotFound,
    /// It is the caller, whose token is of an earlier epoch.
    Revoked,
}

impl<T> Reached<T> {
    /// The same of another thing.
    pub(super) fn map<U>(self, of: impl FnOnce(T) -> U) -> Reached<U> {
        match self {
            Self::Done(found) => Reached::Done(of(found)),
            Self::NotFound => Reached::NotFound,
            Self::Revoked => Reached::Revoked,
        }
    }
}
