//! Who calls, and extractors that put the policy of a route into its signature.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use ordersys_contract::{Code, Problem, RequestId, SessionId, UserId};

use crate::Rejection;

/// The user and session that an access token names.
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
    /// A caller without a credential.
    Anyone,
    /// Another service.
    Service,
    /// The admin.
    Admin,
    /// A registered user, by an access token.
    User(Holder),
    /// Any caller of a service that asks for no credentials.
    Trusted,
}

/// The rejection of every credential that is no good, whatever is wrong with it.
#[must_use]
pub fn bad_credential() -> Problem {
    Problem::new(Code::Unauthenticated, "the credential is not valid")
}

/// What the middleware found out about a request, for extractors.
#[derive(Clone)]
pub(crate) struct RequestInfo {
    pub(crate) id: RequestId,
    /// Who calls, or why that is not known.
    pub(crate) caller: Result<Caller, Arc<Problem>>,
}

impl Caller {
    fn of(parts: &Parts) -> Result<Self, Rejection> {
        match parts.extensions.get::<RequestInfo>().map(|seen| &seen.caller) {
            Some(Ok(caller)) => Ok(*caller),
            Some(Err(problem)) => Err(Rejection(Problem::clone(problem))),
            None => Ok(Self::Anyone),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Self::of(parts)
    }
}

fn hidden() -> Rejection {
    Rejection(Problem::new(Code::UnknownRoute, "there is no such route"))
}

/// Lets only other services in; to all others the route does not exist.
#[derive(Debug, Clone, Copy)]
pub struct Internal;

impl<S: Sync> FromRequestParts<S> for Internal {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        match Caller::of(parts) {
            Ok(Caller::Service | Caller::Trusted) => Ok(Self),
            Ok(Caller::Anyone | Caller::Admin | Caller::User(_)) | Err(_) => Err(hidden()),
        }
    }
}

/// Lets other services and the admin in; to all others the route does not exist.
#[derive(Debug, Clone, Copy)]
pub struct InternalOrAdmin;

impl<S: Sync> FromRequestParts<S> for InternalOrAdmin {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
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
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
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

    /// Rejects all but users.
    pub fn require_user(self) -> Result<Holder, Rejection> {
        let (code, why) = match self {
            Self::User(holder) => return Ok(holder),
            Self::Anyone => (Code::Unauthenticated, "this needs a user's access token"),
            Self::Service | Self::Admin | Self::Trusted => (Code::Forbidden, "only users have sessions"),
        };
        Err(Rejection(Problem::new(code, why)))
    }

    /// Rejects all but the admin.
    pub fn require_admin(self) -> Result<(), Rejection> {
        let (code, why) = match self {
            Self::Admin | Self::Trusted => return Ok(()),
            Self::Anyone => (Code::Unauthenticated, "this needs the admin's credential"),
            Self::Service | Self::User(_) => (Code::Forbidden, "only the admin may do this"),
        };
        Err(Rejection(Problem::new(code, why)))
    }
}

/// For extractors that never reject.
impl From<Infallible> for Rejection {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
