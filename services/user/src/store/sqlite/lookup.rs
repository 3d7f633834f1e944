//! What the order path asks of users.

use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_contract::UserId;
use ordersys_contract::user::UserSummary;
use ordersys_store::StoreError;
use rusqlite::{Connection, OptionalExtension};

use super::Users;
use crate::store::codes::{kind, status};

impl Users {
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
        let found = self.0.read(move |connection| summaries(connection, &ids, deadline)).await?;
        let Found { summaries, unused } = found.ok_or(StoreError::Late)?;
        let found = if unused.is_empty() { summaries } else { self.note_used(summaries, unused).await? };
        self.1.keep(reading, &found);
        Ok(found)
    }
}

/// What the order path needs of users, and those of them of whom no order may have been made so far.
struct Found {
    summaries: Vec<Option<UserSummary>>,
    unused: Vec<UserId>,
}

/// Reads what the order path needs; `None` past its deadline.
fn summaries(connection: &Connection, ids: &[UserId], deadline: Deadline) -> rusqlite::Result<Option<Found>> {
    if deadline.has_passed(Instant::now()) {
        return Ok(None);
    }
    let select = "SELECT name, login IS NOT NULL, disabled, token_epoch, test > used FROM user WHERE id = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let mut unused = Vec::new();
    let mut summary = |id: &UserId| {
        let found = statement.query_row([id.as_bytes()], |row| {
            if row.get(4)? {
                unused.push(*id);
            }
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
    let summaries = ids.iter().map(&mut summary).collect::<rusqlite::Result<_>>()?;
    Ok(Some(Found { summaries, unused }))
}
