//! Removing test data that no order needs, each user under the lock of its row.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join;
use ordersys_contract::test_data::{CLEANUP_ROWS, Cleaned, Cleanup};
use ordersys_contract::user::UserSummary;
use ordersys_contract::{Timestamp, UserId};
use ordersys_store::answers::CommandId;
use ordersys_store::postgres::{PgResult, Row, Session, Transaction};
use ordersys_store::{StoreError, pg_params};

use super::rows::{behind, id, read, time, uuids};
use super::{Users, answers};
use crate::store::cleanup::{self, Candidate, Sorted};

impl Users {
    /// Notes of these users, before it is answered, that they were looked up. Who is gone by then was not found.
    pub(super) async fn note_used(
        &self,
        mut summaries: Vec<Option<UserSummary>>,
        unused: Vec<UserId>,
    ) -> Result<Vec<Option<UserSummary>>, StoreError> {
        let noted =
            "WITH found AS (SELECT id FROM users.user WHERE id = ANY($1) AND test ORDER BY id FOR UPDATE)
                     UPDATE users.user AS u SET used = true FROM found WHERE u.id = found.id
                     RETURNING found.id";
        let keys: Arc<[_]> = uuids(&unused).into();
        let there = self.0.write(move |session| {
            let keys = keys.to_vec();
            Box::pin(async move {
                let rows = session.query(noted, pg_params![keys]).await?;
                rows.iter().map(|row| id(row, 0)).collect::<PgResult<HashSet<UserId>>>()
            })
        });
        let there = there.await?;
        let gone = unused.into_iter().filter(|user| !there.contains(user)).collect();
        cleanup::take_gone(&mut summaries, &gone);
        Ok(summaries)
    }

    pub(crate) async fn clean_up(
        &self,
        command: CommandId,
        step: Cleanup<UserId>,
    ) -> Result<Cleaned<UserId>, StoreError> {
        self.0.write(move |session| Box::pin(clean_up(session, command, step))).await
    }
}

async fn clean_up(session: &Session, command: CommandId, step: Cleanup<UserId>) -> PgResult<Cleaned<UserId>> {
    let select = "SELECT id, used, created_at, (extract(epoch FROM now()) * 1000)::int8 FROM users.user
                  WHERE test AND id > $1 ORDER BY id LIMIT $2 FOR UPDATE";
    let transaction = session.begin();
    let rows = transaction.query(select, pg_params![behind(step.after), i64::from(CLEANUP_ROWS)]);
    let (rows, done) = join(rows, answers::find(&transaction, command)).await;
    let (rows, done) = (rows?, done?);
    let cleaned = if let Some(done) = done {
        done
    } else {
        let candidates = rows.iter().map(candidate).collect::<PgResult<Vec<_>>>()?;
        // All are as old as the database says.
        let now = rows.first().map_or(Ok(Timestamp::from_millis(0)), |row| time(row, 3))?;
        let Sorted { cleaned, removed } = cleanup::sorted(&candidates, &step, now);
        remove(&transaction, &removed);
        answers::keep(&transaction, command, &cleaned)?;
        cleaned
    };
    transaction.commit().await?;
    Ok(cleaned)
}

fn candidate(row: &Row) -> PgResult<Candidate> {
    Ok(Candidate { id: id(row, 0)?, used: read(row, 1)?, made: time(row, 2)? })
}

fn remove(transaction: &Transaction<'_>, users: &[UserId]) {
    for delete in [
        "DELETE FROM users.session WHERE user_id = ANY($1)",
        "DELETE FROM users.network WHERE user_id = ANY($1)",
    ] {
        transaction.execute(delete, pg_params![uuids(users)]);
    }
    let delete = "DELETE FROM users.user WHERE id = ANY($1)";
    transaction.execute_exactly(users.len(), delete, pg_params![uuids(users)]);
}
