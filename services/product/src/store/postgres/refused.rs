//! Reservations that hold nothing and never will: kept in a short form, and not for ever.
//!
//! They answer late and repeated calls for their ids: a rejection stays one, and a tombstone keeps a late
//! reserve out. Such calls end within a second; these rows stay for minutes at least, by the database's clock.

use std::sync::Arc;

use ordersys_contract::OrderId;
use ordersys_store::postgres::{PgResult, Row, Session};
use ordersys_store::retention::{BATCH, Id, Retention};
use ordersys_store::{StoreError, pg_params};
use uuid::Uuid;

use super::Tables;
use super::rows::{id, uuids};
use crate::store::forms::number;

/// Rows that are looked at for a batch of those that may go.
const LOOK: u32 = 10 * BATCH;
/// Whether a row has stayed for the time that all stay, which is the last parameter in milliseconds.
const SETTLED: &str = "written < now() - $2 * interval '1 millisecond'";

impl Tables {
    /// Any replica may do so.
    pub(crate) async fn forget_refused(&self) -> Result<usize, StoreError> {
        let retention = self.retention;
        let old = Arc::new(self.store.scan(move |session| Box::pin(old(session, retention))).await?);
        if old.is_empty() {
            return Ok(0);
        }
        let forget = self.store.write(move |session| {
            let old = Arc::clone(&old);
            Box::pin(async move { forget(session, &old, retention).await })
        });
        Ok(usize::try_from(forget.await?).unwrap_or(usize::MAX))
    }
}

/// Some of those that may go: by the newest reservation, and the newest refused one beyond the number of those that are
/// kept.
async fn old(session: &Session, retention: Retention) -> PgResult<Vec<OrderId>> {
    let newest = "SELECT order_id FROM products.reservation ORDER BY order_id DESC LIMIT 1";
    let beyond = "SELECT order_id FROM products.reservation
                  WHERE state BETWEEN 2 AND 4 ORDER BY order_id DESC LIMIT 1 OFFSET $1";
    let select = format!(
        "SELECT order_id FROM (
             SELECT order_id, written FROM products.reservation
             WHERE state BETWEEN 2 AND 4 AND order_id <= $1 ORDER BY order_id LIMIT $3) looked
         WHERE {SETTLED} ORDER BY order_id LIMIT $4"
    );
    let found = |row: Option<Row>| row.map(|row| id(&row, 0)).transpose();
    let newest = found(session.query_opt(newest, pg_params![]).await?)?;
    let Some(newest) = newest.map(number) else { return Ok(Vec::new()) };
    let beyond = found(session.query_opt(beyond, pg_params![i64::from(retention.most)]).await?)?;
    let last = retention.last_to_go(newest, beyond.map(number));
    let last = Uuid::from_bytes(Id::to_be_bytes(last));
    let params = pg_params![last, settle(retention), i64::from(LOOK), i64::from(BATCH)];
    session.query(select, params).await?.iter().map(|row| id(row, 0)).collect()
}

/// Lets them go. Those that another replica is at, or that a call waits for, are left to it.
async fn forget(session: &Session, old: &[OrderId], retention: Retention) -> PgResult<u64> {
    let delete = format!(
        "WITH gone AS MATERIALIZED (
             SELECT order_id FROM products.reservation
             WHERE order_id = ANY($1) AND state BETWEEN 2 AND 4 AND {SETTLED}
             ORDER BY order_id FOR UPDATE SKIP LOCKED)
         DELETE FROM products.reservation r USING gone WHERE r.order_id = gone.order_id"
    );
    session.execute(delete, pg_params![uuids(old), settle(retention)]).await
}

fn settle(retention: Retention) -> i64 {
    i64::try_from(retention.settle.as_millis()).unwrap_or(i64::MAX)
}
