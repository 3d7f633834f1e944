//! Refresh tokens: the session's id and 256 random bits, as one text.

use base64ct::{Base64UrlUnpadded, Encoding};
use ordersys_contract::{Secret, SessionId};
use rand::Rng;
use sha2::{Digest, Sha256};

/// What brings the next access token of a session, once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    session: SessionId,
    random: [u8; 32],
}

impl RefreshToken {
    /// A new token of a session.
    #[must_use]
    pub fn next(session: SessionId) -> Self {
        let mut random = [0_u8; 32];
        rand::rng().fill_bytes(&mut random);
        Self { session, random }
    }

    /// The token with this text.
    #[must_use]
    pub fn read(text: &Secret) -> Option<Self> {
        let bytes = Base64UrlUnpadded::decode_vec(text.expose()).ok()?;
        let (session, random) = bytes.split_first_chunk::<16>()?;
        Some(Self { session: SessionId::from_bytes(*session), random: random.try_into().ok()? })
    }

    /// The session it belongs to.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The text of it.
    #[must_use]
    pub fn text(&self) -> Option<Secret> {
        let bytes = [&self.session.as_bytes()[..], &self.random].concat();
        Secret::new(&Base64UrlUnpadded::encode_string(&bytes))
    }

    /// What is stored of it. It has too many random bits to need a slow hash.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.random).into()
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshToken(hidden)")
    }
}
