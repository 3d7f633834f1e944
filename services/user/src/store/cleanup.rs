//! Removing test data that no order needs.
//!
//! An order begins with a look-up of its user. Of a user that is test data this is noted before the look-up is
//! answered, and only users of whom it is not noted are removed, by the same writer. So a user who is gone was
//! never found for an order, and one who was found stays.

use std::collections::HashSet;
use std::time::Duration;

use ordersys_contract::test_data::{CLEANUP_ROWS, Cleaned, Cleanup};
use ordersys_contract::user::UserSummary;
use ordersys_contract::{Timestamp, UserId};
use ordersys_store::StoreError;
use ordersys_store::answers::{Answers, CommandId};
use rusqlite::{Connection, params};

use super::Users;

impl Users {
    /// Notes of these users, before it is answered, that they were looked up. Who is gone by then was not found.
    pub(super) async fn note_used(
        &self,
        mut summaries: Vec<Option<UserSummary>>,
        unused: Vec<UserId>,
    ) -> Result<Vec<Option<UserSummary>>, StoreError> {
        let gone = self.0.write(move |connection| note_used(connection, &unused)).await?;
        for summary in &mut summaries {
            summary.take_if(|summary| gone.contains(&summary.id));
        }
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
        Ok((UserId::from_bytes(row.get(0)?), row.get::<_, bool>(1)?, made))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let last = Timestamp::now().before(Duration::from_secs(step.older_than.into()));
    let mut cleaned = Cleaned { removed: 0, kept: 0, young: 0, next: None };
    for (id, used, made) in &rows {
        if *used {
            cleaned.kept += 1;
        } else if *made > last {
            cleaned.young += 1;
        } else {
            remove(connection, *id)?;
            cleaned.removed += 1;
        }
    }
    cleaned.next = rows.last().map(|(id, ..)| *id).filter(|_| rows.len() == CLEANUP_ROWS as usize);
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
