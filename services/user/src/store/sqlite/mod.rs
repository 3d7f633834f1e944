//! The user service's tables on SQLite, in a directory of their own.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::user::{User, UserStatus};
use ordersys_contract::{Timestamp, UserId};
use ordersys_store::answers::Answers;
use ordersys_store::{Durability, OpenError, Options, Store, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

use crate::NAME;
use crate::domain::{Role, login};
use crate::store::accounts::{Account, Change, Reached, Registration};

mod addresses;
mod cleanup;
mod known;
mod list;
mod lookup;
mod networks;
mod records;
mod rows;
mod schema;
mod sessions;

use known::Known;
use rows::{reach, select_account};
use schema::MIGRATIONS;

/// The stored users and their sessions.
#[derive(Clone)]
pub(crate) struct Users(Store, Known, Answers);

impl Users {
    pub(crate) fn open(dir: PathBuf, durability: Durability) -> Result<Self, OpenError> {
        Store::open(&Options { dir, durability, name: NAME, migrations: MIGRATIONS })
            .map(|store| Self(store, Known::default(), Answers::new(Instant::now())))
    }

    /// The directory of the store.
    pub(crate) fn dir(&self) -> &Path {
        self.0.dir()
    }

    pub(crate) fn unusable(&self, source: StoreError) -> OpenError {
        self.0.unusable(source)
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.trouble()
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.0.metrics().register(registry);
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }

    /// Lets some of the answers go that were kept for minutes; returns how many.
    pub(crate) async fn forget_answers(&self) -> Result<usize, StoreError> {
        self.2.forget(&self.0).await
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
            users.1.forget(user);
            outcome
        };
        tokio::spawn(write).await.unwrap_or(Err(StoreError::Stopped))
    }

    /// When the user with the newest id was made.
    pub(crate) async fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        let select = "SELECT created_at FROM user ORDER BY id DESC LIMIT 1";
        let made = |row: &rusqlite::Row<'_>| row.get(0).map(Timestamp::from_millis);
        self.0.read(move |connection| connection.query_row(select, [], made).optional()).await
    }

    /// Stores a user; `false` if it is to be registered with an address that is taken. One that is stored already
    /// stays as it is: ids are made once.
    pub(crate) async fn insert(
        &self,
        user: User,
        registration: Option<Registration>,
    ) -> Result<bool, StoreError> {
        let insert =
            "INSERT INTO user(id, name, email, created_at, password, login, address, test, former_names)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '[]') ON CONFLICT DO NOTHING";
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
                    login(&user.email),
                    user.test,
                ];
                Ok(connection.prepare_cached(insert)?.execute(row)? == 1 || exists(connection, user.id)?)
            })
            .await
    }

    pub(crate) async fn get(&self, id: UserId, role: Role) -> Result<Reached<User>, StoreError> {
        self.0.read(move |connection| reach(connection, id, role)).await
    }

    /// The registered user with the first of these forms of the address that one has.
    pub(crate) async fn by_login(&self, logins: [String; 2]) -> Result<Option<Account>, StoreError> {
        self.0
            .read(move |connection| {
                let find = |login: &String| select_account(connection, "login = ?1", login);
                let [first, second] = &logins;
                find(first)?.map_or_else(|| find(second), |found| Ok(Some(found)))
            })
            .await
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
        let answers = self.2.clone();
        self.write_of(id, move |connection| {
            if let Some(done) = Answers::find(connection, change.command)? {
                return Ok(Reached::Done(Some(done)));
            }
            let changed = write_change(connection, id, role, &change)?;
            if let Reached::Done(Some(user)) = &changed {
                answers.keep(connection, change.command, user)?;
            }
            Ok(changed)
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
}

fn write_change(
    connection: &Connection,
    id: UserId,
    role: Role,
    change: &Change,
) -> rusqlite::Result<Reached<Option<User>>> {
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
        records::rename(connection, id, name)?;
    }
    Ok(match reach(connection, id, Role::Admin)? {
        Reached::Done(user) => Reached::Done(Some(user)),
        Reached::NotFound | Reached::Revoked => Reached::NotFound,
    })
}

fn exists(connection: &Connection, id: UserId) -> rusqlite::Result<bool> {
    let select = "SELECT EXISTS (SELECT 1 FROM user WHERE id = ?1)";
    connection.prepare_cached(select)?.query_row([id.as_bytes()], |row| row.get(0))
}
