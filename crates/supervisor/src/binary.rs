//! Which program a service runs: the hash of its content, computed once per file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ordersys_contract::hex;
use sha2::{Digest as _, Sha256};

use crate::os::file_stamp;

/// Bytes hashed at a time.
const CHUNK: usize = 1024 * 1024;

/// The hash of a program's content, as [`crate::ProcessObserved::binary_hash`] reports it: the
/// SHA-256 in hexadecimal.
pub fn binary_hash(program: &Path) -> io::Result<String> {
    let mut file = File::open(program)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            count => hasher.update(&chunk[..count]),
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// Remembers the hash of one file for as long as it is the same file.
#[derive(Debug, Default)]
pub(crate) struct HashCache(Mutex<Option<(String, String)>>);

impl HashCache {
    /// The hash of the program as it is now.
    pub(crate) fn of(&self, program: &Path) -> io::Result<String> {
        let stamp = format!("{}:{}", program.display(), file_stamp(program)?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, hash)) = &*known
            && *known == stamp
        {
            return Ok(hash.clone());
        }
        let hash = binary_hash(program)?;
        *known = Some((stamp, hash.clone()));
        Ok(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_hashed_again() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("program");
        std::fs::write(&path, "abc").expect("writes");
        let cache = HashCache::default();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, B.1
        assert_eq!(cache.of(&path).expect("hashes"), abc);
        std::fs::write(dir.path().join("next"), "abcd").expect("writes");
        std::fs::rename(dir.path().join("next"), &path).expect("renames");
        assert_ne!(cache.of(&path).expect("hashes"), abc);
    }
}
