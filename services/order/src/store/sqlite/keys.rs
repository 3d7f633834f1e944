//! Idempotency keys, and the orders they were used for.

use ordersys_contract::{IdempotencyKey, OrderId, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::select;
use crate::domain::access::Reach;
use crate::domain::order::StoredOrder;

/// Claims a key for an order; `false` if it is claimed already.
pub(super) fn claim_key(
    connection: &Connection,
    user: UserId,
    key: &IdempotencyKey,
    order: OrderId,
) -> rusqlite::Result<bool> {
    let insert = "INSERT OR IGNORE INTO keys(key, user_id, order_id) VALUES (?1, ?2, ?3)";
    let row = params![key.as_str(), user.as_bytes(), order.as_bytes()];
    Ok(connection.prepare_cached(insert)?.execute(row)? == 1)
}

/// Gives a key whose order is gone to another one.
pub(super) fn take_over_key(
    connection: &Connection,
    user: UserId,
    key: &IdempotencyKey,
    order: OrderId,
) -> rusqlite::Result<()> {
    let update = "UPDATE keys SET order_id = ?3 WHERE key = ?1 AND user_id = ?2";
    let row = params![key.as_str(), user.as_bytes(), order.as_bytes()];
    connection.prepare_cached(update)?.execute(row).map(|_| ())
}

/// The order that a user's key was used for.
pub(super) fn by_key(
    connection: &Connection,
    user: UserId,
    key: &IdempotencyKey,
) -> rusqlite::Result<Option<StoredOrder>> {
    let select_key = "SELECT order_id FROM keys WHERE key = ?1 AND user_id = ?2";
    let mut statement = connection.prepare_cached(select_key)?;
    let found = statement.query_row(params![key.as_str(), user.as_bytes()], |row| row.get(0));
    let Some(id) = found.optional()? else { return Ok(None) };
    select(connection, OrderId::from_bytes(id), Reach::All)
}
