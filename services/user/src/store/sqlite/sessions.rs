//! Sessions: one row for each login that is still good, with the hash of its newest refresh token.
//!
//! The row's id is part of every refresh token of the session, so a token that is not the newest
//! is known as an old one without keeping the old ones.

use ordersys_contract::user::UserStatus;
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_store::StoreError;
use ordersys_store::answers::{Answers, CommandId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Users, networks};
use crate::store::codes::status;
use crate::store::sessions::{Begun, MAX_SESSIONS, NewLogin, Rotated, Rotation, SWEEP_ROWS, TokenHash};

impl Users {
    pub(crate) async fn begin_session(&self, login: NewLogin) -> Result<Begun, StoreError> {
        self.0.write(move |connection| begin(connection, &login)).await
    }

    pub(crate) async fn rotate(&self, rotation: Rotation) -> Result<Rotated, StoreError> {
        let (users, answers) = (self.clone(), self.2.clone());
        // A caller that goes away must not keep a revocation from being noticed.
        let write = async move {
            let rotated = users.0.write(move |connection| rotate(connection, &answers, &rotation)).await;
            if let Ok(Rotated::Reused { user }) = &rotated {
                users.1.forget(*user);
            }
            rotated
        };
        tokio::spawn(write).await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Ends a session of a user whose token is of this epoch; `false` if it is of an earlier one.
    pub(crate) async fn end_session(
        &self,
        session: SessionId,
        user: UserId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        self.0
            .write(move |connection| {
                let fresh = epoch_of(connection, user)?.is_some_and(|(now, _)| now == epoch);
                if fresh {
                    let delete = "DELETE FROM session WHERE id = ?1 AND user_id = ?2";
                    connection.prepare_cached(delete)?.execute([session.as_bytes(), user.as_bytes()])?;
                }
                Ok(fresh)
            })
            .await
    }

    /// Ends all sessions and tokens of a user whose token is of this epoch; `false` if it is not.
    pub(crate) async fn end_sessions(
        &self,
        command: CommandId,
        user: UserId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        let answers = self.2.clone();
        self.write_of(user, move |connection| {
            if let Some(done) = Answers::find(connection, command)? {
                return Ok(done);
            }
            let fresh = epoch_of(connection, user)?.is_some_and(|(now, _)| now == epoch);
            if fresh {
                revoke_all(connection, user)?;
                answers.keep(connection, command, &fresh)?;
            }
            Ok(fresh)
        })
        .await
    }

    /// Lets no session be refreshed later than `now`, or last longer than until `latest`.
    pub(crate) async fn shorten(&self, now: Timestamp, latest: Timestamp) -> Result<(), StoreError> {
        let update = "UPDATE session SET refreshed_at = ?1, expires_at = ?2 WHERE expires_at > ?2";
        let row = [now.as_millis(), latest.as_millis()];
        self.0.write(move |connection| connection.prepare_cached(update)?.execute(row).map(|_| ())).await
    }

    /// Whether this is the newest token of a session that lasts.
    pub(crate) async fn session_lives(
        &self,
        session: SessionId,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let select = "SELECT count(*) FROM session WHERE id = ?1 AND token = ?2 AND expires_at > ?3";
        self.0
            .read(move |connection| {
                let row = params![session.as_bytes(), token, now.as_millis()];
                connection.prepare_cached(select)?.query_row(row, |row| row.get(0))
            })
            .await
    }

    /// Forgets sessions that are over, up to a number at a time. Returns how many.
    pub(crate) async fn forget_expired(&self, now: Timestamp) -> Result<usize, StoreError> {
        let delete = "DELETE FROM session WHERE id IN
                      (SELECT id FROM session WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
        self.0
            .write(move |connection| {
                connection.prepare_cached(delete)?.execute(params![now.as_millis(), SWEEP_ROWS])
            })
            .await
    }
}

/// Makes all tokens and sessions of a user useless.
pub(super) fn revoke_all(connection: &Connection, user: UserId) -> rusqlite::Result<()> {
    let raise = "UPDATE user SET token_epoch = token_epoch + 1 WHERE id = ?1";
    connection.prepare_cached(raise)?.execute([user.as_bytes()])?;
    connection.prepare_cached("DELETE FROM session WHERE user_id = ?1")?.execute([user.as_bytes()])?;
    Ok(())
}

fn epoch_of(connection: &Connection, user: UserId) -> rusqlite::Result<Option<(u64, UserStatus)>> {
    let select = "SELECT token_epoch, disabled FROM user WHERE id = ?1";
    let mut statement = connection.prepare_cached(select)?;
    statement.query_row([user.as_bytes()], |row| Ok((row.get(0)?, status(row.get(1)?)))).optional()
}

fn begin(connection: &Connection, login: &NewLogin) -> rusqlite::Result<Begun> {
    let known = "SELECT token_epoch FROM session JOIN user ON user.id = user_id WHERE session.id = ?1";
    let mut known = connection.prepare_cached(known)?;
    if let Some(epoch) = known.query_row([login.session.as_bytes()], |row| row.get(0)).optional()? {
        return Ok(Begun::Done { epoch });
    }
    let password = login.better.as_ref().unwrap_or(&login.checked).as_str();
    let update = "UPDATE user SET password = ?3 WHERE id = ?1 AND password = ?2";
    let row = params![login.user.as_bytes(), login.checked.as_str(), password];
    if connection.prepare_cached(update)?.execute(row)? == 0 {
        return Ok(Begun::PasswordChanged);
    }
    let Some((epoch, UserStatus::Active)) = epoch_of(connection, login.user)? else {
        return Ok(Begun::Disabled);
    };
    let insert =
        "INSERT INTO session(id, user_id, token, refreshed_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(insert)?.execute(params![
        login.session.as_bytes(),
        login.user.as_bytes(),
        login.token,
        login.now.as_millis(),
        login.expires.as_millis(),
    ])?;
    let surplus = "DELETE FROM session WHERE id IN
                   (SELECT id FROM session WHERE user_id = ?1 ORDER BY refreshed_at DESC, id DESC
                    LIMIT -1 OFFSET ?2)";
    connection.prepare_cached(surplus)?.execute(params![login.user.as_bytes(), MAX_SESSIONS])?;
    networks::remember(connection, login.user, login.network, login.now)?;
    Ok(Begun::Done { epoch })
}

