//! Lists of orders, newest first, and of keys.

use ordersys_contract::order::KeyRecord;
use ordersys_contract::{OrderId, Timestamp, UserId};
use ordersys_store::postgres::{Params, PgResult, Row, Session, Uuid, get};
use ordersys_store::{Add, STEP_ROWS, StoreError, pg_params};

use super::Orders;
use super::rows::{COLUMNS, order, order_id, user_uuid, uuid};
use crate::domain::order::StoredOrder;
use crate::store::form::code;
use crate::store::{Filter, KeyCursor, KeyFilter};

/// Most rows that are fetched at once.
const FETCHED: usize = 250;
/// Steps for one page. What is left is for the next one.
const MAX_STEPS: usize = 50;

impl Orders {
    pub(crate) async fn list<P: Send + 'static>(
        &self,
        mut filter: Filter,
        mut page: P,
        mut add: Add<P, StoredOrder>,
    ) -> Result<(P, Option<OrderId>), StoreError> {
        for _ in 0..MAX_STEPS {
            let end = self.end_of_step(&filter).await?;
            loop {
                let found = self.some(&filter, end).await?;
                let is_last = found.len() < FETCHED;
                for stored in found {
                    filter.before = Some(stored.order.id);
                    if add(&mut page, stored).is_break() {
                        return Ok((page, None));
                    }
                }
                if is_last {
                    break;
                }
            }
            match end {
                Some(end) => filter.before = Some(end),
                None => return Ok((page, None)),
            }
        }
        Ok((page, filter.before))
    }

    /// The order that a step of bounded length ends at; `None` if fewer are left.
    async fn end_of_step(&self, filter: &Filter) -> Result<Option<OrderId>, StoreError> {
        let Filter { user, before, .. } = filter.clone();
        let found = self.store().read(move |session| {
            Box::pin(async move {
                let (which, params) = of(user, before);
                let select =
                    format!("SELECT id FROM orders.placed WHERE {which} ORDER BY id DESC OFFSET $3 LIMIT 1");
                let row = session.query_opt(select, params.with(i64::from(STEP_ROWS) - 1)).await?;
                Ok(row.map(|row| get(&row, 0)).transpose()?.map(order_id))
            })
        });
        found.await
    }

    /// Some orders that the filter lets through, up to the end of a step.
    async fn some(&self, filter: &Filter, end: Option<OrderId>) -> Result<Vec<StoredOrder>, StoreError> {
        let filter = filter.clone();
        let found = self.store().read(move |session| {
            let Filter { user, state, before, changed_before } = filter.clone();
            Box::pin(async move {
                let (which, params) = of(user, before);
                let select = format!(
                    "SELECT {COLUMNS} FROM orders.placed WHERE {which} AND id >= $3
                     AND ($4 IS NULL OR state = $4) AND ($5 IS NULL OR updated_at < $5) ORDER BY id DESC LIMIT $6"
                );
                let params = params
                    .with(end.map_or(Uuid::nil(), uuid))
                    .with(state.map(code))
                    .with(changed_before.map(Timestamp::as_millis))
                    .with(i64::try_from(FETCHED).unwrap_or(i64::MAX));
                session.query(select, params).await?.iter().map(order).collect()
            })
        });
        found.await
    }

    pub(crate) async fn keys<P: Send + 'static>(
        &self,
        KeyFilter { after, limit }: KeyFilter,
        mut page: P,
        mut add: Add<P, KeyRecord>,
    ) -> Result<P, StoreError> {
        let found = self.store().read(move |session| {
            let after = after.clone();
            Box::pin(async move { keys(session, after, limit).await })
        });
        for record in found.await? {
            if add(&mut page, record).is_break() {
                break;
            }
        }
        Ok(page)
    }
}

/// Which orders there are before a position, of a user if one is named, as `$1` and `$2`.
fn of(user: Option<UserId>, before: Option<OrderId>) -> (&'static str, Params) {
    let which = if user.is_some() { "id < $1 AND user_id = $2" } else { "id < $1 AND $2::uuid IS NULL" };
    (which, pg_params![before.map_or(Uuid::max(), uuid), user.map(user_uuid)])
}

async fn keys(session: &Session, after: KeyCursor, limit: u32) -> PgResult<Vec<KeyRecord>> {
    let (key, user) = match after {
        KeyCursor::Start => (String::new(), Uuid::nil()),
        KeyCursor::After(user, key) => (key, user_uuid(user)),
    };
    let select = "SELECT user_id, key, order_id FROM orders.keys
                  WHERE (key, user_id) > ($1, $2) ORDER BY key, user_id LIMIT $3";
    session.query(select, pg_params![key, user, i64::from(limit)]).await?.iter().map(record).collect()
}

fn record(row: &Row) -> PgResult<KeyRecord> {
    Ok(KeyRecord {
        user_id: UserId::from_bytes(get::<Uuid>(row, 0)?.into_bytes()),
        key: get(row, 1)?,
        order_id: order_id(get(row, 2)?),
    })
}
