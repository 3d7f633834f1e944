//! The keys that access tokens are signed with, and every kind of token that is no good.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};
use ordersys_contract::Role;
use ordersys_contract::client::OrderFilter;
use ordersys_contract::{Secret, SessionId, Timestamp};
use ordersys_testkit::Stack;
use ordersys_testkit::stack::member::{Member, PASSWORD, log_in};
use ordersys_token::{Claims, LIFETIME, PrivateKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn ago(age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_millis()).expect("not long");
    Timestamp::from_millis(Timestamp::now().as_millis() - age)
}

fn key_file(stack: &Stack) -> std::path::PathBuf {
    stack.data_dir().join("user").join("keys.json")
}

fn stored_keys(stack: &Stack) -> Value {
    let text = std::fs::read(key_file(stack)).expect("keys are stored");
    serde_json::from_slice(&text).expect("a list of keys")
}

fn seed(stack: &Stack) -> Secret {
    Secret::new(stored_keys(stack)[0]["seed"].as_str().expect("a seed")).expect("a text")
}

/// The parts of a good token, to be changed.
fn parts(token: &str) -> (Value, Value) {
    let part = |text: &str| {
        let json = Base64UrlUnpadded::decode_vec(text).expect("base64url");
        serde_json::from_slice(&json).expect("JSON")
    };
    let mut texts = token.split('.');
    let mut next = || part(texts.next().expect("a part"));
    (next(), next())
}

fn joined(header: &Value, payload: &Value, sign: impl Fn(&str) -> Vec<u8>) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let text = format!("{}.{}", part(header), part(payload));
    format!("{text}.{}", Base64UrlUnpadded::encode_string(&sign(&text)))
}

