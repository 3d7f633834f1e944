//! The user service's table.

use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::user::{User, UserKindName, UserStatus, UserSummary};
use ordersys_contract::{Timestamp, UserId};
use ordersys_store::{OpenError, Options, Store, StoreError};
use rusqlite::{OptionalExtension, Row, params};

use crate::{Config, NAME};

const MIGRATIONS: &[&str] = &["
    CREATE TABLE user(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX user_by_email ON user(email, id);
"];

/// What narrows a list of users.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) email: Option<String>,
    /// Users after this one only.
    pub(crate) after: Option<UserId>,
    pub(crate) limit: u32,
}

/// The stored users.
#[derive(Clone)]
pub(crate) struct Users(Store);

impl Users {
    pub(crate) fn open(config: &Config) -> Result<Self, OpenError> {
        let (dir, durability) = (config.data_dir.clone(), config.durability);
        Store::open(&Options { dir, durability, name: NAME, migrations: MIGRATIONS }).map(Self)
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.0.is_writable()
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.0.metrics().register(registry);
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }

    pub(crate) async fn insert(&self, user: User) -> Result<(), StoreError> {
        let insert = "INSERT INTO user(id, name, email, created_at) VALUES (?1, ?2, ?3, ?4)";
        self.0
            .write(move |connection| {
                let row = params![user.id.as_bytes(), user.name, user.email, user.created_at.as_millis()];
                connection.prepare_cached(insert)?.execute(row).map(|_| ())
            })
            .await
    }

    pub(crate) async fn get(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let select = "SELECT id, name, email, created_at FROM user WHERE id = ?1";
        self.0
            .read(move |connection| {
                connection.prepare_cached(select)?.query_row([id.as_bytes()], user).optional()
            })
            .await
    }

    pub(crate) async fn list(&self, filter: Filter) -> Result<Vec<User>, StoreError> {
        let select = "
            SELECT id, name, email, created_at FROM user
            WHERE id > ?1 AND (?2 IS NULL OR email = ?2) ORDER BY id LIMIT ?3";
        self.0
            .read(move |connection| {
                let after = filter.after.as_ref().map_or(&[][..], |id| id.as_bytes());
                let mut statement = connection.prepare_cached(select)?;
                statement.query_map(params![after, filter.email, filter.limit], user)?.collect()
            })
            .await
    }

    /// What the order path needs of each of these users; `None` for an unknown one.
    pub(crate) async fn summaries(
        &self,
        ids: Vec<UserId>,
        deadline: Deadline,
    ) -> Result<Vec<Option<UserSummary>>, StoreError> {
        let found = self
            .0
            .read(move |connection| {
                if deadline.has_passed(Instant::now()) {
                    return Ok(None);
                }
                let mut statement = connection.prepare_cached("SELECT name FROM user WHERE id = ?1")?;
                let mut summary = |id: &UserId| {
                    let name = statement.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
                    let (kind, status) = (UserKindName::Guest, UserStatus::Active);
                    Ok(name.map(|name| UserSummary { id: *id, name, kind, status, token_epoch: 0 }))
                };
                ids.iter().map(&mut summary).collect::<rusqlite::Result<_>>().map(Some)
            })
            .await?;
        found.ok_or(StoreError::Late)
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        email: row.get(2)?,
        kind: UserKindName::Guest,
        status: UserStatus::Active,
        created_at: Timestamp::from_millis(row.get(3)?),
    })
}
