//! How sessions begin, go on and end.

use std::net::IpAddr;
use std::time::Duration;

use ordersys_contract::user::UserStatus;
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_store::answers::CommandId;

use super::{Bed, hash, on_both, register};
use crate::store::{Begun, NewLogin, Rotated, Rotation};

const START: Timestamp = Timestamp::from_millis(1_000_000);
const DAY: Duration = Duration::from_hours(24);
const EMAIL: &str = "ada@example.com";

on_both!(
    a_user_has_a_bounded_number_of_sessions_and_old_ones_go,
    a_session_needs_the_password_that_is_stored_when_it_begins,
);

fn login(user: UserId, number: u8) -> NewLogin {
    let now = START.after(Duration::from_secs(number.into()));
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

async fn a_user_has_a_bounded_number_of_sessions_and_old_ones_go(bed: &Bed) {
    let users = &bed.users;
    let user = register(users, EMAIL).await;
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

async fn a_session_needs_the_password_that_is_stored_when_it_begins(bed: &Bed) {
    let users = &bed.users;
    let user = register(users, EMAIL).await;
    let outdated = NewLogin { better: Some(hash("better")), ..login(user, 1) };
    assert!(matches!(users.begin_session(outdated).await, Ok(Begun::Done { .. })));
    let account = users.account(user).await.expect("reads").expect("is there");
    assert_eq!(account.password, hash("better"));
    assert!(matches!(users.begin_session(login(user, 2)).await, Ok(Begun::PasswordChanged)));
    users.set_status(user, UserStatus::Disabled).await.expect("disables");
    let current = NewLogin { checked: hash("better"), ..login(user, 3) };
    assert!(matches!(users.begin_session(current).await, Ok(Begun::Disabled)));
}
