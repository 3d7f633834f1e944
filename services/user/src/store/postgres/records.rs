//! What checks from outside read: users and sessions as they are stored.

use std::collections::HashMap;
use std::sync::Arc;

use ordersys_contract::evidence::{SessionRecord, UserRecord};
use ordersys_contract::{MAX_PAGE, SessionId, UserId};
use ordersys_store::postgres::{PgError, PgResult, Row};
use ordersys_store::{StoreError, pg_params};

use super::Users;
use super::rows::{behind, count, id, read, time, uuids};
use crate::domain;
use crate::hasher::PasswordHash;
use crate::store::codes::{kind, status};
use crate::store::names;

const SELECT: &str = "SELECT id, name, former_names, email, login, password, disabled, token_epoch, created_at, \
                      address, test, used FROM users.user";

impl Users {
    pub(crate) async fn records(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserRecord>, StoreError> {
        self.0
            .read(move |session| {
                Box::pin(async move {
                    let select = format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2");
                    let rows = session.query(select, pg_params![behind(after), i64::from(limit)]).await?;
                    rows.iter().map(record).collect()
                })
            })
            .await
    }

    pub(crate) async fn records_of(&self, ids: Vec<UserId>) -> Result<Vec<Option<UserRecord>>, StoreError> {
        let keys: Arc<[_]> = uuids(&ids).into();
        let found = self.0.read(move |session| {
            let keys = keys.to_vec();
            Box::pin(async move {
                let rows = session.query(format!("{SELECT} WHERE id = ANY($1)"), pg_params![keys]).await?;
                rows.iter().map(record).collect::<PgResult<Vec<_>>>()
            })
        });
        let found: HashMap<_, _> = found.await?.into_iter().map(|record| (record.id, record)).collect();
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    pub(crate) async fn sessions(
        &self,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let select = "SELECT s.id, s.user_id, s.refreshed_at, s.expires_at, u.id IS NOT NULL,
                             u.login IS NOT NULL, u.disabled, u.created_at
                      FROM users.session s LEFT JOIN users.user u ON u.id = s.user_id
                      WHERE s.id > $1 ORDER BY s.id LIMIT $2";
        self.0
            .read(move |connection| {
                Box::pin(async move {
                    let rows = connection.query(select, pg_params![behind(after), i64::from(limit)]).await?;
                    rows.iter().map(session).collect()
                })
            })
            .await
    }

    pub(crate) async fn unowned_networks(&self) -> Result<Vec<UserId>, StoreError> {
        let select = "SELECT DISTINCT user_id FROM users.network
                      WHERE NOT EXISTS (SELECT 1 FROM users.user WHERE id = user_id) LIMIT $1";
        self.0
            .scan(move |session| {
                Box::pin(async move {
                    let rows = session.query(select, pg_params![i64::from(MAX_PAGE)]).await?;
                    rows.iter().map(|row| id(row, 0)).collect()
                })
            })
            .await
    }
}

fn record(row: &Row) -> PgResult<UserRecord> {
    let (login, password): (Option<String>, Option<String>) = (read(row, 4)?, read(row, 5)?);
    let email: String = read(row, 3)?;
    let password = password.map(PasswordHash::stored);
    let is_weak = password.as_ref().is_some_and(PasswordHash::is_weak);
    Ok(UserRecord {
        id: id(row, 0)?,
        name: read(row, 1)?,
        former_names: names::parse(read(row, 2)?).map_err(PgError::unreadable)?,
        address_form: domain::login(&email),
        email,
        kind: kind(login.is_some()),
        login,
        has_password: password.as_ref().is_some_and(PasswordHash::is_usable),
        status: status(read(row, 6)?),
        token_epoch: count(row, 7)?,
        created_at: time(row, 8)?,
        address: read(row, 9)?,
        test: read(row, 10)?,
        used: read(row, 11)?,
        // The types of the other columns let nothing in that is never written.
        odd: is_weak.then(|| "password".to_owned()).into_iter().collect(),
    })
}

fn session(row: &Row) -> PgResult<SessionRecord> {
    let known: bool = read(row, 4)?;
    Ok(SessionRecord {
        id: id(row, 0)?,
        user_id: id(row, 1)?,
        refreshed_at: time(row, 2)?,
        expires_at: time(row, 3)?,
        kind: known.then(|| read(row, 5).map(kind)).transpose()?,
        status: known.then(|| read(row, 6).map(status)).transpose()?,
        user_created_at: known.then(|| time(row, 7)).transpose()?,
    })
}
