//! Sessions: one row for each login that is still good, with the hash of its newest refresh token.
//!
//! A session is written under the lock of its user's row. What sweeps through all sessions leaves out those that are
//! locked at the moment, so that it waits for no user.

use std::sync::Arc;

use futures_util::future::{join, join3};
use ordersys_contract::user::UserStatus;
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_store::answers::CommandId;
use ordersys_store::postgres::{PgResult, Session, Transaction};
use ordersys_store::{StoreError, pg_params};

use super::rows::{By, Stored, id, locked, read, save, time, uuid};
use super::{Users, answers, networks};
use crate::store::sessions::{Begun, MAX_SESSIONS, NewLogin, Rotated, Rotation, SWEEP_ROWS, TokenHash};

impl Users {
    pub(crate) async fn begin_session(&self, login: NewLogin) -> Result<Begun, StoreError> {
        let login = Arc::new(login);
        self.0
            .write(move |session| {
                let login = Arc::clone(&login);
                Box::pin(async move { begin(session, &login).await })
            })
            .await
    }

    pub(crate) async fn rotate(&self, rotation: Rotation) -> Result<Rotated, StoreError> {
        let rotation = Arc::new(rotation);
        self.0
            .write(move |session| {
                let rotation = Arc::clone(&rotation);
                Box::pin(async move { rotate(session, &rotation).await })
            })
            .await
    }

    pub(crate) async fn end_session(
        &self,
        session: SessionId,
        user: UserId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        let end = (session, user, epoch);
        self.0.write(move |connection| Box::pin(end_one(connection, end))).await
    }

    pub(crate) async fn end_sessions(
        &self,
        command: CommandId,
        user: UserId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        self.0.write(move |session| Box::pin(end_of_user(session, command, user, epoch))).await
    }

    pub(crate) async fn shorten(&self, now: Timestamp, latest: Timestamp) -> Result<(), StoreError> {
        let update = "UPDATE users.session SET refreshed_at = $1, expires_at = $2 WHERE id IN
                      (SELECT id FROM users.session WHERE expires_at > $2 FOR UPDATE SKIP LOCKED)";
        let times = [now, latest].map(Timestamp::as_millis);
        self.0
            .write(move |session| {
                let [now, latest] = times;
                Box::pin(async move { session.execute(update, pg_params![now, latest]).await.map(|_| ()) })
            })
            .await
    }

    pub(crate) async fn session_lives(
        &self,
        session: SessionId,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let select = "SELECT 1 FROM users.session WHERE id = $1 AND token = $2 AND expires_at > $3";
        self.0
            .read(move |connection| {
                Box::pin(async move {
                    let params = pg_params![uuid(session), token.to_vec(), now.as_millis()];
                    Ok(connection.query_opt(select, params).await?.is_some())
                })
            })
            .await
    }

    pub(crate) async fn forget_expired(&self, now: Timestamp) -> Result<usize, StoreError> {
        let delete = "DELETE FROM users.session WHERE id IN
                      (SELECT id FROM users.session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
                       FOR UPDATE SKIP LOCKED)";
        let deleted = self.0.write(move |session| {
            let params = pg_params![now.as_millis(), i64::from(SWEEP_ROWS)];
            Box::pin(session.execute(delete, params))
        });
        Ok(usize::try_from(deleted.await?).unwrap_or(usize::MAX))
    }
}

/// Ends all sessions of a user whose row is locked.
pub(super) fn end_all(transaction: &Transaction<'_>, user: UserId) {
    transaction.execute("DELETE FROM users.session WHERE user_id = $1", pg_params![uuid(user)]);
}

fn end(transaction: &Transaction<'_>, session: SessionId, user: UserId) {
    let delete = "DELETE FROM users.session WHERE id = $1 AND user_id = $2";
    transaction.execute(delete, pg_params![uuid(session), uuid(user)]);
}

async fn begin(session: &Session, login: &NewLogin) -> PgResult<Begun> {
    let transaction = session.begin();
    let known = "SELECT 1 FROM users.session WHERE id = $1";
    let known = transaction.query_opt(known, pg_params![uuid(login.session)]);
    let (user, known) = join(locked(&transaction, By::Id(login.user)), known).await;
    let (user, known) = (user?, known?);
    let Some(before) = user else { return Ok(Begun::PasswordChanged) };
    if known.is_some() {
        transaction.commit().await?;
        return Ok(Begun::Done { epoch: before.epoch });
    }
    if before.password.as_ref() != Some(&login.checked) {
        return Ok(Begun::PasswordChanged);
    }
    if before.user.status != UserStatus::Active {
        return Ok(Begun::Disabled);
    }
    if login.better.is_some() {
        save(&transaction, &before, &Stored { password: login.better.clone(), ..before.clone() })?;
    }
    add(&transaction, login);
    networks::remember(&transaction, login.user, login.network, login.now);
    transaction.commit().await?;
    Ok(Begun::Done { epoch: before.epoch })
}

