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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_never_shown() {
        let session = SessionId::random();
        let token = RefreshToken::next(session);
        let text = token.text().expect("a text");
        let read = RefreshToken::read(&text).expect("a token");
        assert!(read == token && read.session() == session);
        assert_eq!(format!("{token:?}"), "RefreshToken(hidden)");
        for wrong in ["x", &text.expose()[1..], &format!("{}AAAA", text.expose())] {
            assert_eq!(RefreshToken::read(&Secret::new(wrong).expect("visible")), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_stored_of_a_token_tells_it_from_the_others_of_its_session() {
        let session = SessionId::random();
        let (one, other) = (RefreshToken::next(session), RefreshToken::next(session));
        let stored = |token: RefreshToken| token.hash();
        assert!(stored(one) == stored(one) && stored(one) != stored(other));
        assert_eq!(one.hash(), <[u8; 32]>::from(Sha256::digest(one.random)));
    }
}
