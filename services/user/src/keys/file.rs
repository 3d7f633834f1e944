//! Keys in a file that the owner alone can read.

use std::io::{Error, ErrorKind, Result, Write as _};
use std::path::Path;

use ordersys_contract::{Secret, Timestamp};
use ordersys_token::PrivateKey;
use serde::{Deserialize, Serialize};

use super::KeysError;
use crate::domain::ring::{Aged, Ring};

/// A key as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    made: Timestamp,
    seed: Secret,
}

/// The keys in a file; none if there is no such file.
pub(super) fn read(path: &Path) -> std::result::Result<Vec<Aged>, KeysError> {
    let read = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.and_then(|text| parse(&text)),
    };
    read.map_err(|source| KeysError::File { path: path.to_owned(), verb: "read", source })
}

/// Writes the file whole or not at all, for the owner alone.
pub(super) fn write(path: &Path, ring: &Ring) -> std::result::Result<(), KeysError> {
    replace(path, ring).map_err(|source| KeysError::File { path: path.to_owned(), verb: "written", source })
}

fn invalid(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

/// What is wrong with a file of secrets is not shown.
fn parse(text: &[u8]) -> Result<Vec<Aged>> {
    let stored: Vec<StoredKey> =
        serde_json::from_slice(text).map_err(|_| invalid("is not a list of keys"))?;
    let aged = |stored: StoredKey| {
        let key = PrivateKey::from_text(&stored.seed).ok_or_else(|| invalid("holds an unusable key"))?;
        Ok(Aged { key, made: stored.made })
    };
    stored.into_iter().map(aged).collect()
}

fn replace(path: &Path, ring: &Ring) -> Result<()> {
    let stored = |aged: &Aged| {
        let seed = aged.key.to_text().ok_or_else(|| invalid("a key cannot be written"))?;
        Ok(StoredKey { made: aged.made, seed })
    };
    let stored: Result<Vec<_>> = ring.keys().iter().map(stored).collect();
    let text = serde_json::to_vec(&stored?)?;
    let dir = path.parent().ok_or_else(|| invalid("a file needs a directory"))?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?; // made with mode 0600
    file.write_all(&text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    std::fs::File::open(dir)?.sync_all()
}
