//! Finds out who calls, from the headers of a request.

use http::{HeaderMap, header};
use ordersys_contract::Problem;

use super::caller::bad_credential;
use super::smoothed_clock;
use crate::{Caller, Credentials, Tokens};

/// What a service accepts as proof of who calls.
#[derive(Clone)]
pub struct Authenticator {
    credentials: Credentials,
    tokens: Tokens,
}

impl Authenticator {
    /// Accepts these credentials, and the access tokens that these keys signed.
    #[must_use]
    pub fn new(credentials: Credentials, tokens: Tokens) -> Self {
        Self { credentials, tokens }
    }

    /// Who presents these headers. A credential that is not good is an error, unlike none.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(match self.credentials {
                Credentials::Open => Caller::Trusted,
                Credentials::Closed { .. } => Caller::Anyone,
            });
        };
        let presented = value.to_str().ok().filter(|_| values.next().is_none()).and_then(bearer);
        match (&self.credentials, presented) {
            (_, Some(token)) if ordersys_token::has_form(token) => {
                self.tokens.holder(token, smoothed_clock::now()).await.map(Caller::User)
            }
            (Credentials::Open, _) => Ok(Caller::Trusted),
            (Credentials::Closed { service, admin }, Some(presented)) => {
                match (service.accepts(presented), admin.accepts(presented)) {
                    (true, _) => Ok(Caller::Service),
                    (_, true) => Ok(Caller::Admin),
                    _ => Err(bad_credential()),
                }
            }
            (Credentials::Closed { .. }, None) => Err(bad_credential()),
        }
    }
}

/// What follows `Bearer` and one space.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, presented) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(presented)
}

#[cfg(test)]
mod tests {
    use ordersys_contract::{Code, Secret};

    use super::*;
    use crate::auth::tokens::{Fetched, KeySource, KeysUnavailable};

    struct NoKeys;

    impl KeySource for NoKeys {
        fn keys(&self) -> Fetched<'_> {
            Box::pin(async { Err(KeysUnavailable("a test".to_owned())) })
        }
    }

    #[tokio::test]
    async fn only_exact_credentials_identify() {
        let secret = |text| Secret::new(text).expect("usable").into();
        let closed = Credentials::Closed { service: secret("svc"), admin: secret("adm") };
        let authenticator = Authenticator::new(closed, Tokens::new(NoKeys));
        let mut headers = HeaderMap::new();
        assert_eq!(authenticator.caller(&headers).await.ok(), Some(Caller::Anyone));
        for (value, expected) in [
            ("Bearer svc", Ok(Caller::Service)),
            ("bearer adm", Ok(Caller::Admin)),
            ("Bearer ad", Err(Code::Unauthenticated)),
            ("Bearer admm", Err(Code::Unauthenticated)),
            ("Bearer ", Err(Code::Unauthenticated)),
            ("Basic adm", Err(Code::Unauthenticated)),
            ("adm", Err(Code::Unauthenticated)),
            ("Bearer  adm", Err(Code::Unauthenticated)),
            ("Bearer a.b.c", Err(Code::Unauthenticated)),
        ] {
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
            let caller = authenticator.caller(&headers).await.map_err(|problem| problem.code);
            assert_eq!(caller, expected, "{value}");
        }
        headers.append(header::AUTHORIZATION, "Bearer adm".parse().expect("a header"));
        assert!(authenticator.caller(&headers).await.is_err(), "two credentials are none");
    }
}
