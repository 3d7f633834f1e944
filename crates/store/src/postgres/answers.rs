//! Answers to commands that must not be done twice, kept for minutes under an id that the caller made once.
//!
//! A commit whose outcome is unknown is settled by running its commands again. Most commands see by the rows they
//! wrote that they were done. Those that add something, or whose rows others may change at once, see it here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::fault::{PgError, PgResult};
use super::{Postgres, Transaction, get};
use crate::StoreError;
use crate::answers::CommandId;
use crate::pg_params;
use crate::retention::{BATCH, SETTLE};

/// The answers in the table `answered` of a schema:
/// `id uuid PRIMARY KEY, answer text NOT NULL, written timestamptz NOT NULL DEFAULT now()`.
#[derive(Debug, Clone, Copy)]
pub struct Answers {
    /// The schema.
    pub schema: &'static str,
}

impl Answers {
    /// What was answered to this command, if it was done. To be asked once the rows that it changes are locked: then
    /// an earlier run of it is over.
    ///
    /// # Errors
    /// The statement fails, or the answer is of another type.
    pub async fn find<T: DeserializeOwned>(
        self,
        transaction: &Transaction<'_>,
        id: CommandId,
    ) -> PgResult<Option<T>> {
        // Locked, so that the commit is one that waits for the standby, as that of the earlier run may not have.
        let select = format!("SELECT answer FROM {}.answered WHERE id = $1 FOR UPDATE", self.schema);
        let row = transaction.query_opt(select, pg_params![uuid(id)]).await?;
        let answer: Option<String> = row.map(|row| get(&row, 0)).transpose()?;
        answer.map(|answer| serde_json::from_str(&answer)).transpose().map_err(PgError::unreadable)
    }

    /// Keeps what is answered to this command, in the transaction that does it.
    ///
    /// # Errors
    /// The answer has no form in JSON. That the statement fails tells the commit.
    pub fn keep<T: Serialize>(
        self,
        transaction: &Transaction<'_>,
        id: CommandId,
        answer: &T,
    ) -> PgResult<()> {
        let answer = serde_json::to_string(answer).map_err(PgError::unreadable)?;
        let insert = format!("INSERT INTO {}.answered(id, answer) VALUES ($1, $2)", self.schema);
        transaction.execute(insert, pg_params![uuid(id), answer]);
        Ok(())
    }

    /// Lets answers go that were kept long enough, up to a number; returns how many. Any replica may do so.
    ///
    /// # Errors
    /// Nothing is gone, unless the outcome is unknown.
    pub async fn forget(self, store: &Postgres) -> Result<usize, StoreError> {
        let old = "written < now() - $1 * interval '1 millisecond'";
        let schema = self.schema;
        let settle = || i64::try_from(SETTLE.as_millis()).unwrap_or(i64::MAX);
        let some = store.read(|session| {
            let select = format!("SELECT EXISTS (SELECT 1 FROM {schema}.answered WHERE {old})");
            Box::pin(async move {
                let row = session.query_opt(select, pg_params![settle()]).await?;
                row.map_or(Ok(false), |row| get(&row, 0))
            })
        });
        if !some.await? {
            return Ok(0);
        }
        let gone = store.write(move |session| {
            let delete = format!(
                "WITH gone AS MATERIALIZED (
                     SELECT id FROM {schema}.answered WHERE {old} ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
                 DELETE FROM {schema}.answered a USING gone WHERE a.id = gone.id"
            );
            Box::pin(async move { session.execute(delete, pg_params![settle(), i64::from(BATCH)]).await })
        });
        let gone = gone.await?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}

fn uuid(id: CommandId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}
