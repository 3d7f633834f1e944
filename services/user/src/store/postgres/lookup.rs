//! What the order path asks of users: one statement for all of them, and nothing is remembered, since another
//! instance may change what was read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_contract::UserId;
use ordersys_contract::user::UserSummary;
use ordersys_store::postgres::{PgResult, Row};
use ordersys_store::{StoreError, pg_params};

use super::Users;
use super::rows::{count, id, read, uuids};
use crate::store::codes::{kind, status};

const SELECT: &str = "SELECT id, name, login IS NOT NULL, disabled, token_epoch, test AND NOT used
                      FROM users.user WHERE id = ANY($1)";

/// What the order path needs of a user.
struct Found {
    summary: UserSummary,
    /// Whether no order may have been made for this user so far, who is test data.
    is_unused: bool,
}

impl Users {
    pub(crate) async fn summaries(
        &self,
        ids: Vec<UserId>,
        deadline: Deadline,
    ) -> Result<Vec<Option<UserSummary>>, StoreError> {
        if deadline.has_passed(Instant::now()) {
            return Err(StoreError::Late);
        }
        let keys: Arc<[_]> = uuids(&ids).into();
        let found = self.0.read(move |session| {
            let keys = keys.to_vec();
            Box::pin(async move {
                let rows = session.query(SELECT, pg_params![keys]).await?;
                rows.iter().map(found).collect::<PgResult<Vec<_>>>()
            })
        });
        let found = found.await?;
        let unused: Vec<_> = found.iter().filter(|user| user.is_unused).map(|user| user.summary.id).collect();
        let known: HashMap<_, _> = found.into_iter().map(|user| (user.summary.id, user.summary)).collect();
        let summaries = ids.iter().map(|id| known.get(id).cloned()).collect();
        if unused.is_empty() { Ok(summaries) } else { self.note_used(summaries, unused).await }
    }
}

fn found(row: &Row) -> PgResult<Found> {
    let summary = UserSummary {
        id: id(row, 0)?,
        name: read(row, 1)?,
        kind: kind(read(row, 2)?),
        status: status(read(row, 3)?),
        token_epoch: count(row, 4)?,
    };
    Ok(Found { summary, is_unused: read(row, 5)? })
}
