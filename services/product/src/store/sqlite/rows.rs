//! Reservations as rows: what a batch of operations may touch is read before it is decided, what changed is
//! written back.

use ordersys_contract::reservation::{Action, Operation, ReservationState, Shortage};
use ordersys_contract::{OrderId, ProductId};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::catalog::{item, write_moved};
use crate::domain::inventory::{Change, Inventory, Stored};
use crate::store::forms::{self, code};

/// Reads every row the operations may touch. Ids follow time, so most are those of new orders, greater
/// than any that is stored: of these there is nothing to read.
pub(super) fn gather(connection: &Connection, operations: &[Operation]) -> rusqlite::Result<Inventory> {
    let mut inventory = Inventory::default();
    let newest = newest(connection)?;
    for operation in operations {
        if newest.is_some_and(|newest| operation.order_id <= newest) {
            gather_reservation(connection, &mut inventory, operation.order_id)?;
        }
        if let Action::Reserve { lines, .. } = &operation.action {
            for line in lines {
                gather_item(connection, &mut inventory, line.product_id)?;
            }
        }
    }
    Ok(inventory)
}

/// The greatest id that is stored.
fn newest(connection: &Connection) -> rusqlite::Result<Option<OrderId>> {
    let select = "SELECT max(order_id) FROM reservation";
    let newest: Option<[u8; 16]> = connection.prepare_cached(select)?.query_row([], |row| row.get(0))?;
    Ok(newest.map(OrderId::from_bytes))
}

pub(super) fn gather_reservation(
    connection: &Connection,
    inventory: &mut Inventory,
    id: OrderId,
) -> rusqlite::Result<()> {
    if let Some(stored) = stored(connection, id)? {
        for line in &stored.lines {
            gather_item(connection, inventory, line.product_id)?;
        }
        inventory.add_reservation(id, stored);
    }
    Ok(())
}

pub(super) fn gather_item(
    connection: &Connection,
    inventory: &mut Inventory,
    id: ProductId,
) -> rusqlite::Result<()> {
    if inventory.item(id).is_none()
        && let Some(item) = item(connection, id)?
    {
        inventory.add_item(id, item);
    }
    Ok(())
}

fn stored(connection: &Connection, id: OrderId) -> rusqlite::Result<Option<Stored>> {
    let select =
        "SELECT state, lines, coalesce(short, shortages), lease_ms FROM reservation WHERE order_id = ?1";
    connection.prepare_cached(select)?.query_row([id.as_bytes()], read).optional()
}

/// Reads a row that starts with `state, lines, coalesce(short, shortages), lease_ms`.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let shortages = match row.get_ref(2)? {
        ValueRef::Blob(packed) => unpacked(2, packed)?,
        // As earlier versions wrote them.
        text => text.as_bytes_or_null()?.map_or(Ok(Vec::new()), |text| json(2, text))?,
    };
    Ok(Stored {
        state: state(row.get(0)?)?,
        lines: json(1, row.get_ref(1)?.as_bytes()?)?,
        shortages,
        lease_ms: row.get(3)?,
    })
}

/// Writes what changed. New rows are marked as direct holds of `direct`, if given.
pub(super) fn write_back(
    connection: &Connection,
    inventory: &Inventory,
    direct: Option<ProductId>,
) -> rusqlite::Result<()> {
    for (id, item) in inventory.changed_items() {
        write_moved(connection, *id, item.stock)?;
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO reservation(order_id, state, lines, short, lease_ms, direct_product)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut update = connection
        .prepare_cached("UPDATE reservation SET state = ?2, lines = ?3, lease_ms = ?4 WHERE order_id = ?1")?;
    for (id, stored, change) in inventory.changed_reservations() {
        let (state, lines, lease) = (code(stored.state), forms::lines(stored), forms::lease_ms(stored));
        if change == Change::Inserted {
            let direct = direct.as_ref().map(ProductId::as_bytes);
            insert.execute(params![id.as_bytes(), state, lines, forms::short(stored), lease, direct])?;
        } else {
            update.execute(params![id.as_bytes(), state, lines, lease])?;
        }
    }
    Ok(())
}

fn state(stored: i64) -> rusqlite::Result<ReservationState> {
    forms::state(stored).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, stored))
}

fn unpacked(column: usize, bytes: &[u8]) -> rusqlite::Result<Vec<Shortage>> {
    let wrong = || rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, "what was short".into());
    forms::unpacked(bytes).ok_or_else(wrong)
}

pub(super) fn json<T: serde::de::DeserializeOwned>(column: usize, text: &[u8]) -> rusqlite::Result<T> {
    serde_json::from_slice(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
