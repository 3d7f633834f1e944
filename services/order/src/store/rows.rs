//! Orders and events as rows.

use ordersys_contract::order::{Order, OrderState};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{Cents, OrderId, Timestamp, UserId};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::order::StoredOrder;

pub(super) const COLUMNS: &str = "id, user_id, user_name, state, version, total, currency, items, reason, \
                                  history, created_at, updated_at, deadline, registered";

pub(super) fn insert(connection: &Connection, stored: &StoredOrder) -> rusqlite::Result<()> {
    let insert = "
        INSERT INTO orders(id, user_id, user_name, state, version, total, currency, items,
                           history, created_at, updated_at, deadline, registered)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let order = &stored.order;
    let row = params![
        order.id.as_bytes(),
        order.user_id.as_bytes(),
        order.user_name,
        code(order.status),
        order.version,
        order.total.minor(),
        order.currency.as_str(),
        text(&order.items)?,
        text(&stored.history)?,
        order.created_at.as_millis(),
        order.updated_at.as_millis(),
        stored.deadline.as_millis(),
        stored.owner == UserKindName::Registered,
    ];
    connection.prepare_cached(insert)?.execute(row).map(|_| ())
}

/// Writes `next` over the version before it; `false` if that is not what is stored.
pub(super) fn replace(connection: &Connection, next: &StoredOrder) -> rusqlite::Result<bool> {
    let update = "
        UPDATE orders SET state = ?3, version = ?4, total = ?5, currency = ?6, items = ?7, reason = ?8,
                          history = ?9, updated_at = ?10
        WHERE id = ?1 AND version = ?2";
    let order = &next.order;
    let row = params![
        order.id.as_bytes(),
        order.version - 1,
        code(order.status),
        order.version,
        order.total.minor(),
        order.currency.as_str(),
        text(&order.items)?,
        next.reason.as_ref().map(text).transpose()?,
        text(&next.history)?,
        order.updated_at.as_millis(),
    ];
    Ok(connection.prepare_cached(update)?.execute(row)? == 1)
}

pub(super) fn order(row: &Row<'_>) -> rusqlite::Result<StoredOrder> {
    let minor = row.get(5)?;
    let order = Order {
        id: OrderId::from_bytes(row.get(0)?),
        user_id: UserId::from_bytes(row.get(1)?),
        user_name: row.get(2)?,
        status: state(3, row.get(3)?)?,
        version: row.get(4)?,
        total: Cents::from_minor(minor).ok_or(rusqlite::Error::IntegralValueOutOfRange(5, minor))?,
        currency: row.get_ref(6)?.as_str()?.parse().map_err(|error| unreadable(6, error))?,
        items: json(7, row.get_ref(7)?.as_bytes()?)?,
        created_at: Timestamp::from_millis(row.get(10)?),
        updated_at: Timestamp::from_millis(row.get(11)?),
    };
    let reason = row.get_ref(8)?.as_bytes_or_null()?.map(|text| json(8, text)).transpose()?;
    let history = json(9, row.get_ref(9)?.as_bytes()?)?;
    let owner = if row.get(13)? { UserKindName::Registered } else { UserKindName::Guest };
    Ok(StoredOrder { order, owner, reason, deadline: Timestamp::from_millis(row.get(12)?), history })
}

/// The stored form of a state. Never changed, only added to.
pub(super) fn code(state: OrderState) -> i64 {
    match state {
        OrderState::Pending => 0,
        OrderState::Confirmed => 1,
        OrderState::Paid => 2,
        OrderState::Shipped => 3,
        OrderState::Delivered => 4,
        OrderState::Rejected => 5,
        OrderState::Aborting => 6,
        OrderState::Aborted => 7,
        OrderState::Cancelling => 8,
        OrderState::Cancelled => 9,
        OrderState::Expired => 10,
    }
}

fn state(column: usize, stored: i64) -> rusqlite::Result<OrderState> {
    let known = OrderState::ALL.into_iter().find(|state| code(*state) == stored);
    known.ok_or(rusqlite::Error::IntegralValueOutOfRange(column, stored))
}

fn text<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn json<T: DeserializeOwned>(column: usize, text: &[u8]) -> rusqlite::Result<T> {
    serde_json::from_slice(text).map_err(|error| unreadable(column, error))
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_states_are_those_the_index_names() {
        for state in OrderState::ALL {
            assert_eq!(state.needs_driver(), matches!(code(state), 0 | 6 | 8), "{state:?}");
        }
    }
}
