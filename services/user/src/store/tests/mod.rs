//! What both stores do alike: the same cases on each. What several instances do on one database is there too.

use std::path::Path;

use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::user::{User, UserKindName, UserStatus};
use ordersys_contract::{Timestamp, UserId};
use ordersys_postgres::Temporary;
use ordersys_store::{Durability, Location};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Registration, Users};
use crate::NAME;
use crate::hasher::PasswordHash;

mod keys;
mod lists;
mod replicas;
mod sessions;
mod twice;

/// Runs each case on both stores.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&super::Bed::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                if !ordersys_postgres::is_here() {
                    return;
                }
                super::$case(&super::Bed::postgres().await).await;
            })*
        }
    };
}
use on_both;

/// A store, and what it is kept in.
struct Bed {
    users: Users,
    kept: Kept,
}

enum Kept {
    Directory(TempDir),
    Database(DatabaseAddress),
}

impl Bed {
    async fn sqlite() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let location = Location::Directory { dir: dir.path().to_owned(), durability: Durability::Memory };
        Self { users: Users::open(&location).await.expect("opens"), kept: Kept::Directory(dir) }
    }

    async fn postgres() -> Self {
        let address = Temporary::shared().database().expect("a database");
        Self { users: instance(&address).await, kept: Kept::Database(address) }
    }

    /// Another instance on the same database.
    async fn another(&self) -> Users {
        match &self.kept {
            Kept::Directory(_) => panic!("a directory is of one instance"),
            Kept::Database(address) => instance(address).await,
        }
    }

    /// Runs a statement in which `users.` is put before each table. On SQLite it goes.
    fn run(&self, sql: &str) -> String {
        match &self.kept {
            Kept::Directory(dir) => {
                let store = connection(dir.path());
                store.execute_batch(&sql.replace("users.", "")).expect("runs");
                String::new()
            }
            Kept::Database(address) => Temporary::shared().run(&address.database, sql).expect("runs"),
        }
    }

    /// All rows of all tables, in whatever order.
    fn rows(&self) -> Vec<String> {
        match &self.kept {
            Kept::Directory(dir) => rows(&connection(dir.path())).expect("reads"),
            Kept::Database(_) => {
                let tables = ["user", "session", "network", "answered", "signing_key", "keyring"];
                let select =
                    tables.map(|table| format!("SELECT '{table} ' || t::text FROM users.{table} AS t"));
                let select = format!("{} ORDER BY 1", select.join(" UNION ALL "));
                self.run(&select).lines().map(str::to_owned).collect()
            }
        }
    }
}

async fn instance(address: &DatabaseAddress) -> Users {
    let password = Some(Temporary::shared().password().clone());
    let location = Location::Database { address: address.clone(), password };
    Users::open(&location).await.expect("opens")
}

fn connection(dir: &Path) -> Connection {
    Connection::open(dir.join(format!("{NAME}.db"))).expect("opens")
}

fn rows(store: &Connection) -> rusqlite::Result<Vec<String>> {
    let select = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = store.prepare(select)?;
    let names = names.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let mut all = Vec::new();
    for name in names {
        let mut statement = store.prepare(&format!("SELECT * FROM {name}"))?;
        let columns = 0..statement.column_count();
        let values = |row: &rusqlite::Row<'_>| columns.clone().map(|column| row.get(column)).collect();
        for row in statement.query_map([], values)? {
            let row: Vec<rusqlite::types::Value> = row?;
            all.push(format!("{name} {row:?}"));
        }
    }
    Ok(all)
}

fn user(kind: UserKindName, email: &str) -> User {
    let (name, created_at) = ("Ada".to_owned(), Timestamp::from_millis(0));
    let (email, status) = (email.to_owned(), UserStatus::Active);
    User { id: UserId::now(), name, email, kind, status, created_at, test: false }
}

fn guest(email: &str) -> User {
    user(UserKindName::Guest, email)
}

fn marked(email: &str) -> User {
    User { test: true, ..guest(email) }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::stored(text.to_owned())
}

/// A registered user, and what makes it one; the password's hash is `old`.
fn registered(email: &str) -> (User, Registration) {
    let login = email.to_owned();
    (user(UserKindName::Registered, email), Registration { login, password: hash("old") })
}

async fn register(users: &Users, email: &str) -> UserId {
    let (user, registration) = registered(email);
    let id = user.id;
    assert!(users.insert(user, Some(registration)).await.expect("is asked"), "{email}");
    id
}
