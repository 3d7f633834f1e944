//! The private half: making keys and signing with them.

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use ordersys_contract::Secret;
use ordersys_contract::session::Jwk;
use rand::Rng;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{ALGORITHM, AUDIENCE, Claims, Header, ISSUER, Payload, TYPE, seconds};

/// A key that signs tokens. `Debug` shows its name only.
#[derive(Clone)]
pub struct PrivateKey {
    signing: SigningKey,
    kid: String,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({})", self.kid)
    }
}

impl PrivateKey {
    /// A new random key.
    #[must_use]
    pub fn random() -> Self {
        let mut seed = [0_u8; 32];
        rand::rng().fill_bytes(&mut seed);
        Self::from_seed(&seed)
    }

    /// The key with this seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let kid = thumbprint(&encode(signing.verifying_key().as_bytes()));
        Self { signing, kid }
    }

    /// The key whose seed has this text.
    #[must_use]
    pub fn from_text(seed: &Secret) -> Option<Self> {
        let bytes = Base64UrlUnpadded::decode_vec(seed.expose()).ok()?;
        Some(Self::from_seed(&bytes.try_into().ok()?))
    }

    /// The seed as text, for a file of mode 0600, for nothing else.
    #[must_use]
    pub fn to_text(&self) -> Option<Secret> {
        Secret::new(&encode(self.signing.as_bytes()))
    }

    /// The name of the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: ALGORITHM.to_owned(),
            usage: "sig".to_owned(),
            kid: self.kid.clone(),
            x: encode(self.signing.verifying_key().as_bytes()),
        }
    }

    /// A token that says this. `None` only if it cannot be written as text.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> Option<Secret> {
        let mut random = [0_u8; 16];
        rand::rng().fill_bytes(&mut random);
        let payload = Payload {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: claims.user,
            sid: claims.session,
            jti: &encode(&random),
            epoch: claims.epoch,
            iat: seconds(claims.from),
            nbf: seconds(claims.from),
            exp: seconds(claims.until),
        };
        let header = part(&Header { typ: TYPE, alg: ALGORITHM, kid: &self.kid })?;
        let signed = format!("{header}.{}", part(&payload)?);
        let signature = self.signing.sign(signed.as_bytes());
        Secret::new(&format!("{signed}.{}", encode(&signature.to_bytes())))
    }
}

fn part(value: &impl Serialize) -> Option<String> {
    serde_json::to_vec(value).ok().map(|json| encode(&json))
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The name of a public key: a hash of it (RFC 7638), so that equal names mean equal keys.
pub(crate) fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    encode(&Sha256::digest(members))
}
