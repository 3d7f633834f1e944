//! Argon2 in memory that is kept from one hash to the next.
//!
//! Memory taken for each hash is given back late: under a flood of logins there would be two or three times
//! what one hash takes, and each page of it would come from the kernel anew.

use std::cell::RefCell;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::password_hash::{CustomizedPasswordHasher, Error, PasswordHasher, Result};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// Argon2 with its memory. As large as the largest hash since the last [`Kept::release`].
pub(super) struct Kept {
    /// For new hashes.
    params: Params,
    blocks: RefCell<Vec<Block>>,
}

impl Kept {
    /// Makes new hashes with these parameters, as Argon2id. Takes no memory yet.
    pub(super) fn new(params: Params) -> Self {
        Self { params, blocks: RefCell::default() }
    }

    /// Gives the memory back to the allocator, which returns it to the system when it next has something to do.
    pub(super) fn release(&self) {
        self.blocks.take();
    }

    /// The bytes that are kept.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.blocks.borrow().capacity() * Block::SIZE
    }

    fn output(&self, argon2: &Argon2<'_>, password: &[u8], salt: &[u8]) -> Result<Output> {
        let params = argon2.params();
        let mut blocks = self.blocks.borrow_mut();
        if blocks.len() < params.block_count() {
            blocks.resize(params.block_count(), Block::default());
        }
        let mut buffer = [0; Output::MAX_LENGTH];
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let out = buffer.get_mut(..length).ok_or(Error::OutputSize)?;
        argon2.hash_password_into_with_memory(password, salt, out, blocks.as_mut_slice())?;
        Ok(Output::new(out)?)
    }
}

impl PasswordHasher<Phc> for Kept {
    fn hash_password_with_salt(&self, password: &[u8], salt: &[u8]) -> Result<Phc> {
        self.hash_password_with_params(password, salt, self.params.clone())
    }
}

/// With this, whatever was hashed can be verified as well.
impl CustomizedPasswordHasher<Phc> for Kept {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> Result<Phc> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let stored = ParamsString::try_from(&params)?;
        let hash = self.output(&Argon2::new(algorithm, version, params), password, salt)?;
        Ok(Phc {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: stored,
            salt: Some(Salt::new(salt)?),
            hash: Some(hash),
        })
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier as _;

    use super::*;

    const SALT: &[u8] = b"sixteen bytes of";

    fn params(kib: u32) -> Params {
        Params::new(kib, 1, 1, None).expect("valid")
    }

    #[test]
    fn what_was_left_in_the_memory_changes_no_hash() {
        let kept = Kept::new(params(64));
        for (kib, password) in [(64, "one"), (256, "two"), (8, "three"), (64, "one")] {
            let plain = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(kib));
            let expected = plain.hash_password_with_salt(password.as_bytes(), SALT).expect("hashes");
            let hash =
                kept.hash_password_with_params(password.as_bytes(), SALT, params(kib)).expect("hashes");
            assert_eq!(hash, expected, "{kib} KiB");
            assert!(kept.verify_password(password.as_bytes(), &expected).is_ok());
            assert!(kept.verify_password(b"other", &expected).is_err());
        }
        assert_eq!(kept.size(), 256 * 1024, "as much as the largest took");
        kept.release();
        assert_eq!(kept.size(), 0);
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x10, params(64));
        let other = other.hash_password_with_salt(b"old", SALT).expect("hashes");
        assert!(kept.verify_password(b"old", &other).is_ok(), "of another kind");
    }
}
