//! The user service's tables.

use std::time::{Duration, Instant};

use ordersys_chassis::Deadline;
use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::user::{LOOKUP_HOLDS, User, UserKindName, UserStatus, UserSummary};
use ordersys_contract::{Timestamp, UserId};
use ordersys_store::{OpenError, Options, Store, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::Role;
use crate::hasher::PasswordHash;
use crate::{Config, NAME};

mod known;
mod sessions;

use known::Known;
pub(crate) use sessions::{Begun, NewLogin, Rotated, Rotation};

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE user(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX user_by_email ON user(email, id);
",
    "
    ALTER TABLE user ADD COLUMN password TEXT;
    ALTER TABLE user ADD COLUMN login TEXT CHECK ((login IS NULL) = (password IS NULL));
    ALTER TABLE user ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));
    ALTER TABLE user ADD COLUMN token_epoch INTEGER NOT NULL DEFAULT 0 CHECK (token_epoch >= 0);
    CREATE UNIQUE INDEX user_by_login ON user(login) WHERE login IS NOT NULL;

    CREATE TABLE session(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        user_id BLOB NOT NULL,
        token BLOB NOT NULL CHECK (length(token) = 32),
        refreshed_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX session_by_user ON session(user_id, refreshed_at);
    CREATE INDEX session_by_expiry ON session(expires_at);
",
];

/// By how much another machine's clock may run slower while an answer holds.
const MARGIN: Duration = Duration::from_millis(5);

const COLUMNS: &str = "id, name, email, created_at, login, disabled";

/// What narrows a list of users.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) email: Option<String>,
    /// Users after this one only.
    pub(crate) after: Option<UserId>,
    pub(crate) limit: u32,
}

/// What makes a user a registered one.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) login: String,
    pub(crate) password: PasswordHash,
}

/// A registered user, as far as logging in needs it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) login: String,
    pub(crate) password: PasswordHash,
    pub(crate) status: UserStatus,
}

/// What is changed of a user.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    /// The new hash, in place of this one.
    pub(crate) password: Option<(PasswordHash, PasswordHash)>,
}

/// How reading or changing a user as somebody ended.
#[derive(Debug)]
pub(crate) enum Reached<T> {
    Done(T),
    /// There is none, or not for this caller.
    NotFound,
    /// It is the caller, whose token is of an earlier epoch.
    Revoked,
}

/// The stored users and their sessions.
#[derive(Clone)]
pub(crate) struct Users(Store, Known);

impl Users {
    pub(crate) fn open(config: &Config) -> Result<Self, OpenError> {
        let (dir, durability) = (config.data_dir.clone(), config.durability);
        Store::open(&Options { dir, durability, name: NAME, migrations: MIGRATIONS })
            .map(|store| Self(store, Known::default()))
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

    /// Makes a change of a user known: after this nobody goes by the user as it was.
    async fn publish(&self, user: UserId) {
        self.1.forget(user);
        tokio::time::sleep(LOOKUP_HOLDS + MARGIN).await;
    }

    /// Writes what changes a user. The caller may go away, the change is still noticed by those who read.
    async fn write_of<T: Send + 'static>(
        &self,
        user: UserId,
        command: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let users = self.clone();
        let write = async move {
            let outcome = users.0.write(command).await;
            users.publish(user).await;
            outcome
        };
        tokio::spawn(write).await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Stores a user; `false` if it is to be registered with an address that is taken.
    pub(crate) async fn insert(
        &self,
        user: User,
        registration: Option<Registration>,
    ) -> Result<bool, StoreError> {
        let insert = "INSERT INTO user(id, name, email, created_at, password, login)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(login) WHERE login IS NOT NULL DO NOTHING";
        self.0
            .write(move |connection| {
                let registration = registration.as_ref();
                let row = params![
                    user.id.as_bytes(),
                    user.name,
                    user.email,
                    user.created_at.as_millis(),
                    registration.map(|registration| registration.password.as_str()),
                    registration.map(|registration| registration.login.as_str()),
                ];
                Ok(connection.prepare_cached(insert)?.execute(row)? == 1)
            })
            .await
    }

    pub(crate) async fn get(&self, id: UserId, role: Role) -> Result<Reached<User>, StoreError> {
        self.0.read(move |connection| reach(connection, id, role)).await
    }

    pub(crate) async fn list(&self, filter: Filter) -> Result<Vec<User>, StoreError> {
        let select = format!(
            "SELECT {COLUMNS} FROM user
             WHERE id > ?1 AND (?2 IS NULL OR email = ?2) ORDER BY id LIMIT ?3"
        );
        self.0
            .read(move |connection| {
                let after = filter.after.as_ref().map_or(&[][..], |id| id.as_bytes());
                let mut statement = connection.prepare_cached(&select)?;
                statement.query_map(params![after, filter.email, filter.limit], user)?.collect()
            })
            .await
    }

    /// The registered user with this form of the address.
    pub(crate) async fn by_login(&self, login: String) -> Result<Option<Account>, StoreError> {
        self.0.read(move |connection| select_account(connection, "login = ?1", &login)).await
    }

    /// The registered user with this id.
    pub(crate) async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.0.read(move |connection| select_account(connection, "id = ?1", id.as_bytes())).await
    }

