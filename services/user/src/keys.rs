//! The keys that sign access tokens, kept in a file beside the store.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ordersys_chassis::auth::tokens::{Fetched, KeySource, KeysUnavailable};
use ordersys_chassis::smoothed_clock;
use ordersys_contract::evidence::{KeyEvidence, SigningKey};
use ordersys_contract::session::Jwks;
use ordersys_contract::{Secret, Timestamp};
use ordersys_token::{Claims, PrivateKey};
use serde::{Deserialize, Serialize};

use crate::domain::ring::{Aged, Certainty, Ring};

/// The file in the service's directory.
const FILE: &str = "keys.json";

/// The keys cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the keys for access tokens in {} cannot be {verb}", path.display())]
pub struct KeysError {
    path: PathBuf,
    verb: &'static str,
    source: std::io::Error,
}

/// A key as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    made: Timestamp,
    seed: Secret,
}

/// The service's keys; clones share them.
#[derive(Clone)]
pub(crate) struct Keys {
    file: PathBuf,
    ring: Arc<RwLock<Ring>>,
}

impl Keys {
    /// Reads the keys in a directory that this process has for itself, or makes the first one.
    pub(crate) fn open(dir: &Path, age: Duration) -> Result<Self, KeysError> {
        let file = dir.join(FILE);
        let fail = |source| KeysError { path: file.clone(), verb: "read", source };
        let stored = match std::fs::read(&file) {
            Ok(text) => parse(&text).map_err(fail)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(fail(error)),
        };
        let keys = Self { file, ring: Arc::new(RwLock::new(Ring::new(stored, age))) };
        keys.turn(smoothed_clock::now(), Certainty::Unsure)?;
        Ok(keys)
    }

    /// Makes and forgets keys as the time asks for. A new key is durable before it is published.
    pub(crate) fn turn(&self, now: Timestamp, certainty: Certainty) -> Result<(), KeysError> {
        if let Some(next) = self.now().turned(now, certainty) {
            let fail = |source| KeysError { path: self.file.clone(), verb: "written", source };
            write(&self.file, &next).map_err(fail)?;
            *self.ring.write().unwrap_or_else(PoisonError::into_inner) = next;
            tracing::info!(service = crate::NAME, "the keys for access tokens changed");
        }
        Ok(())
    }

    /// The public halves, the newest first.
    pub(crate) fn public(&self) -> Jwks {
        Jwks { keys: self.now().keys().iter().rev().map(|aged| aged.key.public()).collect() }
    }

    /// Which keys there are, in use and as they are stored.
    pub(crate) fn evidence(&self) -> KeyEvidence {
        let key = |aged: &Aged| SigningKey { kid: aged.key.kid().to_owned(), made: aged.made };
        let stored = std::fs::read(&self.file).and_then(|text| parse(&text)).ok().map(|mut stored| {
            stored.sort_by_key(|aged| aged.made);
            stored.iter().map(key).collect()
        });
        KeyEvidence { used: self.now().keys().iter().map(key).collect(), stored }
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
        Box::pin(async { Ok::<_, KeysUnavailable>(self.public()) })
    }
}

fn invalid(why: &'static str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, why)
}

/// What is wrong with a file of secrets is not shown.
fn parse(text: &[u8]) -> std::io::Result<Vec<Aged>> {
    let stored: Vec<StoredKey> =
        serde_json::from_slice(text).map_err(|_| invalid("is not a list of keys"))?;
    let aged = |stored: StoredKey| {
        let key = PrivateKey::from_text(&stored.seed).ok_or_else(|| invalid("holds an unusable key"))?;
        Ok(Aged { key, made: stored.made })
    };
    stored.into_iter().map(aged).collect()
}

/// Writes the file whole or not at all, for the owner alone.
fn write(path: &Path, ring: &Ring) -> std::io::Result<()> {
    let stored = |aged: &Aged| {
        let seed = aged.key.to_text().ok_or_else(|| invalid("a key cannot be written"))?;
        Ok(StoredKey { made: aged.made, seed })
    };
    let stored: std::io::Result<Vec<_>> = ring.keys().iter().map(stored).collect();
    let text = serde_json::to_vec(&stored?)?;
    let dir = path.parent().ok_or_else(|| invalid("a file needs a directory"))?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?; // made with mode 0600
    file.write_all(&text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    std::fs::File::open(dir)?.sync_all()
}
