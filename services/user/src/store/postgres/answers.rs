//! Answers to commands that must not be done twice, kept for minutes under an id that the caller made once.

use ordersys_store::StoreError;
use ordersys_store::answers::CommandId;
use ordersys_store::pg_params;
use ordersys_store::postgres::{PgError, PgResult, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Users;
use super::rows::{read, uuid};

/// Answers that go in one transaction.
const SWEEP_ROWS: i64 = 500;

/// What was answered to this command, if it was done. The lock on it makes the commit wait for what it repeats to be
/// as durable as anything else.
pub(super) async fn find<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    id: CommandId,
) -> PgResult<Option<T>> {
    let select = "SELECT answer FROM users.answered WHERE id = $1 FOR UPDATE";
    let found = transaction.query_opt(select, pg_params![uuid(id)]).await?;
    let parse = |row| {
        let answer: String = read(&row, 0)?;
        serde_json::from_str(&answer).map_err(PgError::unreadable)
    };
    found.map(parse).transpose()
}

/// Keeps what is answered to this command, in the transaction that does it.
pub(super) fn keep<T: Serialize>(transaction: &Transaction<'_>, id: CommandId, answer: &T) -> PgResult<()> {
    let answer = serde_json::to_string(answer).map_err(PgError::unreadable)?;
    let insert = "INSERT INTO users.answered(id, answer) VALUES ($1, $2)";
    transaction.execute(insert, pg_params![uuid(id), answer]);
    Ok(())
}

impl Users {
    pub(crate) async fn forget_answers(&self) -> Result<usize, StoreError> {
        // A command is run again for half a minute at most. The time is that of the database.
        let delete = "DELETE FROM users.answered WHERE id IN
                      (SELECT id FROM users.answered WHERE at < now() - interval '2 minutes'
                       ORDER BY at LIMIT $1 FOR UPDATE SKIP LOCKED)";
        self.deleted(delete, SWEEP_ROWS).await
    }

    async fn deleted(&self, delete: &'static str, most: i64) -> Result<usize, StoreError> {
        let deleted =
            self.0.write(move |session| Box::pin(session.execute(delete, pg_params![most]))).await?;
        Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
    }
}
