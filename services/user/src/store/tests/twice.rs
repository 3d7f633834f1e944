//! Every write runs twice with the same arguments, as after a commit whose outcome is unknown: the answer is the
//! same, and nothing is written any more.

use std::fmt::Debug;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use ordersys_chassis::Deadline;
use ordersys_contract::test_data::Cleanup;
use ordersys_contract::user::{User, UserStatus};
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_store::StoreError;
use ordersys_store::answers::CommandId;

use super::{Bed, guest, hash, marked, on_both, registered};
use crate::domain::Role;
use crate::hasher::PasswordHash;
use crate::store::{Change, NewLogin, Rotation};

const DAY: Duration = Duration::from_hours(24);
const EMAIL: &str = "ada@example.com";

on_both!(sessions_and_what_ends_them, users_and_changes_to_them);

async fn register(bed: &Bed) -> UserId {
    let (user, registration) = registered(EMAIL);
    let insert = || bed.users.insert(user.clone(), Some(registration.clone()));
    twice(bed, "a registered user", insert).await;
    let twin = User { id: UserId::now(), ..user.clone() };
    assert!(!bed.users.insert(twin, Some(registration)).await.expect("is asked"), "the address is taken");
    user.id
}

fn login(user: UserId, number: u8, better: Option<PasswordHash>) -> NewLogin {
    let now = Timestamp::from_millis(1_000);
    NewLogin {
        user,
        checked: hash("old"),
        better,
        session: SessionId::from_bytes([number; 16]),
        network: IpAddr::from([10, 0, 0, 0]),
        token: [number; 32],
        now,
        expires: now.after(DAY),
    }
}

fn rotation(session: SessionId, old: u8, new: u8) -> Rotation {
    let now = Timestamp::from_millis(2_000);
    Rotation {
        command: CommandId::now(),
        session,
        old: [old; 32],
        new: [new; 32],
        now,
        expires: now.after(DAY),
    }
}

/// Runs a command that writes twice.
async fn twice<T, Done>(bed: &Bed, what: &str, command: impl Fn() -> Done)
where
    T: Debug,
    Done: Future<Output = Result<T, StoreError>>,
{
    let run = async || {
        let answer = command().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        (format!("{answer:?}"), bed.rows())
    };
    let before = bed.rows();
    let (answer, written) = run().await;
    assert_ne!(before, written, "{what} writes nothing: {answer}");
    assert_eq!(run().await, (answer, written), "{what}");
}

async fn sessions_and_what_ends_them(bed: &Bed) {
    let users = &bed.users;
    let id = register(bed).await;
    let [first, second, third] = [1, 2, 3].map(|number| SessionId::from_bytes([number; 16]));
    for number in [1, 2] {
        twice(bed, "a login", || users.begin_session(login(id, number, None))).await;
    }
    let refresh = rotation(first, 1, 11);
    twice(bed, "a refresh", || users.rotate(refresh.clone())).await;
    let stolen = rotation(first, 1, 12);
    twice(bed, "a used token", || users.rotate(stolen.clone())).await;
    twice(bed, "a logout", || users.end_session(second, id, 1)).await;
    twice(bed, "a login by an outdated hash", || users.begin_session(login(id, 3, Some(hash("better")))))
        .await;
    let epochs = users.summaries(vec![id], Deadline(None)).await.expect("reads");
    assert_eq!(epochs[0].as_ref().map(|summary| summary.token_epoch), Some(1), "one token was used twice");
    let (now, latest) = (Timestamp::from_millis(3_000), Timestamp::from_millis(4_000));
    twice(bed, "a clock that was ahead", || users.shorten(now, latest)).await;
    assert!(users.session_lives(third, [3; 32], now).await.expect("reads"));
    let command = CommandId::now();
    twice(bed, "a logout everywhere", || users.end_sessions(command, id, 1)).await;
    let other = users.end_sessions(CommandId::now(), id, 1).await.expect("is asked");
    assert!(!other, "another logout with a token of this epoch is no repeat");
}

async fn users_and_changes_to_them(bed: &Bed) {
    let users = &bed.users;
    let id = register(bed).await;
    let (guest, marked) = (guest(EMAIL), marked(EMAIL));
    for user in [&guest, &marked, &User { id: UserId::now(), ..marked.clone() }] {
        twice(bed, "a guest", || users.insert(user.clone(), None)).await;
    }
    let name = Some("Ada Lovelace".to_owned());
    let rename = Change { command: CommandId::now(), name: name.clone(), password: None };
    twice(bed, "a name", || users.change(id, Role::Admin, rename.clone())).await;
    let password = Some((hash("old"), hash("new")));
    let (command, name) = (CommandId::now(), Some("Countess".to_owned()));
    let change = Change { command, name, password };
    twice(bed, "a password", || users.change(id, Role::Owner(0), change.clone())).await;
    for status in [UserStatus::Disabled, UserStatus::Active] {
        twice(bed, "a status", || users.set_status(id, status)).await;
    }
    let look_up = || users.summaries(vec![marked.id], Deadline(None));
    twice(bed, "the use of test data", look_up).await;
    let (command, step) = (CommandId::now(), Cleanup { older_than: 1, after: None });
    twice(bed, "a cleanup", || users.clean_up(command, step)).await;
    bed.run("UPDATE users.user SET address = NULL");
    twice(bed, "forms of addresses", || users.complete_addresses()).await;

    let records = users.records_of(vec![id]).await.expect("reads");
    let record = records[0].as_ref().expect("is there");
    let former = record.former_names.iter().flatten().map(String::as_str).collect::<Vec<_>>();
    assert_eq!((record.token_epoch, former), (2, vec!["Ada", "Ada Lovelace"]));
}
