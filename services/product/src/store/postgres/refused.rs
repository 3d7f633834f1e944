//! Reservations that hold nothing and never will: kept in a short form, and not for ever.
//!
//! They answer late and repeated calls for their ids: a rejection stays one, and a tombstone keeps a late
//! reserve out. Such calls end within a second; these rows stay for minutes at least, by the database's clock.

use ordersys_contract::OrderId;
use ordersys_store::postgres::{PgResult, Row, Session};
use ordersys_store::retention::{BATCH, Id, Retention};
use ordersys_store::{StoreError, pg_params};
use uuid::Uuid;

use super::Tables;
use super::rows::id;
use crate::store::forms::number;

/// Rows that are looked at for a batch of those that may go.
const LOOK: u32 = 10 * BATCH;

impl Tables {
    pub(crate) async fn forget_refused(&self) -> Result<usize, StoreError> {
        let retention = self.retention;
        let last = self.store.scan(move |session| Box::pin(last_to_go(session, retention))).await?;
        let Some(last) = last else { return Ok(0) };
        let gone = self.store.write(move |session| Box::pin(forget(session, last, retention)));
        Ok(usize::try_from(gone.await?).unwrap_or(usize::MAX))
    }
}

/// The greatest id that may go, by the newest reservation and the newest refused one beyond the number of those that
/// are kept; `None` if none that is refused has such an id.
async fn last_to_go(session: &Session, retention: Retention) -> PgResult<Option<Id>> {
    let newest = "SELECT order_id FROM products.reservation ORDER BY order_id DESC LIMIT 1";
    let beyond = "SELECT order_id FROM products.reservation
                  WHERE state BETWEEN 2 AND 4 ORDER BY order_id DESC LIMIT 1 OFFSET $1";
    let oldest = "SELECT order_id FROM products.reservation
                  WHERE state BETWEEN 2 AND 4 ORDER BY order_id LIMIT 1";
    let Some(newest) = found(session.query_opt(newest, pg_params![]).await?)? else { return Ok(None) };
    let beyond = session.query_opt(beyond, pg_params![i64::from(retention.most)]).await?;
    let last = retention.last_to_go(newest, found(beyond)?);
    let oldest = found(session.query_opt(oldest, pg_params![]).await?)?;
    Ok(oldest.filter(|oldest| *oldest <= last).map(|_| last))
}

fn found(row: Option<Row>) -> PgResult<Option<Id>> {
    row.map(|row| id(&row, 0).map(|id: OrderId| number(id))).transpose()
}

/// Lets some of them go. Those that another replica is at, or that a call waits for, are left to it.
async fn forget(session: &Session, last: Id, retention: Retention) -> PgResult<u64> {
    let delete = "
        WITH gone AS MATERIALIZED (
            SELECT order_id FROM products.reservation WHERE order_id IN (
                    SELECT order_id FROM products.reservation
                    WHERE state BETWEEN 2 AND 4 AND order_id <= $1 ORDER BY order_id LIMIT $2)
                AND written < now() - $3 * interval '1 millisecond'
            ORDER BY order_id LIMIT $4 FOR UPDATE SKIP LOCKED)
        DELETE FROM products.reservation r USING gone WHERE r.order_id = gone.order_id";
    let settle = i64::try_from(retention.settle.as_millis()).unwrap_or(i64::MAX);
    let last = Uuid::from_bytes(last.to_be_bytes());
    session.execute(delete, pg_params![last, i64::from(LOOK), settle, i64::from(BATCH)]).await
}
