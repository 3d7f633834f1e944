//! Access tokens as a service checks them: here, with keys fetched now and then, remembering what
//! was checked already.
//!
//! Only callers whose token names an unknown key wait for keys, so a service whose user service is down still
//! serves all others.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ordersys_contract::client::Endpoints;
use ordersys_contract::session::Jwks;
use ordersys_contract::{Client, Code, Problem, Timestamp};
use ordersys_spans::SpanContexts;
use ordersys_token::{Claims, PublicKeys, Refused};
use quick_cache::sync::Cache;

use super::caller::bad_credential;
use crate::Holder;

/// Verified tokens that are remembered; about 600 bytes each.
const REMEMBERED: usize = 4096;
/// How long a fetch of the keys may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Least time between two fetches, whatever callers present.
const FETCH_PAUSE: Duration = Duration::from_secs(1);
/// Keys older than this are fetched anew in passing, so that a new key is known before it signs.
const KEYS_AGE: Duration = Duration::from_mins(1);

/// The keys could not be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the keys of the user service cannot be fetched: {0}")]
pub struct KeysUnavailable(pub String);

/// A fetch under way.
pub type Fetched<'a> = Pin<Box<dyn Future<Output = Result<Jwks, KeysUnavailable>> + Send + 'a>>;

/// Where the public keys come from: the user service, over HTTP or in the same process.
pub trait KeySource: Send + Sync + 'static {
    /// The keys as they are now.
    fn keys(&self) -> Fetched<'_>;
}

/// The user service's keys over HTTP.
#[derive(Debug, Clone)]
pub struct RemoteKeys(Client);

impl RemoteKeys {
    /// The keys of the user service at these endpoints.
    #[must_use]
    pub fn new(endpoints: Endpoints) -> Self {
        Self(Client::new(endpoints).with_timeout(FETCH_TIMEOUT))
    }
}

impl KeySource for RemoteKeys {
    fn keys(&self) -> Fetched<'_> {
        Box::pin(async move {
            let client = self.0.clone().with_trace_parent(SpanContexts::current().parent());
            client.jwks().await.map_err(|error| KeysUnavailable(error.to_string()))
        })
    }
}

/// Verifies access tokens; clones share what they know.
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

struct Shared {
    source: Box<dyn KeySource>,
    verified: Cache<Box<str>, Claims>,
    known: RwLock<Arc<Known>>,
    fetching: tokio::sync::Mutex<()>,
}

/// The keys as of the last fetch.
#[derive(Default)]
struct Known {
    keys: PublicKeys,
    fetched: Option<(Instant, Outcome)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Came,
    Failed,
}

impl Known {
    fn older_than(&self, age: Duration) -> bool {
        self.fetched.is_none_or(|(at, _)| at.elapsed() > age)
    }

    /// Whether these keys can say of a key that there is no such one.
    fn conclusive(&self) -> Result<(), Problem> {
        match self.fetched {
            Some((_, Outcome::Came)) => Ok(()),
            Some((_, Outcome::Failed)) | None => {
                let why = "the user service does not answer, so the token cannot be checked";
                Err(Problem::new(Code::DependencyDown, why))
            }
        }
    }
}

impl Tokens {
    /// Checks tokens with the keys from this source.
    #[must_use]
    pub fn new(source: impl KeySource) -> Self {
        Self(Arc::new(Shared {
            source: Box::new(source),
            verified: Cache::new(REMEMBERED),
            known: RwLock::default(),
            fetching: tokio::sync::Mutex::default(),
        }))
    }

    /// The holder of a good token. All others are rejected alike.
    pub(crate) async fn holder(&self, token: &str, now: Timestamp) -> Result<Holder, Problem> {
        if let Some(claims) = self.0.verified.get(token) {
            return if claims.good_at(now) { Ok(holder(&claims)) } else { Err(bad_credential()) };
        }
        let known = self.known();
        let mut verdict = known.keys.verify(token, now);
        if verdict == Err(Refused::UnknownKey) {
            let newer = self.newer_than(&known).await;
            newer.conclusive()?;
            verdict = newer.keys.verify(token, now);
        } else if known.older_than(KEYS_AGE) {
            let tokens = self.clone();
            tokio::spawn(async move { tokens.newer_than(&known).await });
        }
        let claims = verdict.map_err(|_| bad_credential())?;
        self.0.verified.insert(token.into(), claims);
        Ok(holder(&claims))
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.0.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keys that are newer than these if there can be any by now: one fetch at a time, and a pause
    /// after each.
    async fn newer_than(&self, seen: &Arc<Known>) -> Arc<Known> {
        let _one_at_a_time = self.0.fetching.lock().await;
        let known = self.known();
        if !Arc::ptr_eq(&known, seen) || !known.older_than(FETCH_PAUSE) {
            return known;
        }
        let fetched = match tokio::time::timeout(FETCH_TIMEOUT, self.0.source.keys()).await {
            Ok(Ok(set)) => Ok(PublicKeys::new(&set)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(KeysUnavailable(format!("not within {FETCH_TIMEOUT:?}"))),
        };
        let next = match fetched {
            Ok(keys) => Known { keys, fetched: Some((Instant::now(), Outcome::Came)) },
            Err(error) => {
                tracing::warn!(%error, "the keys for access tokens stay as they are");
                Known { keys: known.keys.clone(), fetched: Some((Instant::now(), Outcome::Failed)) }
            }
        };
        let next = Arc::new(next);
        *self.0.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        next
    }
}

fn holder(claims: &Claims) -> Holder {
    Holder { user: claims.user, epoch: claims.epoch, session: claims.session }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ordersys_contract::{SessionId, UserId};
    use ordersys_token::PrivateKey;

    use super::*;

    #[derive(Clone)]
    struct Counted(Arc<AtomicUsize>, Jwks);

    impl KeySource for Counted {
        fn keys(&self) -> Fetched<'_> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(self.1.clone()) })
        }
    }

    #[tokio::test]
    async fn unknown_keys_cause_few_fetches_however_many_come() {
        let (ours, strange) = (PrivateKey::random(), PrivateKey::random());
        let fetches = Arc::new(AtomicUsize::new(0));
        let tokens = Tokens::new(Counted(Arc::clone(&fetches), Jwks { keys: vec![ours.public()] }));
        let now = Timestamp::now();
        let token = |key: &PrivateKey| {
            let claims = Claims::new(UserId::now(), SessionId::random(), 0, now);
            key.sign(&claims).expect("signs").expose().to_owned()
        };
        for _ in 0..100 {
            let rejected = tokens.holder(&token(&strange), now).await.expect_err("is not ours");
            assert_eq!(rejected.code, Code::Unauthenticated);
        }
        let good = token(&ours);
        assert!(tokens.holder(&good, now).await.is_ok());
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
        let later = now.after(ordersys_token::LIFETIME);
        assert!(tokens.holder(&good, later).await.is_err(), "what is remembered expires too");
    }
}
