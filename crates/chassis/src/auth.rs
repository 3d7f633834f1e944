//! Who calls, and extractors that put the policy of a route into its signature.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use ordersys_contract::{Code, Problem, RequestId, SessionId, UserId};

use crate::Refusal;

/// Whom an access token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The user.
    pub user: UserId,
    /// The user's token epoch when the token was made: revoked if the user has a later one by now.
    pub epoch: u64,
    /// The session the token belongs to.
    pub session: SessionId,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Somebody without a credential.
    Anyone,
    /// Another service.
    Service,
    /// The admin.
    Admin,
    /// A registered user, by an access token.
    User(Holder),
    /// Anybody at a service that asks for no credentials.
    Trusted,
}

/// The refusal of every credential that is no good, whatever is wrong with it.
#[must_use]
pub fn bad_credential() -> Problem {
    Problem::new(Code::Unauthenticated, "the credential is not valid")
}

/// What the middleware found out about a request, for extractors.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) id: RequestId,
    /// Who calls, or why that cannot be told.
    pub(crate) caller: Result<Caller, Arc<Problem>>,
}

impl Caller {
    fn of(parts: &Parts) -> Result<Self, Refusal> {
        match parts.extensions.get::<Seen>().map(|seen| &seen.caller) {
            Some(Ok(caller)) => Ok(*caller),
            Some(Err(problem)) => Err(Refusal(Problem::clone(problem))),
            None => Ok(Self::Anyone),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::of(parts)
    }
}

fn hidden() -> Refusal {
    Refusal(Problem::new(Code::UnknownRoute, "there is no such route"))
}

/// Lets only other services in; to everybody else the route does not exist.
#[derive(Debug, Clone, Copy)]
pub struct Internal;

impl<S: Sync> FromRequestParts<S> for Internal {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match Caller::of(parts) {
            Ok(Caller::Service | Caller::Trusted) => Ok(Self),
            Ok(Caller::Anyone | Caller::Admin | Caller::User(_)) | Err(_) => Err(hidden()),
        }
    }
}

/// Lets other services and the admin in; to everybody else the route does not exist.
#[derive(Debug, Clone, Copy)]
pub struct InternalOrAdmin;

impl<S: Sync> FromRequestParts<S> for InternalOrAdmin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match Caller::of(parts) {
            Ok(Caller::Service | Caller::Admin | Caller::Trusted) => Ok(Self),
            Ok(Caller::Anyone | Caller::User(_)) | Err(_) => Err(hidden()),
        }
    }
}

/// Lets only the admin in.
#[derive(Debug, Clone, Copy)]
pub struct AdminOnly;

impl<S: Sync> FromRequestParts<S> for AdminOnly {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Caller::of(parts)?.require_admin().map(|()| Self)
    }
}

impl Caller {
    /// Whether the caller may see and do everything.
    #[must_use]
    pub fn is_admin(self) -> bool {
        match self {
            Self::Admin | Self::Trusted => true,
            Self::Anyone | Self::Service | Self::User(_) => false,
        }
    }

    /// The user who calls, if it is one.
    #[must_use]
    pub fn user(self) -> Option<UserId> {
        self.holder().map(|holder| holder.user)
    }

    /// The holder of the access token that was presented, if one was.
    #[must_use]
    pub fn holder(self) -> Option<Holder> {
        match self {
            Self::User(holder) => Some(holder),
            Self::Anyone | Self::Service | Self::Admin | Self::Trusted => None,
        }
    }

    /// Refuses everybody but users.
    pub fn require_user(self) -> Result<Holder, Refusal> {
        let (code, why) = match self {
            Self::User(holder) => return Ok(holder),
            Self::Anyone => (Code::Unauthenticated, "this needs a user's access token"),
            Self::Service | Self::Admin | Self::Trusted => (Code::Forbidden, "only users have sessions"),
        };
        Err(Refusal(Problem::new(code, why)))
    }

    /// Refuses everybody but the admin.
    pub fn require_admin(self) -> Result<(), Refusal> {
        let (code, why) = match self {
            Self::Admin | Self::Trusted => return Ok(()),
            Self::Anyone => (Code::Unauthenticated, "this needs the admin's credential"),
            Self::Service | Self::User(_) => (Code::Forbidden, "only the admin may do this"),
        };
        Err(Refusal(Problem::new(code, why)))
    }
}

/// Always lets in; for routes that anybody may call.
impl From<Infallible> for Refusal {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
