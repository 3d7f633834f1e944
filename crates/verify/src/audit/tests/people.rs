//! I11 of users, sessions and the keys for access tokens.

use std::time::Duration;

use ordersys_contract::SessionId;
use ordersys_contract::evidence::{KeyEvidence, SessionRecord, SigningKey, UnownedNetworks, UserRecord};
use ordersys_contract::user::UserStatus;

use super::*;
use crate::audit::people;

/// A registered user.
pub(super) fn record() -> UserRecord {
    let email = || "alice@example.com".to_owned();
    UserRecord {
        id: id_of(began()),
        name: "Alice".to_owned(),
        former_names: vec![Some("Al".to_owned())],
        email: "Alice@Example.com".to_owned(),
        login: Some(email()),
        address: Some(email()),
        address_form: email(),
        has_password: true,
        kind: UserKindName::Registered,
        status: UserStatus::Active,
        token_epoch: 0,
        created_at: began(),
        test: false,
        used: false,
        odd: Vec::new(),
    }
}

/// What was expected and what was found, of the one thing that was looked at.
fn seen(judge: impl FnOnce(&mut AuditCounts)) -> Option<String> {
    let mut counts = AuditCounts::default();
    judge(&mut counts);
    let finding = counts.into_report().findings.pop().expect("I11 is the last");
    assert_eq!((finding.id, finding.checked), ("I11", 1));
    let witness = finding.witness?;
    Some(format!("{}: {}, found {}", witness.row.expect("a row"), witness.expected, witness.found))
}

fn user(change: impl FnOnce(&mut UserRecord)) -> Option<String> {
    let mut record = record();
    change(&mut record);
    seen(|counts| people::user(&record, after(3_600), counts))
}

#[test]
fn users_are_as_a_service_writes_them() {
    type Change = fn(&mut UserRecord);
    let fine: [Change; 6] = [
        |_| {},
        |user| user.login = None,
        |user| user.address = None,
        |user| (user.login, user.email) = (Some("earlier form".to_owned()), " Earlier Form ".to_owned()),
        |user| (user.kind, user.has_password) = (UserKindName::Guest, false),
        |user| (user.status, user.token_epoch) = (UserStatus::Disabled, 1),
    ];
    for (place, change) in fine.into_iter().enumerate() {
        assert_eq!(user(change), None, "case {place}");
    }
    let cases: [(&str, Change); 10] = [
        ("the login `alice@example.com` of its address, found `bob`", |user| {
            user.login = Some("bob".to_owned());
        }),
        ("the form `alice@example.com` of its address, found `bob`", |user| {
            user.address = Some("bob".to_owned());
        }),
        ("a hash that a password can be compared with", |user| user.has_password = false),
        ("tokens revoked when it was disabled", |user| user.status = UserStatus::Disabled),
        ("created about", |user| user.created_at = after(90)),
        ("no time ahead of the clock", |user| {
            (user.id, user.created_at) = (id_of(after(3_700)), after(3_700));
        }),
        ("an id that tells when it was made", |user| user.id = UserId::random()),
        ("only what the service writes, found something else in a and b", |user| {
            user.odd = vec!["a".to_owned(), "b".to_owned()];
        }),
        ("a name, found ``", |user| user.name = String::new()),
        ("a name, found ` `", |user| user.former_names.push(Some(" ".to_owned()))),
    ];
    for (expected, change) in cases {
        let found = user(change).expect(expected);
        assert!(found.starts_with("user ") && found.contains(expected), "{found}");
    }
}

fn session(change: impl FnOnce(&mut SessionRecord)) -> Option<String> {
    let mut record = SessionRecord {
        id: SessionId::random(),
        user_id: id_of(began()),
        refreshed_at: after(1),
        expires_at: after(1 + 30 * 24 * 3_600),
        kind: Some(UserKindName::Registered),
        status: Some(UserStatus::Active),
        user_created_at: Some(began()),
    };
    change(&mut record);
    seen(|counts| people::session(&record, after(3_600), counts))
}

/// Refreshed then, and good for thirty days.
fn refresh(session: &mut SessionRecord, at: Timestamp) {
    (session.refreshed_at, session.expires_at) = (at, at.after(Duration::from_hours(30 * 24)));
}

