//! What checks from outside read: users and sessions as they are stored, and the names users had before.

use ordersys_contract::evidence::{SessionRecord, UserRecord};
use ordersys_contract::{MAX_PAGE, SessionId, Timestamp, UserId};
use ordersys_store::StoreError;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Users;
use crate::domain;
use crate::hasher::PasswordHash;
use crate::store::codes::{kind, status};
use crate::store::names;

const COLUMNS: &str = "id, name, former_names, email, login, password, disabled, token_epoch, created_at, \
                       address, test, used";

impl Users {
    /// Users after this one, with all that is stored of them.
    pub(crate) async fn records(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserRecord>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM user WHERE id > ?1 ORDER BY id LIMIT ?2");
        self.0
            .read(move |connection| {
                let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
                let mut statement = connection.prepare_cached(&select)?;
                statement.query_map(params![after, limit], record)?.collect()
            })
            .await
    }

    /// All that is stored of each of these users; `None` for an unknown one.
    pub(crate) async fn records_of(&self, ids: Vec<UserId>) -> Result<Vec<Option<UserRecord>>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM user WHERE id = ?1");
        self.0
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&select)?;
                let mut read = |id: &UserId| statement.query_row([id.as_bytes()], record).optional();
                ids.iter().map(&mut read).collect()
            })
            .await
    }

    /// Sessions after this one, each with the user it is of.
    pub(crate) async fn sessions(
        &self,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let select = "SELECT session.id, user_id, refreshed_at, expires_at, user.id IS NOT NULL,
                             login IS NOT NULL, ifnull(disabled, 0), user.created_at
                      FROM session LEFT JOIN user ON user.id = user_id
                      WHERE session.id > ?1 ORDER BY session.id LIMIT ?2";
        self.0
            .read(move |connection| {
                let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
                let mut statement = connection.prepare_cached(select)?;
                statement.query_map(params![after, limit], session)?.collect()
            })
            .await
    }

    /// Some of the users of whom networks are remembered, and who are not there.
    pub(crate) async fn unowned_networks(&self) -> Result<Vec<UserId>, StoreError> {
        let select = "SELECT DISTINCT user_id FROM network
                      WHERE NOT EXISTS (SELECT 1 FROM user WHERE id = user_id) LIMIT ?1";
        self.0
            .scan(move |connection| {
                let mut statement = connection.prepare_cached(select)?;
                statement.query_map([MAX_PAGE], |row| row.get(0).map(UserId::from_bytes))?.collect()
            })
            .await
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<UserRecord> {
    let (login, password) = (row.get::<_, Option<String>>(4)?, row.get::<_, Option<String>>(5)?);
    let email: String = row.get(3)?;
    let password = password.map(PasswordHash::stored);
    let disabled = !is_flag(row.get_ref(6)?);
    let weak = password.as_ref().is_some_and(PasswordHash::is_weak);
    let [test, used] = [10, 11].map(|column| row.get_ref(column));
    let (test, used) = (!is_flag(test?), !is_flag(used?));
    let odd = [("disabled", disabled), ("password", weak), ("test", test), ("used", used)];
    let odd = odd.into_iter().filter(|(_, is_odd)| *is_odd);
    Ok(UserRecord {
        id: UserId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        former_names: names::parse(row.get_ref(2)?.as_str()?).map_err(unreadable)?,
        address_form: domain::login(&email),
        email,
        kind: kind(login.is_some()),
        login,
        has_password: password.as_ref().is_some_and(PasswordHash::is_usable),
        status: status(row.get(6)?),
        token_epoch: row.get(7)?,
        created_at: Timestamp::from_millis(row.get(8)?),
        address: row.get(9)?,
        test: row.get(10)?,
        used: row.get(11)?,
        odd: odd.map(|(name, _)| name.to_owned()).collect(),
    })
}

fn is_flag(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Integer(0 | 1))
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRecord> {
    let known: bool = row.get(4)?;
    Ok(SessionRecord {
        id: SessionId::from_bytes(row.get(0)?),
        user_id: UserId::from_bytes(row.get(1)?),
        refreshed_at: Timestamp::from_millis(row.get(2)?),
        expires_at: Timestamp::from_millis(row.get(3)?),
        kind: known.then(|| row.get(5).map(kind)).transpose()?,
        status: known.then(|| row.get(6).map(status)).transpose()?,
        user_created_at: known.then(|| row.get(7).map(Timestamp::from_millis)).transpose()?,
    })
}

/// A text of names that cannot be read.
fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(2, Type::Text, Box::new(error))
}

/// Gives a user another name, and keeps the one so far: orders were made with it.
pub(super) fn rename(connection: &Connection, id: UserId, name: &str) -> rusqlite::Result<()> {
    let select = "SELECT name, former_names FROM user WHERE id = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let found =
        statement.query_row([id.as_bytes()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let Some((before, former)) = found.optional()? else { return Ok(()) };
    let former = names::with_one_more(&former, before).map_err(unreadable)?;
    let update = "UPDATE user SET name = ?2, former_names = ?3 WHERE id = ?1";
    connection.prepare_cached(update)?.execute(params![id.as_bytes(), name, former]).map(|_| ())
}
