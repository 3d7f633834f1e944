//! Every write runs twice with the same arguments, as after a commit whose outcome is unknown: the answer is the
//! same, and nothing is written any more.

use std::fmt::Debug;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use ordersys_contract::SessionId;
use ordersys_contract::test_data::Cleanup;
use ordersys_contract::user::{UserKindName, UserSummary};
use ordersys_store::Durability;
use rusqlite::types::Value;

use super::*;

const DAY: Duration = Duration::from_hours(24);

fn open(dir: &tempfile::TempDir) -> Users {
    let (dir, durability) = (dir.path().to_owned(), Durability::Memory);
    let store = Store::open(&Options { dir, durability, name: NAME, migrations: MIGRATIONS }).expect("opens");
    Users(store, Known::default(), Answers::new(Instant::now()))
}

fn user(kind: UserKindName) -> User {
    let (name, email, created_at) =
        ("Ada".to_owned(), "ada@example.com".to_owned(), Timestamp::from_millis(0));
    User { id: UserId::now(), name, email, kind, status: UserStatus::Active, created_at, test: false }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::stored(text.to_owned())
}

async fn registered(users: &Users) -> UserId {
    let (user, password) = (user(UserKindName::Registered), hash("old"));
    let registration = Registration { login: user.email.clone(), password };
    twice(users, "a registered user", || users.insert(user.clone(), Some(registration.clone()))).await;
    let twin = User { id: UserId::now(), ..user.clone() };
    assert!(!users.insert(twin, Some(registration)).await.expect("is asked"), "the address is taken");
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

/// All rows of all tables.
async fn rows(users: &Users) -> Vec<String> {
    let read = |connection: &Connection| {
        let select = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let names = connection
            .prepare(select)?
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        let mut all = Vec::new();
        for name in names {
            let mut statement = connection.prepare(&format!("SELECT * FROM {name}"))?;
            let columns = 0..statement.column_count();
            let values = |row: &rusqlite::Row<'_>| columns.clone().map(|column| row.get(column)).collect();
            for row in statement.query_map([], values)? {
                let row: Vec<Value> = row?;
                all.push(format!("{name} {row:?}"));
            }
        }
        Ok(all)
    };
    users.0.read(read).await.expect("reads")
}

/// Runs a command that writes twice.
async fn twice<T, Done>(users: &Users, what: &str, command: impl Fn() -> Done)
where
    T: Debug,
    Done: Future<Output = Result<T, StoreError>>,
{
    let run = async || {
        let answer = command().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        (format!("{answer:?}"), rows(users).await)
    };
    let before = rows(users).await;
    let (answer, written) = run().await;
    assert_ne!(before, written, "{what} writes nothing: {answer}");
    assert_eq!(run().await, (answer, written), "{what}");
}

#[tokio::test]
async fn sessions_and_what_ends_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let users = open(&dir);
    let id = registered(&users).await;
    let [first, second, third] = [1, 2, 3].map(|number| SessionId::from_bytes([number; 16]));
    for number in [1, 2] {
        twice(&users, "a login", || users.begin_session(login(id, number, None))).await;
    }
    let refresh = rotation(first, 1, 11);
    twice(&users, "a refresh", || users.rotate(refresh.clone())).await;
    let stolen = rotation(first, 1, 12);
    twice(&users, "a used token", || users.rotate(stolen.clone())).await;
    twice(&users, "a logout", || users.end_session(second, id, 1)).await;
    twice(&users, "a login by an outdated hash", || users.begin_session(login(id, 3, Some(hash("better")))))
        .await;
    let epochs = users.summaries(vec![id], ordersys_chassis::Deadline(None)).await.expect("reads");
    assert_eq!(epochs[0].as_ref().map(|summary| summary.token_epoch), Some(1), "one token was used twice");
    let (now, latest) = (Timestamp::from_millis(3_000), Timestamp::from_millis(4_000));
    twice(&users, "a clock that was ahead", || users.shorten(now, latest)).await;
    assert!(users.session_lives(third, [3; 32], now).await.expect("reads"));
    let command = CommandId::now();
    twice(&users, "a logout everywhere", || users.end_sessions(command, id, 1)).await;
    let other = users.end_sessions(CommandId::now(), id, 1).await.expect("is asked");
    assert!(!other, "another logout with a token of this epoch is no repeat");
}

#[tokio::test]
async fn users_and_changes_to_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let users = open(&dir);
    let id = registered(&users).await;
    let (guest, marked) = (user(UserKindName::Guest), User { test: true, ..user(UserKindName::Guest) });
    for user in [&guest, &marked, &User { id: UserId::now(), ..marked.clone() }] {
        twice(&users, "a guest", || users.insert(user.clone(), None)).await;
    }
    let name = Some("Ada Lovelace".to_owned());
    let rename = Change { command: CommandId::now(), name: name.clone(), password: None };
    twice(&users, "a name", || users.change(id, Role::Admin, rename.clone())).await;
    let password = Some((hash("old"), hash("new")));
    let (command, name) = (CommandId::now(), Some("Countess".to_owned()));
    let change = Change { command, name, password };
    twice(&users, "a password", || users.change(id, Role::Owner(0), change.clone())).await;
    for status in [UserStatus::Disabled, UserStatus::Active] {
        twice(&users, "a status", || users.set_status(id, status)).await;
    }
    let User { id: found, name, kind, status, .. } = marked.clone();
    let summary = UserSummary { id: found, name, kind, status, token_epoch: 0 };
    let look_up = || users.note_used(vec![Some(summary.clone())], vec![marked.id]);
    twice(&users, "the use of test data", look_up).await;
    let (command, step) = (CommandId::now(), Cleanup { older_than: 1, after: None });
    twice(&users, "a cleanup", || users.clean_up(command, step)).await;
    let forget = |connection: &Connection| connection.execute("UPDATE user SET address = NULL", []);
    users.0.write(forget).await.expect("forgets");
    twice(&users, "forms of addresses", || users.complete_addresses()).await;

    let records = users.records_of(vec![id]).await.expect("reads");
    let record = records[0].as_ref().expect("is there");
    let former = record.former_names.iter().flatten().map(String::as_str).collect::<Vec<_>>();
    assert_eq!((record.token_epoch, former), (2, vec!["Ada", "Ada Lovelace"]));
}
