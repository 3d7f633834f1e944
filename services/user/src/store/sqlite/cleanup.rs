//! Removing test data that no order needs.

use std::collections::HashSet;

use ordersys_contract::test_data::{CLEANUP_ROWS, Cleaned, Cleanup};
use ordersys_contract::user::UserSummary;
use ordersys_contract::{Timestamp, UserId};
use ordersys_store::StoreError;
use ordersys_store::answers::{Answers, CommandId};
use rusqlite::{Connection, params};

use super::Users;
use crate::store::cleanup::{self, Candidate, Sorted};

impl Users {
    /// Notes of these users, before it is answered, that they were looked up. Who is gone by then was not found.
    pub(super) async fn note_used(
        &self,
        mut summaries: Vec<Option<UserSummary>>,
        unused: Vec<UserId>,
    ) -> Result<Vec<Option<UserSummary>>, StoreError> {
        let gone = self.0.write(move |connection| note_used(connection, &unused)).await?;
        cleanup::take_gone(&mut summaries, &gone);
        Ok(summaries)
    }

    /// Removes some of the users that are test data and never looked up for an order, with their sessions.
    pub(crate) async fn clean_up(
        &self,
        command: CommandId,
        step: Cleanup<UserId>,
    ) -> Result<Cleaned<UserId>, StoreError> {
        let answers = self.2.clone();
        self.0
            .write(move |connection| {
                if let Some(done) = Answers::find(connection, command)? {
                    return Ok(done);
                }
                let cleaned = clean_up(connection, &step)?;
                answers.keep(connection, command, &cleaned)?;
                Ok(cleaned)
            })
            .await
    }
}

fn note_used(connection: &Connection, users: &[UserId]) -> rusqlite::Result<HashSet<UserId>> {
    let mut note = connection.prepare_cached("UPDATE user SET used = 1 WHERE id = ?1 AND test = 1")?;
    let mut gone = HashSet::new();
    for user in users {
        if note.execute([user.as_bytes()])? == 0 {
            gone.insert(*user);
        }
    }
    Ok(gone)
}

fn clean_up(connection: &Connection, step: &Cleanup<UserId>) -> rusqlite::Result<Cleaned<UserId>> {
    let select = "SELECT id, used, created_at FROM user INDEXED BY test_user
                  WHERE test = 1 AND id > ?1 ORDER BY id LIMIT ?2";
    let after = step.after.as_ref().map_or(&[][..], |id| id.as_bytes());
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_map(params![after, CLEANUP_ROWS], |row| {
        let made = Timestamp::from_millis(row.get(2)?);
        Ok(Candidate { id: UserId::from_bytes(row.get(0)?), used: row.get(1)?, made })
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let Sorted { cleaned, removed } = cleanup::sorted(&rows, step, Timestamp::now());
    for id in removed {
        remove(connection, id)?;
    }
    Ok(cleaned)
}

fn remove(connection: &Connection, id: UserId) -> rusqlite::Result<()> {
    for delete in [
        "DELETE FROM session WHERE user_id = ?1",
        "DELETE FROM network WHERE user_id = ?1",
        "DELETE FROM user WHERE id = ?1",
    ] {
        connection.prepare_cached(delete)?.execute([id.as_bytes()])?;
    }
    Ok(())
}