fn rotate(connection: &Connection, answers: &Answers, rotation: &Rotation) -> rusqlite::Result<Rotated> {
    let select = "SELECT user_id, token FROM session WHERE id = ?1 AND expires_at > ?2";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement
        .query_row(params![rotation.session.as_bytes(), rotation.now.as_millis()], |row| {
            Ok((UserId::from_bytes(row.get(0)?), row.get::<_, TokenHash>(1)?))
        })
        .optional()?;
    let Some((user, newest)) = found else {
        let revoked = Answers::find(connection, rotation.command)?;
        return Ok(revoked.map_or(Rotated::Ended, |user| Rotated::Reused { user }));
    };
    // The new token is known to this rotation alone: if it is the newest one, this was done.
    if newest != rotation.old && newest != rotation.new {
        // Tokens of other sessions are revoked too, but those sessions can be refreshed.
        let raise = "UPDATE user SET token_epoch = token_epoch + 1 WHERE id = ?1";
        connection.prepare_cached(raise)?.execute([user.as_bytes()])?;
        connection
            .prepare_cached("DELETE FROM session WHERE id = ?1")?
            .execute([rotation.session.as_bytes()])?;
        answers.keep(connection, rotation.command, &user)?;
        return Ok(Rotated::Reused { user });
    }
    let Some((epoch, UserStatus::Active)) = epoch_of(connection, user)? else { return Ok(Rotated::Ended) };
    let update = "UPDATE session SET token = ?2, refreshed_at = ?3, expires_at = ?4 WHERE id = ?1";
    connection.prepare_cached(update)?.execute(params![
        rotation.session.as_bytes(),
        rotation.new,
        rotation.now.as_millis(),
        rotation.expires.as_millis(),
    ])?;
    Ok(Rotated::Done { user, epoch })
}
