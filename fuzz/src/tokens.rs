//! Credentials of strangers: access tokens, the keys they are checked with, refresh tokens, and the header
//! that presents them.

use std::cell::RefCell;
use std::sync::LazyLock;

use ordersys_chassis::auth::tokens::{Fetched, KeySource};
use ordersys_chassis::{Authenticator, Caller, Credentials, Tokens};
use ordersys_contract::session::Jwks;
use ordersys_contract::{Code, Secret, SessionId, Timestamp, UserId};
use ordersys_token::{Claims, PrivateKey, PublicKeys, RefreshToken, Refused, has_form};

/// The seed of the key that signed the seeds' tokens.
const SEED: [u8; 32] = [7; 32];
/// Fixed credentials of the authenticator.
const SERVICE: &str = "svc";
const ADMIN: &str = "adm";
/// Most keys of a set that count.
const MAX_KEYS: usize = 16;
/// When tokens are checked: within the life of those in the seeds.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

static KEYS: LazyLock<PublicKeys> = LazyLock::new(|| PublicKeys::new(&ours()));

fn ours() -> Jwks {
    Jwks { keys: vec![PrivateKey::from_seed(&SEED).public()] }
}

/// A token of our key that is good at [`NOW`].
static GOOD: LazyLock<Secret> = LazyLock::new(|| {
    let claims = Claims::new(UserId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]), 3, NOW);
    PrivateKey::from_seed(&SEED).sign(&claims).expect("signs")
});

/// Access tokens. A signature cannot be forged, so what is accepted was signed, and in one way of writing.
pub fn access_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let verdict = KEYS.verify(text, NOW);
    assert_eq!(KEYS.verify(text, NOW), verdict, "the same answer every time");
    if verdict != Err(Refused::Bad) {
        assert!(has_form(text), "{text}");
    }
    let Ok(claims) = verdict else { return };
    assert!(claims.good_at(NOW));
    assert_eq!(KEYS.verify(text, claims.until), Err(Refused::Bad), "not beyond its life");
    assert_eq!(PublicKeys::default().verify(text, NOW), Err(Refused::UnknownKey), "not without keys");
    for place in 0..text.len() {
        let mut forged = text.to_owned().into_bytes();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("tokens are ASCII");
        assert!(KEYS.verify(&forged, NOW).is_err(), "changed at {place}: {forged}");
    }
}

/// Sets of keys. Our token is good if our key is in the set as it is, and not otherwise.
pub fn key_set(bytes: &[u8]) {
    let Ok(set) = serde_json::from_slice::<Jwks>(bytes) else { return };
    let keys = PublicKeys::new(&set);
    let has_ours = set.keys.iter().take(MAX_KEYS).any(|key| *key == ours().keys[0]);
    let verdict = keys.verify(GOOD.expose(), NOW);
    assert_eq!(verdict.is_ok(), has_ours, "{set:?}");
    assert!(!has_ours || !keys.is_empty());
    let written = serde_json::to_vec(&set).expect("can be written");
    assert_eq!(serde_json::from_slice::<Jwks>(&written).expect("can be read"), set);
}

/// Refresh tokens: one way of writing each, and another hash for each.
pub fn refresh_token(bytes: &[u8]) {
    let Some(text) = std::str::from_utf8(bytes).ok().and_then(Secret::new) else { return };
    let Some(token) = RefreshToken::read(&text) else { return };
    assert_eq!(token.text(), Some(text.clone()), "kept as it was sent");
    assert!(!format!("{token:?}").contains(text.expose()), "not shown");
    let next = RefreshToken::next(token.session());
    assert!(next.session() == token.session() && next.hash() != token.hash());
}

/// Keys that are always there.
struct Keys;

impl KeySource for Keys {
    fn keys(&self) -> Fetched<'_> {
        Box::pin(async { Ok(ours()) })
    }
}

struct Door {
    authenticator: Authenticator,
    runtime: tokio::runtime::Runtime,
}

impl Door {
    fn new() -> Self {
        let secret = |text| Secret::new(text).expect("usable").into();
        let credentials = Credentials::Closed { service: secret(SERVICE), admin: secret(ADMIN) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self {
            authenticator: Authenticator::new(credentials, Tokens::new(Keys)),
            runtime: runtime.expect("a runtime"),
        }
    }
}

thread_local! {
    static DOOR: RefCell<Door> = RefCell::new(Door::new());
}

/// The header `Authorization`: a caller that is let in presented exactly what proves it, and something that
/// is no credential lets no caller in.
pub fn authorization(bytes: &[u8]) {
    let Ok(value) = http::HeaderValue::from_bytes(bytes) else { return };
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::AUTHORIZATION, value);
    let ask = |headers: &http::HeaderMap| {
        DOOR.with_borrow(|door| door.runtime.block_on(door.authenticator.caller(headers)))
    };
    let presented = std::str::from_utf8(bytes).ok().and_then(|text| {
        let (scheme, rest) = (text.get(..7)?, text.get(7..)?);
        scheme.eq_ignore_ascii_case("bearer ").then_some(rest)
    });
    match ask(&headers) {
        Ok(Caller::Service) => assert_eq!(presented, Some(SERVICE)),
        Ok(Caller::Admin) => assert_eq!(presented, Some(ADMIN)),
        Ok(Caller::User(holder)) => {
            let claims = KEYS.verify(presented.expect("a token"), Timestamp::now()).expect("a good one");
            assert_eq!(
                (holder.user, holder.epoch, holder.session),
                (claims.user, claims.epoch, claims.session)
            );
        }
        Ok(caller) => panic!("{caller:?} by {:?}", headers[http::header::AUTHORIZATION]),
        Err(problem) => {
            assert!(presented != Some(SERVICE) && presented != Some(ADMIN));
            assert_eq!(problem.code, Code::Unauthenticated);
        }
    }
    headers.append(http::header::AUTHORIZATION, "Bearer adm".parse().expect("a header"));
    assert!(ask(&headers).is_err(), "two credentials are none");
}