/// HMAC-SHA-256 (RFC 2104) with a key of at most one block.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// Tokens that look like ours and are no good, and what is wrong with each.
fn forgeries(stack: &Stack, member: &Member) -> Vec<(&'static str, String)> {
    let good = member.session.access_token.expose();
    let (header, payload) = parts(good);
    let key = PrivateKey::from_text(&seed(stack)).expect("a key");
    let seed: [u8; 32] =
        Base64UrlUnpadded::decode_vec(seed(stack).expose()).expect("base64url").try_into().expect("32 bytes");
    let signing = SigningKey::from_bytes(&seed);
    let sign = |text: &str| signing.sign(text.as_bytes()).to_bytes().to_vec();
    let with = |mut value: Value, member: &str, to: Value| {
        value[member] = to;
        value
    };
    let public = Base64UrlUnpadded::decode_vec(&key.public().x).expect("base64url");
    let none = with(header.clone(), "alg", json!("none"));
    let hs256 = with(header.clone(), "alg", json!("HS256"));
    let old = ago(LIFETIME + Duration::from_secs(1));
    let expired = Claims::new(member.user.id, SessionId::random(), 0, old);
    let strange = Claims::new(member.user.id, SessionId::random(), 0, Timestamp::now());
    let text = |secret: Option<Secret>| secret.expect("signs").expose().to_owned();
    vec![
        ("no signature", joined(&none, &payload, |_| Vec::new())),
        ("none, signed", joined(&none, &payload, sign)),
        ("HS256 with the public key", joined(&hs256, &payload, |text| hmac(&public, text))),
        ("HS256 with its text", joined(&hs256, &payload, |text| hmac(key.public().x.as_bytes(), text))),
        ("expired", text(key.sign(&expired))),
        ("unknown key", text(PrivateKey::random().sign(&strange))),
        ("other audience", joined(&header, &with(payload.clone(), "aud", json!("others")), sign)),
        ("other issuer", joined(&header, &with(payload.clone(), "iss", json!("others")), sign)),
        ("a role", joined(&header, &with(payload.clone(), "role", json!("admin")), sign)),
        ("truncated", good[..good.len() - 1].to_owned()),
        ("without signature", good.rsplit_once('.').expect("has parts").0.to_owned()),
        ("altered", good.replacen(|c: char| c.is_ascii_lowercase(), "x", 1)),
        ("rubbish", "a.b.c".to_owned()),
        ("no token", "guess".to_owned()),
        ("nothing", String::new()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_are_refused_everywhere_in_one_wording() {
    let stack = Stack::start_on_files().await;
    let ann = Member::join(&stack, "ann").await;
    let product = stack.a_product(5).await;
    let order =
        format!(r#"{{"userId":"{}","items":[{{"productId":"{}","quantity":1}}]}}"#, ann.user.id, product.id);
    let calls = [
        (Role::Order, "POST", "/orders".to_owned(), Some(order)),
        (Role::Order, "GET", "/orders".to_owned(), None),
        (Role::User, "GET", format!("/users/{}", ann.user.id), None),
        (Role::User, "DELETE", "/sessions/current".to_owned(), None),
        (
            Role::Product,
            "POST",
            format!("/products/{}/restock", product.id),
            Some(r#"{"quantity":1}"#.into()),
        ),
    ];
    for (what, token) in forgeries(&stack, &ann) {
        for (role, method, path, body) in &calls {
            let bearer = format!("Bearer {token}");
            let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
            let answer = stack.send_with(*role, method, path, &headers, body.clone()).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{what}: {method} {path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{what}");
            assert_eq!(answer.body["error"], "the credential is not valid", "{what}");
        }
    }
    assert_eq!(stack.stock(&product).await, 5);
    let listed = ann.client.orders(&OrderFilter::default()).await;
    assert!(listed.expect("a good token is good").items.is_empty());
    let refused = stack.send(Role::Product, "GET", "/products", None).await;
    assert_eq!(refused.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_outlive_a_restart_and_give_way_to_new_ones() {
    let mut stack = Stack::start_on_files().await;
    let ann = Member::join(&stack, "ann").await;
    let mode = std::fs::metadata(key_file(&stack)).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = stack.anyone().jwks().await.expect("keys").keys;
    assert_eq!(first.len(), 1);
    assert!(ann.client.orders(&OrderFilter::default()).await.is_ok(), "the order service knows the key");

    stack.end(Role::User).await;
    let mut stored = stored_keys(&stack);
    stored[0]["made"] = "2020-01-01T00:00:00.000Z".into();
    std::fs::write(key_file(&stack), stored.to_string()).expect("writes");
    stack.begin(Role::User).await;
    let both = stack.anyone().jwks().await.expect("keys").keys;
    assert_eq!((both.len(), &both[1]), (2, &first[0]), "an old key stays until its tokens are over");

    stack.end(Role::User).await;
    let mut stored = stored_keys(&stack);
    let six_minutes_ago = ago(Duration::from_mins(6));
    stored[1]["made"] = json!(six_minutes_ago);
    std::fs::write(key_file(&stack), stored.to_string()).expect("writes");
    stack.begin(Role::User).await;
    let session = log_in(&stack, &ann.user.email, PASSWORD).await.expect("logs in");
    assert_eq!(parts(session.access_token.expose()).0["kid"], both[0].kid, "the new key signs");
    // Fetching keys has a pause; the order service may have fetched them just now.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let fresh = stack.anyone().with_credential(Some(session.access_token));
    assert!(fresh.orders(&OrderFilter::default()).await.is_ok(), "and is fetched where it is not known");
    assert!(ann.client.orders(&OrderFilter::default()).await.is_ok(), "tokens of the old one are still good");

    stack.end(Role::User).await;
    std::fs::write(key_file(&stack), "[{}]").expect("writes");
    let config = ordersys_user::Config {
        store: ordersys_store::Location::Directory {
            dir: stack.data_dir().join("user"),
            durability: ordersys_store::Durability::Full,
        },
        credentials: ordersys_chassis::Credentials::Open,
        hosts: ordersys_chassis::Hosts::Any,
        key_age: ordersys_user::KEY_AGE,
        counting: ordersys_chassis::Counting::On,
        tracer: ordersys_spans::Tracer::off(),
        guests_per_address: None,
    };
    let refused = ordersys_user::UserService::open(&config);
    let error = refused.await.err().expect("is damaged").to_string();
    assert!(error.contains("keys.json") && error.contains("read"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_guests_are_served_and_tokens_are_not_judged() {
    let mut stack = Stack::start().await;
    let ann = Member::join(&stack, "ann").await;
    let (guest, product) = (stack.a_user().await, stack.a_product(5).await);
    for role in [Role::Order, Role::User] {
        stack.end(role).await;
    }
    stack.begin(Role::Order).await;
    let refused = ann.client.orders(&OrderFilter::default()).await.expect_err("no keys");
    assert_eq!(refused.problem().map(|problem| problem.code.as_str()), Some("dependency-down"));
    stack.begin(Role::User).await;
    let body =
        format!(r#"{{"userId":"{}","items":[{{"productId":"{}","quantity":1}}]}}"#, guest.id, product.id);
    let placed = stack.send(Role::Order, "POST", "/orders", Some(&body)).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    tokio::time::sleep(Duration::from_millis(1100)).await; // the pause between two fetches
    assert!(ann.client.orders(&OrderFilter::default()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_of_secrets_is_no_use() {
    let mut stack = Stack::start_on_files().await;
    let ann = Member::join(&stack, "ann").await;
    stack.end(Role::User).await;
    let refresh = Base64UrlUnpadded::decode_vec(ann.session.refresh_token.expose()).expect("base64url");
    let secrets = [PASSWORD.as_bytes(), ann.session.refresh_token.expose().as_bytes(), &refresh[16..]];
    let mut read = 0;
    for file in std::fs::read_dir(stack.data_dir().join("user")).expect("a directory") {
        let content = std::fs::read(file.expect("a file").path()).expect("reads");
        read += content.len();
        for secret in secrets {
            assert!(!content.windows(secret.len()).any(|window| window == secret));
        }
    }
    assert!(read > 4096, "the store was among them");
    let shown = format!("{:?}", ann.session);
    assert!(!shown.contains(ann.session.access_token.expose()), "{shown}");
}
