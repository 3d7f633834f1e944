//! Who calls: credentials, and extractors that put the policy of a route into its signature.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use ordersys_contract::{Code, Problem, Secret, SessionId, UserId};
use subtle::ConstantTimeEq;

use crate::Refusal;

/// File name of the credential between services.
pub const SERVICE_FILE: &str = "service.token";
/// File name of the admin's credential.
pub const ADMIN_FILE: &str = "admin.token";

/// The credentials a service accepts.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// None are configured: every caller may do everything. Only for a loopback address.
    Open,
    /// Callers present one of these.
    Closed {
        /// The other services' credential.
        service: Secret,
        /// The admin's credential.
        admin: Secret,
    },
}

/// A credential file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the credential file {} cannot be read", path.display())]
pub struct CredentialError {
    path: std::path::PathBuf,
    source: std::io::Error,
}

impl Credentials {
    /// Reads both credentials from their files in `dir`.
    pub fn read(dir: &Path) -> Result<Self, CredentialError> {
        let read = |name: &str| {
            let path = dir.join(name);
            Secret::read(&path).map_err(|source| CredentialError { path, source })
        };
        Ok(Self::Closed { service: read(SERVICE_FILE)?, admin: read(ADMIN_FILE)? })
    }

    /// The credential to present to other services.
    #[must_use]
    pub fn service(&self) -> Option<Secret> {
        match self {
            Self::Open => None,
            Self::Closed { service, .. } => Some(service.clone()),
        }
    }

    /// Who presents these headers. A credential that is not ours is an error, not nobody.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let (service, admin) = match self {
            Self::Open => return Ok(Caller::Trusted),
            Self::Closed { service, admin } => (service, admin),
        };
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Ok(Caller::Anyone);
        };
        let token = value
            .as_bytes()
            .split_at_checked(7)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
        let presented = token.map_or(&b""[..], |(_, token)| token);
        let is = |secret: &Secret| bool::from(secret.expose().as_bytes().ct_eq(presented));
        match (is(service), is(admin)) {
            (true, _) => Ok(Caller::Service),
            (_, true) => Ok(Caller::Admin),
            _ => Err(Problem::new(Code::Unauthenticated, "the credential is not valid")),
        }
    }
}

/// Whom an access token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: UserId,
    /// The user's token epoch when the token was made: revoked if the user has a later one by now.
    pub epoch: u64,
    /// The session the token belongs to.
    pub session: SessionId,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Why the middleware could not tell who calls; extractors return it.
#[derive(Clone)]
pub(crate) struct Unidentified(pub(crate) Arc<Problem>);

impl Caller {
    fn of(parts: &Parts) -> Result<Self, Refusal> {
        if let Some(Unidentified(problem)) = parts.extensions.get() {
            return Err(Refusal(Problem::clone(problem)));
        }
        Ok(parts.extensions.get().copied().unwrap_or(Self::Anyone))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_credentials_identify() {
        let secret = |text| Secret::new(text).expect("usable");
        let credentials = Credentials::Closed { service: secret("svc"), admin: secret("adm") };
        let caller = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
            credentials.caller(&headers).map_err(|problem| problem.code)
        };
        assert_eq!(caller("Bearer svc"), Ok(Caller::Service));
        assert_eq!(caller("bearer adm"), Ok(Caller::Admin));
        for wrong in ["Bearer ad", "Bearer admm", "Bearer ", "Basic adm", "adm", "Bearer  adm"] {
            assert_eq!(caller(wrong), Err(Code::Unauthenticated), "{wrong}");
        }
        assert_eq!(credentials.caller(&HeaderMap::new()).ok(), Some(Caller::Anyone));
    }
}
