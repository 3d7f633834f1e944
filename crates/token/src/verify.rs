//! The public half: telling good tokens from bad ones.

use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use ordersys_contract::Timestamp;
use ordersys_contract::session::{Jwk, Jwks};

use crate::key::thumbprint;
use crate::{ALGORITHM, AUDIENCE, Claims, Header, ISSUER, MAX_BYTES, Payload, TYPE};

/// Most keys that are kept of a key set.
const MAX_KEYS: usize = 16;
/// Bytes of a key's name.
const KID_BYTES: usize = 43;

/// Why a token is no good. Callers get the same answer in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has not the form of our tokens, was not signed by the key it names, or is not good now.
    #[error("not one of our tokens, or not good at this time")]
    Bad,
    /// It has our form and names a key that is not here: a newer set of keys may have it.
    #[error("signed with a key that is not known here")]
    UnknownKey,
}

/// The keys that tokens may be signed with.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(HashMap<String, VerifyingKey>);

impl PublicKeys {
    /// The usable keys of a set: those of our kind, under the name that belongs to them.
    #[must_use]
    pub fn new(set: &Jwks) -> Self {
        Self(set.keys.iter().take(MAX_KEYS).filter_map(usable).collect())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a good token says.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Refused> {
        let (signed, signature) = split(token).ok_or(Refused::Bad)?;
        let (header, payload) = signed.split_once('.').ok_or(Refused::Bad)?;
        let key = self.key(&decode(header)?)?;
        let signature: [u8; 64] = decode(signature)?.try_into().map_err(|_| Refused::Bad)?;
        let signature = Signature::from_bytes(&signature);
        key.verify_strict(signed.as_bytes(), &signature).map_err(|_| Refused::Bad)?;
        let claims = claims(&decode(payload)?).ok_or(Refused::Bad)?;
        if claims.good_at(now) { Ok(claims) } else { Err(Refused::Bad) }
    }

    fn key(&self, header: &[u8]) -> Result<&VerifyingKey, Refused> {
        let header: Header<'_> = serde_json::from_slice(header).map_err(|_| Refused::Bad)?;
        let ours = header.typ == TYPE && header.alg == ALGORITHM && header.kid.len() == KID_BYTES;
        if ours { self.0.get(header.kid).ok_or(Refused::UnknownKey) } else { Err(Refused::Bad) }
    }
}

/// Whether a credential has the form of a token, rather than of a fixed secret.
#[must_use]
pub fn has_form(credential: &str) -> bool {
    split(credential).is_some_and(|(signed, _)| signed.contains('.'))
}

/// Header and payload as signed, and the signature.
fn split(token: &str) -> Option<(&str, &str)> {
    let parts = token.rsplit_once('.').filter(|_| token.len() <= MAX_BYTES);
    parts.filter(|(signed, _)| signed.bytes().filter(|byte| *byte == b'.').count() == 1)
}

fn decode(part: &str) -> Result<Vec<u8>, Refused> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| Refused::Bad)
}

fn claims(payload: &[u8]) -> Option<Claims> {
    let payload: Payload<'_> = serde_json::from_slice(payload).ok()?;
    let time = |seconds: i64| seconds.checked_mul(1000).map(Timestamp::from_millis);
    let ours = payload.iss == ISSUER && payload.aud == AUDIENCE && payload.nbf <= payload.exp;
    ours.then_some(())?;
    Some(Claims {
        user: payload.sub,
        session: payload.sid,
        epoch: payload.epoch,
        from: time(payload.nbf)?,
        until: time(payload.exp)?,
    })
}

fn usable(jwk: &Jwk) -> Option<(String, VerifyingKey)> {
    let kind = jwk.kty == "OKP" && jwk.crv == "Ed25519" && jwk.alg == ALGORITHM && jwk.usage == "sig";
    (kind && thumbprint(&jwk.x) == jwk.kid).then_some(())?;
    let bytes = Base64UrlUnpadded::decode_vec(&jwk.x).ok()?.try_into().ok()?;
    let key = VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak())?;
    Some((jwk.kid.clone(), key))
}