    /// Changes a user. A new password ends all sessions and tokens; it is set only if the hash it
    /// replaces is the stored one, else nothing is changed and there is `None`.
    pub(crate) async fn change(
        &self,
        id: UserId,
        role: Role,
        change: Change,
    ) -> Result<Reached<Option<User>>, StoreError> {
        self.write_of(id, move |connection| {
            match reach(connection, id, role)? {
                Reached::Done(_) => {}
                Reached::NotFound => return Ok(Reached::NotFound),
                Reached::Revoked => return Ok(Reached::Revoked),
            }
            if let Some((before, after)) = &change.password {
                let update = "UPDATE user SET password = ?3 WHERE id = ?1 AND password = ?2";
                let row = params![id.as_bytes(), before.as_str(), after.as_str()];
                if connection.prepare_cached(update)?.execute(row)? == 0 {
                    return Ok(Reached::Done(None));
                }
                sessions::revoke_all(connection, id)?;
            }
            if let Some(name) = &change.name {
                let update = "UPDATE user SET name = ?2 WHERE id = ?1";
                connection.prepare_cached(update)?.execute(params![id.as_bytes(), name])?;
            }
            Ok(match reach(connection, id, Role::Admin)? {
                Reached::Done(user) => Reached::Done(Some(user)),
                Reached::NotFound | Reached::Revoked => Reached::NotFound,
            })
        })
        .await
    }

    /// Enables or disables a user; disabling ends all sessions and tokens.
    pub(crate) async fn set_status(
        &self,
        id: UserId,
        status: UserStatus,
    ) -> Result<Reached<User>, StoreError> {
        let update = "UPDATE user SET disabled = ?2 WHERE id = ?1 AND disabled <> ?2";
        self.write_of(id, move |connection| {
            let disabled = status == UserStatus::Disabled;
            let changed = connection.prepare_cached(update)?.execute(params![id.as_bytes(), disabled])?;
            if changed == 1 && disabled {
                sessions::revoke_all(connection, id)?;
            }
            reach(connection, id, Role::Admin)
        })
        .await
    }

    /// What the order path needs of each of these users; `None` for an unknown one.
    pub(crate) async fn summaries(
        &self,
        ids: Vec<UserId>,
        deadline: Deadline,
    ) -> Result<Vec<Option<UserSummary>>, StoreError> {
        let reading = match self.1.all(&ids) {
            Ok(found) => return Ok(found),
            Err(reading) => reading,
        };
        let select = "SELECT name, login IS NOT NULL, disabled, token_epoch FROM user WHERE id = ?1";
        let found: Option<Vec<_>> = self
            .0
            .read(move |connection| {
                if deadline.has_passed(Instant::now()) {
                    return Ok(None);
                }
                let mut statement = connection.prepare_cached(select)?;
                let mut summary = |id: &UserId| {
                    let found = statement.query_row([id.as_bytes()], |row| {
                        Ok(UserSummary {
                            id: *id,
                            name: row.get(0)?,
                            kind: kind(row.get(1)?),
                            status: status(row.get(2)?),
                            token_epoch: row.get(3)?,
                        })
                    });
                    found.optional()
                };
                ids.iter().map(&mut summary).collect::<rusqlite::Result<_>>().map(Some)
            })
            .await?;
        let found = found.ok_or(StoreError::Late)?;
        self.1.keep(reading, &found);
        Ok(found)
    }
}

/// The user, as far as the caller may see it: the owner is part of the query.
fn reach(connection: &Connection, id: UserId, role: Role) -> rusqlite::Result<Reached<User>> {
    let select = format!(
        "SELECT {COLUMNS}, token_epoch FROM user
         WHERE id = ?1 AND (?2 OR login IS NULL)"
    );
    let mut statement = connection.prepare_cached(&select)?;
    let any = match role {
        Role::Admin | Role::Owner(_) => true,
        Role::Stranger => false,
    };
    let found =
        statement.query_row(params![id.as_bytes(), any], |row| Ok((user(row)?, row.get::<_, u64>(6)?)));
    Ok(match (found.optional()?, role) {
        (Some((_, now)), Role::Owner(epoch)) if epoch != now => Reached::Revoked,
        (Some((user, _)), _) => Reached::Done(user),
        (None, _) => Reached::NotFound,
    })
}

fn select_account(
    connection: &Connection,
    condition: &str,
    key: impl rusqlite::ToSql,
) -> rusqlite::Result<Option<Account>> {
    let select = format!(
        "SELECT id, email, name, login, password, disabled FROM user
         WHERE {condition} AND login IS NOT NULL"
    );
    let account = |row: &Row<'_>| {
        Ok(Account {
            id: UserId::from_bytes(row.get(0)?),
            email: row.get(1)?,
            name: row.get(2)?,
            login: row.get(3)?,
            password: PasswordHash::stored(row.get(4)?),
            status: status(row.get(5)?),
        })
    };
    connection.prepare_cached(&select)?.query_row([key], account).optional()
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        email: row.get(2)?,
        created_at: Timestamp::from_millis(row.get(3)?),
        kind: kind(row.get::<_, Option<String>>(4)?.is_some()),
        status: status(row.get(5)?),
    })
}

fn kind(registered: bool) -> UserKindName {
    if registered { UserKindName::Registered } else { UserKindName::Guest }
}

fn status(disabled: bool) -> UserStatus {
    if disabled { UserStatus::Disabled } else { UserStatus::Active }
}