/// Adds a session; of too many the one goes that was idle longest.
fn add(transaction: &Transaction<'_>, login: &NewLogin) {
    let insert = "INSERT INTO users.session(id, user_id, token, refreshed_at, expires_at)
                  VALUES ($1, $2, $3, $4, $5)";
    let params = pg_params![
        uuid(login.session),
        uuid(login.user),
        login.token.to_vec(),
        login.now.as_millis(),
        login.expires.as_millis(),
    ];
    transaction.execute_exactly(1, insert, params);
    let surplus = "DELETE FROM users.session WHERE id IN
                   (SELECT id FROM users.session WHERE user_id = $1 ORDER BY refreshed_at DESC, id DESC OFFSET $2)";
    transaction.execute(surplus, pg_params![uuid(login.user), i64::from(MAX_SESSIONS)]);
}

/// A session as it is when its user's row is locked.
struct Newest {
    user: UserId,
    token: Vec<u8>,
}

async fn newest(transaction: &Transaction<'_>, rotation: &Rotation) -> PgResult<Option<Newest>> {
    let select = "SELECT user_id, token, expires_at FROM users.session WHERE id = $1 FOR UPDATE";
    let found = transaction.query_opt(select, pg_params![uuid(rotation.session)]).await?;
    let Some(row) = found else { return Ok(None) };
    let newest = Newest { user: id(&row, 0)?, token: read(&row, 1)? };
    Ok(Some(newest).filter(|_| time(&row, 2).is_ok_and(|expires| expires > rotation.now)))
}

async fn rotate(session: &Session, rotation: &Rotation) -> PgResult<Rotated> {
    let transaction = session.begin();
    let user = locked(&transaction, By::Session(rotation.session));
    let done = answers::find::<UserId>(&transaction, rotation.command);
    let (user, newest, done) = join3(user, newest(&transaction, rotation), done).await;
    let (user, newest, done) = (user?, newest?, done?);
    let Some(newest) = newest else {
        transaction.commit().await?;
        return Ok(done.map_or(Rotated::Ended, |user| Rotated::Reused { user }));
    };
    // The new token is known to this rotation alone: if it is the newest one, this was done.
    if newest.token != rotation.old && newest.token != rotation.new {
        revoke(&transaction, user.as_ref(), &newest, rotation)?;
        transaction.commit().await?;
        return Ok(Rotated::Reused { user: newest.user });
    }
    let Some(user) = user.filter(|stored| stored.user.status == UserStatus::Active) else {
        return Ok(Rotated::Ended);
    };
    replace(&transaction, rotation);
    transaction.commit().await?;
    Ok(Rotated::Done { user: user.user.id, epoch: user.epoch })
}

/// Ends a session whose used token came again. Tokens of other sessions are revoked too, but those sessions can be
/// refreshed.
fn revoke(
    transaction: &Transaction<'_>,
    user: Option<&Stored>,
    newest: &Newest,
    rotation: &Rotation,
) -> PgResult<()> {
    if let Some(before) = user {
        save(transaction, before, &Stored { epoch: before.epoch + 1, ..before.clone() })?;
    }
    end(transaction, rotation.session, newest.user);
    answers::keep(transaction, rotation.command, &newest.user)
}

fn replace(transaction: &Transaction<'_>, rotation: &Rotation) {
    let update = "UPDATE users.session SET token = $2, refreshed_at = $3, expires_at = $4
                  WHERE id = $1 AND token IN ($2, $5)";
    let params = pg_params![
        uuid(rotation.session),
        rotation.new.to_vec(),
        rotation.now.as_millis(),
        rotation.expires.as_millis(),
        rotation.old.to_vec(),
    ];
    transaction.execute_exactly(1, update, params);
}

async fn end_one(session: &Session, (ended, user, epoch): (SessionId, UserId, u64)) -> PgResult<bool> {
    let transaction = session.begin();
    let found = locked(&transaction, By::Id(user)).await?;
    let is_fresh = found.is_some_and(|stored| stored.epoch == epoch);
    if is_fresh {
        end(&transaction, ended, user);
    }
    transaction.commit().await?;
    Ok(is_fresh)
}

async fn end_of_user(session: &Session, command: CommandId, user: UserId, epoch: u64) -> PgResult<bool> {
    let transaction = session.begin();
    let found = locked(&transaction, By::Id(user));
    let (found, done) = join(found, answers::find::<bool>(&transaction, command)).await;
    let (found, done) = (found?, done?);
    let is_fresh = found.filter(|stored| stored.epoch == epoch);
    if let (Some(before), None) = (&is_fresh, done) {
        save(&transaction, before, &Stored { epoch: before.epoch + 1, ..before.clone() })?;
        end_all(&transaction, user);
        answers::keep(&transaction, command, &true)?;
    }
    transaction.commit().await?;
    Ok(done.unwrap_or(is_fresh.is_some()))
}