#[test]
fn sessions_are_of_users_who_may_log_in_and_end_after_thirty_days() {
    type Change = fn(&mut SessionRecord);
    let day = Duration::from_hours(24);
    assert_eq!(session(|_| {}), None);
    assert_eq!(session(|session| refresh(session, began().before(day))), None, "a clock was ahead for a day");
    assert_eq!(session(|session| session.user_created_at = None), None, "it is not known");
    let cases: [(&str, Change); 6] = [
        ("30 days after it was refreshed, found", |session| session.expires_at = after(7)),
        ("no time ahead of the clock", |session| refresh(session, after(3_700))),
        ("refreshed after its user was made", |session| {
            refresh(session, began().before(Duration::from_hours(24) + Duration::from_millis(1)));
        }),
        ("to be one that may log in, found one that is disabled", |session| {
            session.status = Some(UserStatus::Disabled);
        }),
        ("to be one that may log in, found a guest", |session| session.kind = Some(UserKindName::Guest)),
        ("whose session it is, found no such user", |session| (session.kind, session.status) = (None, None)),
    ];
    for (expected, change) in cases {
        let found = session(change).expect(expected);
        assert!(found.starts_with("session ") && found.contains(expected), "{found}");
    }
}

#[test]
fn networks_are_of_users_who_are_there() {
    let owner = UserId::now();
    let found = seen(|counts| people::networks(&UnownedNetworks { users: vec![owner] }, counts));
    assert_eq!(
        found,
        Some(format!("networks of user {owner}: user {owner}, whose networks they are, found no such user"))
    );
    let mut counts = AuditCounts::default();
    people::networks(&UnownedNetworks { users: Vec::new() }, &mut counts);
    assert_eq!(counts.into_report().failure(), None);
}

fn key(kid: &str, made: Timestamp) -> SigningKey {
    SigningKey { kid: kid.to_owned(), made }
}

fn keys(evidence: &KeyEvidence, earliest: Option<Timestamp>) -> Option<String> {
    seen(|counts| people::keys(evidence, earliest, after(3_600), counts))
}

#[test]
fn the_keys_in_use_are_stored_and_old_enough_for_the_tokens_they_signed() {
    let stored = |keys: &[SigningKey]| KeyEvidence { used: keys.to_vec(), stored: Some(keys.to_vec()) };
    let two = [key("a", after(10)), key("b", after(20))];
    let moment = after(10).before(Duration::from_secs(1));
    assert!(people::is_settled(&stored(&two)));
    assert_eq!(keys(&stored(&two), None), None);
    assert_eq!(keys(&stored(&two), Some(moment)), None, "the session may lie a moment before its key");
    let earlier = moment.before(Duration::from_millis(1));
    let lost = KeyEvidence { used: two.to_vec(), stored: None };
    let other = KeyEvidence { used: two.to_vec(), stored: Some(two[..1].to_vec()) };
    let none = KeyEvidence { used: Vec::new(), stored: Some(two.to_vec()) };
    assert!(!people::is_settled(&lost) && !people::is_settled(&other));
    for (evidence, earliest, expected) in [
        (stored(&two), Some(earlier), "the key of a session that was refreshed"),
        (stored(&[]), None, "at least one key, found none"),
        (stored(&[key("a", after(3_700))]), None, "no time ahead of the clock"),
        (lost, None, "b of 2023-11-14T22:13:40.000Z, to be stored, found none that can be read"),
        (other, None, "to be stored, found a of 2023-11-14T22:13:30.000Z"),
        (none, None, "the keys in use, none, to be stored, found a of"),
    ] {
        let found = keys(&evidence, earliest).expect(expected);
        assert!(found.starts_with("signing keys") && found.contains(expected), "{found}");
    }
}

#[test]
fn a_token_of_a_session_may_be_good_for_ten_minutes() {
    let mut record = None;
    session(|session| record = Some(session.clone()));
    let session = record.expect("was made");
    let minutes = |count: u64| session.refreshed_at.after(Duration::from_mins(count));
    assert!(people::is_recent(&session, minutes(10).before(Duration::from_millis(1))));
    assert!(!people::is_recent(&session, minutes(10)));
}
