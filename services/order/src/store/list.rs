//! Lists of orders, newest first: each page goes through a bounded number of them.

use ordersys_contract::order::OrderState;
use ordersys_contract::{OrderId, Timestamp, UserId};
use ordersys_store::StoreError;
use rusqlite::{Connection, params};

use super::Orders;
use super::rows::{COLUMNS, code, order, place};
use crate::domain::order::StoredOrder;

/// Orders that a query goes through before others have their turn: some milliseconds.
const STEP: u32 = 5_000;
/// Orders that are gone through for one page. What is left is for the next one.
const MOST_VISITED: u32 = 250_000;

/// The column, after those of an order, that says whether a filter lets it through.
const HIT: usize = 16;

/// What narrows a list of orders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) user: Option<UserId>,
    pub(crate) state: Option<OrderState>,
    /// Orders older than this one only.
    pub(crate) before: Option<OrderId>,
    /// Orders last changed before this time only.
    pub(crate) changed_before: Option<Timestamp>,
    pub(crate) limit: u32,
}

/// Some orders, and before which one the next page begins, if there is more.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) orders: Vec<StoredOrder>,
    pub(crate) next: Option<OrderId>,
}

impl Orders {
    /// A page of orders, newest first. It may hold fewer than asked for, or none, and still have a next one.
    pub(crate) async fn list(&self, mut filter: Filter) -> Result<Found, StoreError> {
        let (limit, mut orders) = (filter.limit, Vec::new());
        for _ in 0..MOST_VISITED / STEP {
            let part = filter.clone();
            let Found { orders: mut found, next } =
                self.0.scan(move |connection| visit(connection, &part)).await?;
            orders.append(&mut found);
            let full = orders.len() >= limit as usize;
            if full || next.is_none() {
                return Ok(Found { orders, next });
            }
            filter.limit = limit - u32::try_from(orders.len()).unwrap_or(limit);
            filter.before = next;
        }
        Ok(Found { orders, next: filter.before })
    }
}

/// The orders among the next ones that a filter lets through.
fn visit(connection: &Connection, filter: &Filter) -> rusqlite::Result<Found> {
    let of_user = if filter.user.is_some() { "AND user_id = ?2" } else { "AND ?2 IS NULL" };
    let select = format!(
        "SELECT {COLUMNS}, (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR updated_at < ?4) FROM placed
         WHERE place < ?1 {of_user} ORDER BY place DESC LIMIT ?5"
    );
    let row = params![
        filter.before.map_or(i64::MAX, place),
        filter.user.as_ref().map(UserId::as_bytes),
        filter.state.map(code),
        filter.changed_before.map(Timestamp::as_millis),
        STEP,
    ];
    let mut statement = connection.prepare_cached(&select)?;
    let mut rows = statement.query(row)?;
    let (mut found, mut visited) = (Found::default(), 0);
    while let Some(row) = rows.next()? {
        visited += 1;
        found.next = Some(OrderId::from_bytes(row.get(0)?));
        if row.get(HIT)? {
            found.orders.push(order(row)?);
        }
        if found.orders.len() == filter.limit as usize {
            return Ok(found);
        }
    }
    if visited < STEP {
        found.next = None;
    }
    Ok(found)
}
