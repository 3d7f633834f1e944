//! Every way of forging a token that is known for other systems, tried on ours.

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use ordersys_contract::session::{Jwk, Jwks};
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_token::{Claims, LIFETIME, MAX_BYTES, PrivateKey, PublicKeys, Refused, has_form};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const SEED: [u8; 32] = [7; 32];

fn keys(of: &[&PrivateKey]) -> PublicKeys {
    PublicKeys::new(&Jwks { keys: of.iter().map(|key| key.public()).collect() })
}

fn claims() -> Claims {
    Claims::new(UserId::now(), SessionId::random(), 3, NOW)
}

/// A token with these parts, signed as ours are, whatever they say.
fn signed(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let text = format!("{}.{}", part(header), part(payload));
    let signature = SigningKey::from_bytes(&SEED).sign(text.as_bytes());
    format!("{text}.{}", Base64UrlUnpadded::encode_string(&signature.to_bytes()))
}

fn parts() -> (Value, Value) {
    let kid = PrivateKey::from_seed(&SEED).kid().to_owned();
    let (user, session) = (UserId::now().to_string(), SessionId::random().to_string());
    let header = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": kid });
    let payload = json!({
        "iss": "ordersys-user", "aud": "ordersys", "sub": user, "sid": session, "jti": "j",
        "epoch": 0, "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 1_700_000_600,
    });
    (header, payload)
}

#[test]
fn a_good_token_is_good_for_its_time() {
    let key = PrivateKey::random();
    let (keys, claims) = (keys(&[&key]), claims());
    let token = key.sign(&claims).expect("signs");
    assert_eq!(keys.verify(token.expose(), NOW), Ok(claims));
    let last = Timestamp::from_millis(NOW.after(LIFETIME).as_millis() - 1);
    assert_eq!(keys.verify(token.expose(), last), Ok(claims));
    assert_eq!(keys.verify(token.expose(), NOW.after(LIFETIME)), Err(Refused::Bad), "expired");
    let before = Timestamp::from_millis(NOW.as_millis() - 5001);
    assert_eq!(keys.verify(token.expose(), before), Err(Refused::Bad), "not yet");
    let (header, payload) = parts();
    assert!(keys_of_seed().verify(&signed(&header, &payload), NOW).is_ok(), "the forger's tool works");
}

fn keys_of_seed() -> PublicKeys {
    keys(&[&PrivateKey::from_seed(&SEED)])
}

#[test]
fn what_the_header_says_chooses_nothing_but_the_key() {
    let (header, payload) = parts();
    let public = PrivateKey::from_seed(&SEED).public();
    for (member, value) in [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("alg", json!("eddsa")),
        ("alg", Value::Null),
        ("typ", json!("JWT")),
        ("typ", json!("at+JWT")),
        ("kid", json!("")),
        ("kid", json!("../../keys")),
        ("crit", json!(["exp"])),
        ("jwk", json!(public)),
        ("jku", json!("http://localhost/keys")),
        ("x5u", json!("http://localhost/keys")),
        ("zip", json!("DEF")),
    ] {
        let mut forged = header.clone();
        forged[member] = value.clone();
        let token = signed(&forged, &payload);
        assert_eq!(keys_of_seed().verify(&token, NOW), Err(Refused::Bad), "{member}: {value}");
    }
    for missing in ["alg", "typ", "kid"] {
        let mut forged = header.clone();
        forged.as_object_mut().expect("an object").remove(missing);
        assert_eq!(keys_of_seed().verify(&signed(&forged, &payload), NOW), Err(Refused::Bad), "{missing}");
    }
}

