//! What has to hold for any bytes a stranger sends: one function for each reader of them.
//!
//! libFuzzer calls these functions with bytes it searches for, the tests of the main workspace with
//! random and mutated ones. So they have no dependency on a fuzzer, and panic where a promise is broken.

use ordersys_chassis::http::body::parse;
use ordersys_chassis::http::page::{cursor, cursor_bytes, cursor_text};
use ordersys_contract::client::next_link;
use ordersys_contract::order::{NewOrder, Order};
use ordersys_contract::product::NewProduct;
use ordersys_contract::reservation::Batch;
use ordersys_contract::session::{NewSession, RefreshSession};
use ordersys_contract::user::NewUser;
use ordersys_contract::{Currency, IdempotencyKey, Money, Problem, RequestId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

mod tokens;

pub use tokens::{access_token, authorization, key_set, refresh_token};

/// Reads bytes; panics where a promise is broken.
pub type Reader = fn(&[u8]);

/// Every reader, by the name of its fuzz target.
pub const READERS: &[(&str, Reader)] = &[
    ("access_token", access_token),
    ("answer", answer),
    ("authorization", authorization),
    ("cursor", cursor_key),
    ("idempotency_key", idempotency_key),
    ("key_set", key_set),
    ("money", money),
    ("new_order", new_order),
    ("new_session", new_session),
    ("new_user", new_user),
    ("refresh_session", refresh_session),
    ("refresh_token", refresh_token),
    ("reservations", reservations),
];

/// The body of `POST /orders`.
pub fn new_order(bytes: &[u8]) {
    nothing_is_added_or_dropped::<NewOrder>(bytes);
}

/// The body of `POST /users`.
pub fn new_user(bytes: &[u8]) {
    nothing_is_added_or_dropped::<NewUser>(bytes);
}

/// The body of `POST /sessions`.
pub fn new_session(bytes: &[u8]) {
    nothing_is_added_or_dropped::<NewSession>(bytes);
}

/// The body of `POST /sessions/refresh`.
pub fn refresh_session(bytes: &[u8]) {
    nothing_is_added_or_dropped::<RefreshSession>(bytes);
}

/// What is accepted is an object that says exactly what was understood: no member is ignored, read
/// twice or made up.
fn nothing_is_added_or_dropped<T: DeserializeOwned + Serialize>(bytes: &[u8]) {
    let Ok(read) = parse::<T>(bytes) else { return };
    let mut sent: Value = serde_json::from_slice(bytes).expect("only JSON is accepted");
    assert!(sent.is_object(), "{sent}");
    if sent["test"] == false {
        // Says what holds without it.
        sent.as_object_mut().expect("an object").remove("test");
    }
    assert_eq!(serde_json::to_value(&read).expect("can be written"), sent);
}

/// The body of `POST /internal/reservations`.
pub fn reservations(bytes: &[u8]) {
    let Ok(Batch { operations }) = parse::<Batch>(bytes) else { return };
    let written = serde_json::to_vec(&Batch { operations: operations.clone() }).expect("can be written");
    let again = parse::<Batch>(&written).expect("what is written can be read");
    assert_eq!(again.operations, operations);
}

/// Cursors of lists.
pub fn cursor_key(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let any = cursor_bytes(text).ok();
    if let Some(key) = &any {
        assert_eq!(cursor_text(key), text.to_ascii_lowercase());
    }
    let sixteen = cursor::<16>(Some(text)).ok().flatten();
    assert_eq!(sixteen.map(|key| key.to_vec()), any.filter(|key| key.len() == 16));
}

/// The headers `Idempotency-Key` and `x-request-id`.
pub fn idempotency_key(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let key = IdempotencyKey::parse(text);
    let id = RequestId::parse(text);
    for accepted in [key.as_ref().map(IdempotencyKey::as_str), id.as_ref().map(RequestId::as_str)] {
        let Some(accepted) = accepted else { continue };
        assert_eq!(accepted, text, "kept as it was sent");
        assert!((1..=128).contains(&text.len()));
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "can be sent on in a header");
    }
    assert!(id.is_none() || key.is_some(), "every request id could be a key");
}

/// Amounts, from the command line and in bodies.
pub fn money(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = text.parse::<Money>();
    if let Ok(amount) = read {
        assert!(amount.minor() >= 0);
        assert_eq!(i128::from(amount.minor()), minor_units(text), "{text}");
        for code in ["JPY", "USD", "KWD"] {
            let currency: Currency = code.parse().expect("a code");
            if let Ok(exact) = amount.in_currency(currency) {
                assert_eq!((exact, exact.decimals()), (amount, currency.decimals()), "{text} {code}");
            }
        }
        assert_eq!(amount.to_string().parse(), Ok(amount));
    }
    if let Ok(amount) = serde_json::from_slice::<Money>(bytes) {
        let number = text.trim_matches([' ', '\t', '\r', '\n']);
        assert_eq!(number.parse(), Ok(amount), "a body and a command line mean the same");
    }
    let _ = parse::<NewProduct>(bytes);
}

/// An amount's value as fine as it is written, by another way than that of the program.
fn minor_units(text: &str) -> i128 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let value = |digits: &str| digits.bytes().fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    let scale = 10_i128.pow(u32::try_from(decimals.len()).expect("few"));
    value(whole) * scale + value(decimals)
}

/// What clients read: answers and `Link` headers of servers that need not be ours.
pub fn answer(bytes: &[u8]) {
    if let Some(problem) = Problem::from_body(bytes, None) {
        let written = serde_json::to_vec(&problem.body("r-1")).expect("can be written");
        assert_eq!(Problem::from_body(&written, None), Some(problem));
    }
    if let Ok(order) = serde_json::from_slice::<Order>(bytes) {
        let written = serde_json::to_vec(&order).expect("can be written");
        assert_eq!(serde_json::from_slice::<Order>(&written).expect("can be read"), order);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(target) = next_link(text) {
        assert!(text.starts_with(&format!("<{target}>")), "{target}");
    }
}
