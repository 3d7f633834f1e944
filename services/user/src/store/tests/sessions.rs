use ordersys_chassis::Credentials;
use ordersys_contract::user::{User, UserKindName};
use ordersys_store::Durability;

use super::*;
use crate::store::Registration;
use crate::{Config, KEY_AGE};

const START: Timestamp = Timestamp::from_millis(1_000_000);
const DAY: std::time::Duration = std::time::Duration::from_hours(24);

fn hash(text: &str) -> PasswordHash {
    PasswordHash::stored(text.to_owned())
}

/// A store with one registered user.
async fn store(dir: &tempfile::TempDir) -> (Users, UserId) {
    let config = Config {
        data_dir: dir.path().to_owned(),
        durability: Durability::Memory,
        hosts: ordersys_chassis::Hosts::Any,
        credentials: Credentials::Open,
        key_age: KEY_AGE,
        counting: ordersys_chassis::Counting::On,
        tracer: ordersys_spans::Tracer::off(),
        guests_per_address: None,
    };
    let users = Users::open(&config).expect("opens");
    let user = User {
        id: UserId::now(),
        name: "Ada".to_owned(),
        email: "ada@example.com".to_owned(),
        kind: UserKindName::Registered,
        status: UserStatus::Active,
        created_at: START,
        test: false,
    };
    let registration = Registration { login: user.email.clone(), password: hash("old") };
    assert!(users.insert(user.clone(), Some(registration.clone())).await.expect("stores"));
    let twin = User { id: UserId::now(), ..user.clone() };
    assert!(!users.insert(twin, Some(registration)).await.expect("is asked"), "the address is taken");
    (users, user.id)
}

fn login(user: UserId, number: u8) -> NewLogin {
    let now = START.after(std::time::Duration::from_secs(number.into()));
    NewLogin {
        user,
        checked: hash("old"),
        better: None,
        session: SessionId::from_bytes([number; 16]),
        network: IpAddr::from([10, 0, number, 0]),
        token: [number; 32],
        now,
        expires: now.after(DAY),
    }
}

fn rotation(login: &NewLogin, now: Timestamp) -> Rotation {
    let command = CommandId::now();
    Rotation {
        command,
        session: login.session,
        old: login.token,
        new: [0xff; 32],
        now,
        expires: now.after(DAY),
    }
}

#[tokio::test]
async fn a_user_has_a_bounded_number_of_sessions_and_old_ones_go() {
    let dir = tempfile::tempdir().expect("a directory");
    let (users, user) = store(&dir).await;
    let logins: Vec<_> = (0..=10).map(|number| login(user, number)).collect();
    for login in &logins {
        assert!(matches!(users.begin_session(login.clone()).await, Ok(Begun::Done { epoch: 0 })));
    }
    let rotate = async |login: &NewLogin, now| users.rotate(rotation(login, now)).await.expect("is asked");
    assert!(matches!(rotate(&logins[0], START).await, Rotated::Ended), "the eleventh ended the first");
    let late = logins[1].expires;
    assert!(matches!(rotate(&logins[1], late).await, Rotated::Ended), "expired");
    assert!(matches!(rotate(&logins[2], START.after(DAY)).await, Rotated::Done { epoch: 0, .. }));
    assert_eq!(users.forget_expired(logins[5].expires).await.ok(), Some(4), "1, 3, 4 and 5");
    assert!(matches!(rotate(&logins[10], START).await, Rotated::Done { .. }));
    let known = async |number| {
        users.logged_in_from(String::from("ada@example.com"), IpAddr::from([10, 0, number, 0])).await.ok()
    };
    assert_eq!((known(10).await, known(3).await), (Some(true), Some(true)));
    assert_eq!((known(2).await, known(11).await), (Some(false), Some(false)), "eight are remembered");
}

#[tokio::test]
async fn a_session_needs_the_password_that_is_stored_when_it_begins() {
    let dir = tempfile::tempdir().expect("a directory");
    let (users, user) = store(&dir).await;
    let outdated = NewLogin { better: Some(hash("better")), ..login(user, 1) };
    assert!(matches!(users.begin_session(outdated).await, Ok(Begun::Done { .. })));
    let account = users.account(user).await.expect("reads").expect("is there");
    assert_eq!(account.password, hash("better"));
    assert!(matches!(users.begin_session(login(user, 2)).await, Ok(Begun::PasswordChanged)));
    users.set_status(user, UserStatus::Disabled).await.expect("disables");
    let current = NewLogin { checked: hash("better"), ..login(user, 3) };
    assert!(matches!(users.begin_session(current).await, Ok(Begun::Disabled)));
}
