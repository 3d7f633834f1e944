//! Users: making, reading and changing them.

use std::sync::Arc;

use futures_util::future::join;
use ordersys_contract::user::{User, UserStatus};
use ordersys_contract::{Timestamp, UserId};
use ordersys_store::postgres::{PgError, PgResult, Row, Session};
use ordersys_store::{StoreError, pg_params};

use super::rows::{By, Stored, id, locked, reach, read, save, stored, time, uuid};
use super::{Users, answers, sessions};
use crate::domain::{Role, login};
use crate::hasher::PasswordHash;
use crate::store::accounts::{Account, Change, Reached, Registration};
use crate::store::codes::status;
use crate::store::names;

/// What logging in needs of a registered user.
const ACCOUNT: &str = "SELECT id, email, name, password, disabled, login FROM users.user";

impl Users {
    pub(crate) async fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        let select = "SELECT created_at FROM users.user ORDER BY id DESC LIMIT 1";
        self.0
            .read(move |session| {
                Box::pin(async move {
                    let newest = session.query_opt(select, pg_params![]).await?;
                    newest.as_ref().map(|row| time(row, 0)).transpose()
                })
            })
            .await
    }

    pub(crate) async fn insert(
        &self,
        user: User,
        registration: Option<Registration>,
    ) -> Result<bool, StoreError> {
        let new = Arc::new((user, registration));
        self.0
            .write(move |session| {
                let new = Arc::clone(&new);
                Box::pin(async move { insert(session, &new.0, new.1.as_ref()).await })
            })
            .await
    }

    pub(crate) async fn get(&self, id: UserId, role: Role) -> Result<Reached<User>, StoreError> {
        let found = self.0.read(move |session| Box::pin(stored(session, id))).await?;
        Ok(reach(found, role).map(|stored| stored.user))
    }

    pub(crate) async fn by_login(&self, logins: [String; 2]) -> Result<Option<Account>, StoreError> {
        let known: Arc<[String]> = logins.iter().filter(|login| is_text(login)).cloned().collect();
        let found = self
            .0
            .read(move |session| {
                let known = known.to_vec();
                Box::pin(async move {
                    let select = format!("{ACCOUNT} WHERE login = ANY($1)");
                    let rows = session.query(select, pg_params![known]).await?;
                    rows.iter().map(|row| Ok((read(row, 5)?, account(row)?))).collect()
                })
            })
            .await?;
        let mut found: Vec<(String, Account)> = found;
        let first = logins.iter().find_map(|login| found.iter().position(|(own, _)| own == login));
        Ok(first.map(|first| found.swap_remove(first).1))
    }

    pub(crate) async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.0
            .read(move |session| {
                Box::pin(async move {
                    let select = format!("{ACCOUNT} WHERE id = $1 AND login IS NOT NULL");
                    let found = session.query_opt(select, pg_params![uuid(id)]).await?;
                    found.as_ref().map(account).transpose()
                })
            })
            .await
    }

    pub(crate) async fn change(
        &self,
        id: UserId,
        role: Role,
        change: Change,
    ) -> Result<Reached<Option<User>>, StoreError> {
        let change = Arc::new(change);
        self.0
            .write(move |session| {
                let change = Arc::clone(&change);
                Box::pin(async move { write_change(session, id, role, &change).await })
            })
            .await
    }

    pub(crate) async fn set_status(
        &self,
        id: UserId,
        status: UserStatus,
    ) -> Result<Reached<User>, StoreError> {
        self.0.write(move |session| Box::pin(write_status(session, id, status))).await
    }
}

/// Whether a text can be in a column: one that cannot is in no row.
pub(super) fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

fn account(row: &Row) -> PgResult<Account> {
    Ok(Account {
        id: id(row, 0)?,
        email: read(row, 1)?,
        name: read(row, 2)?,
        password: PasswordHash::stored(read(row, 3)?),
        status: status(read(row, 4)?),
    })
}

async fn insert(session: &Session, user: &User, registration: Option<&Registration>) -> PgResult<bool> {
    let insert =
        "INSERT INTO users.user(id, name, email, created_at, password, login, address, test, former_names)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '[]') ON CONFLICT DO NOTHING";
    let params = pg_params![
        uuid(user.id),
        user.name.clone(),
        user.email.clone(),
        user.created_at.as_millis(),
        registration.map(|registration| registration.password.as_str().to_owned()),
        registration.map(|registration| registration.login.clone()),
        login(&user.email),
        user.test,
    ];
    if session.execute(insert, params).await? == 1 {
        return Ok(true);
    }
    // The lock makes the answer wait until the user who is there is as durable as one who was just made.
    let known = "SELECT id FROM users.user WHERE id = $1 FOR UPDATE";
    Ok(session.query_opt(known, pg_params![uuid(user.id)]).await?.is_some())
}

async fn write_change(
    session: &Session,
    id: UserId,
    role: Role,
    change: &Change,
) -> PgResult<Reached<Option<User>>> {
    let transaction = session.begin();
    let found = locked(&transaction, By::Id(id));
    let (found, done) = join(found, answers::find(&transaction, change.command)).await;
    let (found, done) = (found?, done?);
    if done.is_some() {
        transaction.commit().await?;
        return Ok(Reached::Done(done));
    }
    let before = match reach(found, role) {
        Reached::Done(before) => before,
        Reached::NotFound => return Ok(Reached::NotFound),
        Reached::Revoked => return Ok(Reached::Revoked),
    };
    let Some(after) = changed(&before, change)? else { return Ok(Reached::Done(None)) };
    save(&transaction, &before, &after)?;
    if after.epoch != before.epoch {
        sessions::end_all(&transaction, id);
    }
    answers::keep(&transaction, change.command, &after.user)?;
    transaction.commit().await?;
    Ok(Reached::Done(Some(after.user)))
}

/// The user after a change; `None` if the password it replaces is not the stored one.
fn changed(before: &Stored, change: &Change) -> PgResult<Option<Stored>> {
    let mut after = before.clone();
    if let Some((old, new)) = &change.password {
        if before.password.as_ref() != Some(old) {
            return Ok(None);
        }
        after.password = Some(new.clone());
        after.epoch += 1;
    }
    if let Some(name) = &change.name {
        after.former_names = names::with_one_more(&before.former_names, before.user.name.clone())
            .map_err(PgError::unreadable)?;
        after.user.name.clone_from(name);
    }
    Ok(Some(after))
}

async fn write_status(session: &Session, id: UserId, status: UserStatus) -> PgResult<Reached<User>> {
    let transaction = session.begin();
    let Some(before) = locked(&transaction, By::Id(id)).await? else { return Ok(Reached::NotFound) };
    let mut after = before.clone();
    if before.user.status != status {
        after.user.status = status;
        if status == UserStatus::Disabled {
            after.epoch += 1;
            sessions::end_all(&transaction, id);
        }
        save(&transaction, &before, &after)?;
    }
    transaction.commit().await?;
    Ok(Reached::Done(after.user))
}
