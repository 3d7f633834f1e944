//! The keys that sign access tokens, kept beside the store: in a file that one process has for itself, or in a table
//! that all instances of the service share.
//!
//! A key is stored before it is used or published. An instance reads the table at each sweep, and when it is asked
//! for keys, so it knows a key of another one long before that signs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ordersys_chassis::auth::tokens::{Fetched, KeySource, KeysUnavailable};
use ordersys_chassis::smoothed_clock;
use ordersys_contract::evidence::{KeyEvidence, SigningKey};
use ordersys_contract::session::Jwks;
use ordersys_contract::{Secret, Timestamp};
use ordersys_store::StoreError;
use ordersys_token::Claims;
use tokio::sync::Mutex;

use crate::domain::ring::{Aged, Certainty, Ring};
use crate::store::postgres;

mod file;

/// The file in the service's directory.
const FILE: &str = "keys.json";
/// Least time between two looks at the table, however often keys are asked for.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
/// How long whoever asks for keys waits for such a look: less than a service waits for keys.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);

/// The keys cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// In their file.
    #[error("the keys for access tokens in {} cannot be {verb}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        verb: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// In the database.
    #[error(transparent)]
    Table(#[from] StoreError),
}

/// Where keys are kept.
#[derive(Clone)]
pub(crate) enum Home {
    /// A file of this process alone.
    File(PathBuf),
    /// A table that several processes use.
    Table(postgres::Users),
}

impl Home {
    /// The file in a directory that this process has for itself.
    pub(crate) fn beside(dir: &Path) -> Self {
        Self::File(dir.join(FILE))
    }
}

/// The service's keys; clones share them.
#[derive(Clone)]
pub(crate) struct Keys {
    home: Home,
    age: Duration,
    ring: Arc<RwLock<Ring>>,
    /// When the table was looked at last. Held by who looks at it.
    looked: Arc<Mutex<Option<Instant>>>,
}

impl Keys {
    /// Reads the keys, or makes the first one.
    pub(crate) async fn open(home: Home, age: Duration) -> Result<Self, KeysError> {
        let stored = match &home {
            Home::File(path) => file::read(path)?,
            // They are taken over below.
            Home::Table(_) => Vec::new(),
        };
        let keys =
            Self { home, age, ring: Arc::new(RwLock::new(Ring::new(stored, age))), looked: Arc::default() };
        keys.turn(smoothed_clock::now(), Certainty::Unsure).await?;
        Ok(keys)
    }

    /// Makes and forgets keys as the time asks for, and takes over what other instances did. A new key is durable
    /// before it is published.
    pub(crate) async fn turn(&self, now: Timestamp, certainty: Certainty) -> Result<(), KeysError> {
        match &self.home {
            Home::File(path) => {
                if let Some(next) = self.now().turned(now, certainty) {
                    file::write(path, &next)?;
                    self.adopt(next);
                }
                Ok(())
            }
            Home::Table(users) => {
                let mut looked = self.looked.lock().await;
                self.look(users, now, certainty).await?;
                *looked = Some(Instant::now());
                Ok(())
            }
        }
    }

    /// Looks at the table. Other keys than those in use, and a time that asks for other ones, are settled under its
    /// lock: what another instance has just written may not be durable yet.
    async fn look(
        &self,
        users: &postgres::Users,
        now: Timestamp,
        certainty: Certainty,
    ) -> Result<(), StoreError> {
        let stored = Ring::new(users.stored_keys().await?, self.age);
        if names(stored.keys()) != names(self.now().keys()) || stored.turned(now, certainty).is_some() {
            self.adopt(users.turn_keys(self.age, now, certainty).await?);
        }
        Ok(())
    }

    fn adopt(&self, next: Ring) {
        let is_other = names(next.keys()) != names(self.now().keys());
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = next;
        if is_other {
            tracing::info!(service = crate::NAME, "the keys for access tokens changed");
        }
    }

    /// Looks for keys of other instances, unless that was done within `pause`. Without an answer the known ones
    /// have to do.
    async fn take_over(&self, pause: Duration) {
        let Home::Table(users) = &self.home else { return };
        let look = async {
            let mut looked = self.looked.lock().await;
            if looked.is_some_and(|at| at.elapsed() < pause) {
                return Ok(());
            }
            *looked = Some(Instant::now());
            self.look(users, smoothed_clock::now(), Certainty::Unsure).await
        };
        if let Ok(Err(error)) = tokio::time::timeout(LOOK_TIMEOUT, look).await {
            tracing::warn!(service = crate::NAME, %error, "keys of other instances are not looked for");
        }
    }

    /// The public halves, the newest first.
    pub(crate) async fn public(&self) -> Jwks {
        self.take_over(LOOK_PAUSE).await;
        Jwks { keys: self.now().keys().iter().rev().map(|aged| aged.key.public()).collect() }
    }

    /// Which keys there are, in use and as they are stored.
    pub(crate) async fn evidence(&self) -> KeyEvidence {
        self.take_over(Duration::ZERO).await;
        let stored = match &self.home {
            Home::File(path) => file::read(path).ok(),
            Home::Table(users) => users.stored_keys().await.ok(),
        };
        let shown = |ring: &Ring| {
            let key = |(kid, made): (&str, Timestamp)| SigningKey { kid: kid.to_owned(), made };
            names(ring.keys()).into_iter().map(key).collect()
        };
        let stored = stored.map(|stored| shown(&Ring::new(stored, self.age)));
        KeyEvidence { used: shown(&self.now()), stored }
    }

    /// A token that says this.
    pub(crate) fn sign(&self, claims: &Claims, now: Timestamp) -> Option<Secret> {
        self.now().signer(now).and_then(|key| key.sign(claims))
    }

    fn now(&self) -> Ring {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl KeySource for Keys {
    fn keys(&self) -> Fetched<'_> {
        Box::pin(async { Ok::<_, KeysUnavailable>(self.public().await) })
    }
}

/// What tells keys apart.
fn names(keys: &[Aged]) -> Vec<(&str, Timestamp)> {
    keys.iter().map(|aged| (aged.key.kid(), aged.made)).collect()
}