#[test]
fn every_claim_counts() {
    let (header, payload) = parts();
    for (member, value) in [
        ("iss", json!("another")),
        ("aud", json!("others")),
        ("aud", json!(["ordersys"])),
        ("sub", json!("alice")),
        ("sid", json!(7)),
        ("epoch", json!(-1)),
        ("epoch", json!("0")),
        ("exp", json!(1_700_000_000)),
        ("exp", json!(9.3e18)),
        ("exp", json!(i64::MAX)),
        ("nbf", json!(1_700_000_100)),
        ("role", json!("admin")),
    ] {
        let mut forged = payload.clone();
        forged[member] = value.clone();
        let token = signed(&header, &forged);
        assert_eq!(keys_of_seed().verify(&token, NOW), Err(Refused::Bad), "{member}: {value}");
    }
    for missing in ["iss", "aud", "sub", "sid", "jti", "epoch", "iat", "nbf", "exp"] {
        let mut forged = payload.clone();
        forged.as_object_mut().expect("an object").remove(missing);
        assert_eq!(keys_of_seed().verify(&signed(&header, &forged), NOW), Err(Refused::Bad), "{missing}");
    }
}

#[test]
fn no_part_of_a_token_can_be_changed() {
    let key = PrivateKey::random();
    let keys = keys(&[&key]);
    let token = key.sign(&claims()).expect("signs").expose().to_owned();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(keys.verify(&changed, NOW).is_err(), "byte {at}");
        assert_eq!(keys.verify(&token[..at], NOW), Err(Refused::Bad), "cut at {at}");
    }
    let (signed, _) = token.rsplit_once('.').expect("has parts");
    let long = format!("{token}{}", "A".repeat(2000));
    for rubbish in ["", ".", "..", "...", "a.b.c", &format!("{signed}."), &format!("{token}="), &long] {
        assert_eq!(keys.verify(rubbish, NOW), Err(Refused::Bad), "{rubbish:.40}");
    }
}

#[test]
fn only_known_keys_under_their_own_names_sign() {
    let (ours, other) = (PrivateKey::random(), PrivateKey::random());
    let token = other.sign(&claims()).expect("signs");
    assert_eq!(keys(&[&ours]).verify(token.expose(), NOW), Err(Refused::UnknownKey));
    assert!(keys(&[&ours, &other]).verify(token.expose(), NOW).is_ok());
    let mut renamed = other.public();
    renamed.kid = ours.kid().to_owned();
    assert!(PublicKeys::new(&Jwks { keys: vec![renamed] }).is_empty());
    assert_eq!(format!("{ours:?}"), format!("PrivateKey({})", ours.kid()));
    let seed = ours.to_text().expect("a text");
    assert_eq!(PrivateKey::from_text(&seed).expect("a key").kid(), ours.kid());
}

#[test]
fn only_keys_of_our_kind_are_used() {
    let ours = PrivateKey::random().public();
    let is_used = |key: Jwk| !PublicKeys::new(&Jwks { keys: vec![key] }).is_empty();
    assert!(is_used(ours.clone()));
    let other = "other".to_owned();
    for (what, key) in [
        ("kty", Jwk { kty: "EC".to_owned(), ..ours.clone() }),
        ("crv", Jwk { crv: "Ed448".to_owned(), ..ours.clone() }),
        ("alg", Jwk { alg: "ES256".to_owned(), ..ours.clone() }),
        ("use", Jwk { usage: "enc".to_owned(), ..ours.clone() }),
        ("kid", Jwk { kid: other.clone(), ..ours.clone() }),
        ("x", Jwk { x: other, ..ours.clone() }),
    ] {
        assert!(!is_used(key), "{what}");
    }
}

#[test]
fn a_token_is_told_from_a_fixed_secret_by_its_form() {
    let token = PrivateKey::random().sign(&claims()).expect("signs");
    let longest = format!("a.b.{}", "c".repeat(MAX_BYTES - 4));
    for (credential, is_token) in [
        (token.expose(), true),
        ("a.b.c", true),
        (&longest, true),
        (&format!("{longest}c"), false),
        ("0123456789abcdef0123456789abcdef", false),
        ("a.b", false),
        ("a.b.c.d", false),
        ("", false),
    ] {
        assert_eq!(has_form(credential), is_token, "{credential:.40}");
    }
}
