//! Lists of orders, newest first: each page goes through a bounded number of them.

use std::ops::ControlFlow;

use ordersys_contract::{OrderId, Timestamp, UserId};
use ordersys_store::{Add, Reached, STEP_ROWS, StoreError};
use rusqlite::{Connection, params};

use super::Orders;
use super::rows::{COLUMNS, order, place};
use crate::domain::order::StoredOrder;
use crate::store::Filter;
use crate::store::form::code;

/// The column, after those of an order, that says whether a filter lets it through.
const HIT: usize = 17;

impl Orders {
    /// A page of orders, newest first. It may hold fewer than asked for, or none; the order to go on before is
    /// then returned beside it.
    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        mut add: Add<P, StoredOrder>,
    ) -> Result<(P, Option<OrderId>), StoreError> {
        let before = filter.before;
        let step = move |connection: &Connection, before: Option<OrderId>, page: &mut P| {
            let filter = Filter { before, ..filter.clone() };
            visit(connection, &filter, |stored| add(page, stored))
        };
        self.0.visit(before, page, step).await
    }
}

/// Adds the orders among the next ones that a filter lets through.
fn visit(
    connection: &Connection,
    filter: &Filter,
    mut add: impl FnMut(StoredOrder) -> ControlFlow<()>,
) -> rusqlite::Result<Reached<OrderId>> {
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
        STEP_ROWS,
    ];
    let mut statement = connection.prepare_cached(&select)?;
    let mut rows = statement.query(row)?;
    let (mut reached, mut visited) = (Reached::End, 0);
    while let Some(row) = rows.next()? {
        visited += 1;
        reached = Reached::Row(OrderId::from_bytes(row.get(0)?));
        if row.get(HIT)? && add(order(row)?).is_break() {
            return Ok(Reached::Full);
        }
    }
    Ok(if visited < STEP_ROWS { Reached::End } else { reached })
}
