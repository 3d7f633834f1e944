//! Orders that were refused are not kept for ever. Their keys go with them.

use ordersys_store::postgres::{PgResult, Session, Uuid, get};
use ordersys_store::retention::{BATCH, Id, Retention};
use ordersys_store::{StoreError, pg_params};

use super::Orders;

impl Orders {
    pub(crate) async fn forget_refused(&self) -> Result<usize, StoreError> {
        let retention = self.retention;
        let ends =
            self.store().read(move |session| Box::pin(async move { last_to_go(session, retention).await }));
        let Some(last) = ends.await? else { return Ok(0) };
        let settle = i64::try_from(retention.settle.as_millis()).unwrap_or(i64::MAX);
        self.store().write(move |session| Box::pin(async move { forget(session, last, settle).await })).await
    }
}

/// The last refused order that may go, if there is one.
async fn last_to_go(session: &Session, retention: Retention) -> PgResult<Option<Uuid>> {
    let select = "SELECT (SELECT id FROM orders.placed ORDER BY id DESC LIMIT 1),
                         (SELECT id FROM orders.placed WHERE state IN (5, 7, 10) ORDER BY id LIMIT 1),
                         (SELECT id FROM orders.placed WHERE state IN (5, 7, 10) ORDER BY id DESC LIMIT 1 OFFSET $1)";
    let Some(row) = session.query_opt(select, pg_params![i64::from(retention.most)]).await? else {
        return Ok(None);
    };
    let id = |column| PgResult::Ok(get::<Option<Uuid>>(&row, column)?.map(|id| id.as_u128()));
    let (Some(newest), Some(oldest), beyond): (Option<Id>, Option<Id>, _) = (id(0)?, id(1)?, id(2)?) else {
        return Ok(None);
    };
    let last = retention.last_to_go(newest, beyond);
    Ok((oldest <= last).then(|| Uuid::from_u128(last)))
}

/// Lets some of them go that were written long enough ago. To do it again does no harm.
async fn forget(session: &Session, last: Uuid, settle: i64) -> PgResult<usize> {
    let delete = "
        WITH old AS (
            SELECT id FROM orders.placed WHERE state IN (5, 7, 10) AND id <= $1
            AND written < now() - $2 * interval '1 ms' ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED),
        gone AS (DELETE FROM orders.placed WHERE id IN (SELECT id FROM old) RETURNING id, user_id, key),
        freed AS (
            DELETE FROM orders.keys k USING gone
            WHERE k.key = gone.key AND k.user_id = gone.user_id AND k.order_id = gone.id)
        SELECT count(*) FROM gone";
    let row = session.query_opt(delete, pg_params![last, settle, i64::from(BATCH)]).await?;
    let gone: i64 = row.map_or(Ok(0), |row| get(&row, 0))?;
    Ok(usize::try_from(gone).unwrap_or(0))
}
