//! Orders and events as rows.

use ordersys_contract::order::{Order, OrderLine, OrderState};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{IdempotencyKey, OrderId, Timestamp, UserId, WriteJson};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::refused;
use crate::domain::odd::Odd;
use crate::domain::order::{Step, StoredOrder};
use crate::store::form;
use crate::store::form::{STEP_BYTES, code, history, is_refused, total};

pub(super) const COLUMNS: &str = "id, user_id, user_name, state, version, total, currency, items, reason, \
                                  history, created_at, updated_at, registered, key_print, place, refused, room";

/// Which of them holds the short form of a refused order.
const REFUSED: usize = 15;
/// Which of them holds the key of a refused order.
const ROOM: usize = 16;

/// Bytes that names and prices add to each line.
const LINE_BYTES: usize = 96;

/// Where an order's row is: by the time of its id and, within a millisecond, by the lowest bits of the
/// count in it, so that new rows go to the end of the table. Two ids may share a place, if the clock
/// was set back between them: an insert then fails with [`StoreError::Taken`].
///
/// [`StoreError::Taken`]: ordersys_store::StoreError::Taken
pub(crate) fn place(id: OrderId) -> i64 {
    let bytes = u128::from_be_bytes(*id.as_bytes());
    let (millis, count) = (bytes >> 80, (bytes >> 32) & 0x7fff);
    i64::try_from((millis << 15) | count).unwrap_or(i64::MAX)
}

/// The time of the ids at a place, in milliseconds since the Unix epoch.
pub(super) fn place_millis(place: i64) -> i64 {
    place >> 15
}

/// Writes a new order. Its row has room for its outcome: one that grows in a full page of the table
/// would have to move, and its neighbours with it. The key it was placed with is at the beginning of it.
pub(super) fn insert(
    connection: &Connection,
    stored: &StoredOrder,
    key: Option<&IdempotencyKey>,
) -> rusqlite::Result<()> {
    let insert = "
        INSERT INTO placed(place, id, user_id, user_name, state, version, total, currency, items,
                           history, created_at, updated_at, deadline, registered, room, key_print)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
    let order = &stored.order;
    let mut room = key.map(|key| key.as_str().as_bytes().to_vec()).unwrap_or_default();
    room.resize((STEP_BYTES + LINE_BYTES * order.items.len()).max(room.len() + 1), 0);
    let row = params![
        place(order.id),
        order.id.as_bytes(),
        order.user_id.as_bytes(),
        order.user_name,
        code(order.status),
        order.version,
        order.total.minor(),
        order.currency.as_str(),
        order.items.to_json(),
        history(&stored.history),
        order.created_at.as_millis(),
        order.updated_at.as_millis(),
        0, // the deadline that earlier versions stored
        stored.owner == UserKindName::Registered,
        room,
        key.map_or(0, IdempotencyKey::print),
    ];
    connection.prepare_cached(insert)?.execute(row).map(|_| ())
}

/// Writes `next` over the version before it; `false` if that is not what is stored.
pub(super) fn replace(connection: &Connection, next: &StoredOrder) -> rusqlite::Result<bool> {
    if is_refused(next.order.status) {
        return refused::replace(connection, next);
    }
    let update = "
        UPDATE placed SET state = ?4, version = ?5, total = ?6, currency = ?7, items = ?8, reason = ?9,
                          history = ?10, updated_at = ?11, room = CASE ?4 WHEN 6 THEN room END
        WHERE place = ?1 AND id = ?2 AND version = ?3";
    let order = &next.order;
    let row = params![
        place(order.id),
        order.id.as_bytes(),
        order.version - 1,
        code(order.status),
        order.version,
        order.total.minor(),
        order.currency.as_str(),
        order.items.to_json(),
        next.reason.as_ref().map(text).transpose()?,
        history(&next.history),
        order.updated_at.as_millis(),
    ];
    Ok(connection.prepare_cached(update)?.execute(row)? == 1)
}

pub(super) fn order(row: &Row<'_>) -> rusqlite::Result<StoredOrder> {
    let minor = row.get(5)?;
    let currency = row.get_ref(6)?.as_str()?.parse().map_err(|error| unreadable(6, error))?;
    let (items, reason) = if let Some(packed) = row.get_ref(REFUSED)?.as_blob_or_null()? {
        refused::unpacked(REFUSED, packed)?
    } else {
        let reason = row.get_ref(8)?.as_bytes_or_null()?.map(|text| json(8, text)).transpose()?;
        (json::<Vec<OrderLine>>(7, row.get_ref(7)?.as_bytes()?)?, reason)
    };
    let order = Order {
        id: OrderId::from_bytes(row.get(0)?),
        user_id: UserId::from_bytes(row.get(1)?),
        user_name: row.get(2)?,
        status: state(3, row.get(3)?)?,
        version: row.get(4)?,
        total: total(minor, currency, &items).ok_or(rusqlite::Error::IntegralValueOutOfRange(5, minor))?,
        currency,
        items,
        created_at: Timestamp::from_millis(row.get(10)?),
        updated_at: Timestamp::from_millis(row.get(11)?),
        rejection: None,
    };
    let history = steps(9, row.get_ref(9)?.as_bytes()?)?;
    let owner = if row.get(12)? { UserKindName::Registered } else { UserKindName::Guest };
    let (key_print, in_place) = (row.get(13)?, row.get::<_, i64>(14)? == place(order.id));
    let odd = odd(row, order.status, key_print)?;
    Ok(StoredOrder { order, owner, reason, history, key_print, in_place, odd })
}

/// The columns that hold what is never written for an order in this state that was made with such a key.
fn odd(row: &Row<'_>, state: OrderState, key_print: Option<u32>) -> rusqlite::Result<Odd> {
    let is_short = !matches!(row.get_ref(REFUSED)?, ValueRef::Null);
    let reason = is_short && !matches!(row.get_ref(8)?, ValueRef::Null);
    let items = is_short && row.get_ref(7)?.as_bytes()? != b"[]";
    let registered = !matches!(row.get_ref(12)?, ValueRef::Integer(0 | 1));
    let print = key_print.filter(|_| is_refused(state));
    let kept = row.get_ref(ROOM)?.as_blob_or_null()?.unwrap_or_default();
    let room = print.is_some_and(|print| refused::print(kept) != Some(print));
    Ok(Odd::of([reason, items, registered, room]))
}

/// Reads a history, also as earlier versions wrote it.
fn steps(column: usize, text: &[u8]) -> rusqlite::Result<Vec<Step>> {
    form::steps(text).map_err(|error| unreadable(column, error))
}

pub(super) fn state(column: usize, stored: i64) -> rusqlite::Result<OrderState> {
    form::state(stored).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, stored))
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
    fn ids_made_one_after_the_other_have_places_of_their_own() {
        let mut places: Vec<_> = (0..20_000).map(|_| place(OrderId::now())).collect();
        let ends = (places[0] >> 15, places[places.len() - 1] >> 15);
        assert!(ends.0 <= ends.1 && ends.1 - ends.0 < 60_000, "{ends:?} are milliseconds");
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 20_000);
    }
}
