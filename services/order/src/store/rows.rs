//! Orders and events as rows.

use ordersys_contract::order::{Order, OrderLine, OrderState};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{Currency, IdempotencyKey, Money, OrderId, RequestId, Timestamp, UserId, WriteJson};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::refused;
use crate::domain::odd::Odd;
use crate::domain::order::{Step, StoredOrder};

pub(super) const COLUMNS: &str = "id, user_id, user_name, state, version, total, currency, items, reason, \
                                  history, created_at, updated_at, registered, key_print, place, refused, room";

/// Which of them holds the short form of a refused order.
const REFUSED: usize = 15;
/// Which of them holds the key of a refused order.
const ROOM: usize = 16;

/// Bytes that the step to its outcome adds to an order, apart from its lines.
const STEP_BYTES: usize = 72;
/// Bytes that names and prices add to each line.
const LINE_BYTES: usize = 96;

/// Where an order's row is: by the time of its id and, within a millisecond, by the lowest bits of the
/// count in it, so that new rows go to the end of the table. Two ids may share a place, if the clock
/// was set back between them: an insert then fails with [`StoreError::Taken`].
///
/// [`StoreError::Taken`]: ordersys_store::StoreError::Taken
pub(super) fn place(id: OrderId) -> i64 {
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
    if refused::is_refused(next.order.status) {
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
    let print = key_print.filter(|_| refused::is_refused(state));
    let kept = row.get_ref(ROOM)?.as_blob_or_null()?.unwrap_or_default();
    let room = print.is_some_and(|print| refused::print(kept) != Some(print));
    Ok(Odd::of([reason, items, registered, room]))
}

/// The sum of the lines, as fine as they are: orders of earlier versions have hundredths in all currencies.
fn total(minor: i64, currency: Currency, items: &[OrderLine]) -> Option<Money> {
    match items.first().and_then(|item| item.line_total) {
        Some(line) => Money::as_fine_as(minor, line),
        None => Money::of(minor, currency),
    }
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

/// The history as text: the code of each step, its time in milliseconds, its request.
pub(super) fn history(steps: &[Step]) -> String {
    let mut text = String::with_capacity(STEP_BYTES * steps.len());
    text.push('[');
    for (number, Step(state, at, request)) in steps.iter().enumerate() {
        text.push_str(if number == 0 { "[" } else { ",[" });
        for number in [code(*state), at.as_millis()] {
            number.write_json(&mut text);
            text.push(',');
        }
        request.write_json(&mut text);
        text.push(']');
    }
    text.push(']');
    text
}

/// Reads a history, also as earlier versions wrote it: with names and RFC 3339 times.
fn steps(column: usize, text: &[u8]) -> rusqlite::Result<Vec<Step>> {
    if text.starts_with(b"[[\"") {
        return json(column, text);
    }
    let steps: Vec<(i64, i64, RequestId)> = json(column, text)?;
    let step = |(code, at, request)| Ok(Step(state(column, code)?, Timestamp::from_millis(at), request));
    steps.into_iter().map(step).collect()
}

pub(super) fn state(column: usize, stored: i64) -> rusqlite::Result<OrderState> {
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
    fn ids_made_one_after_the_other_have_places_of_their_own() {
        let mut places: Vec<_> = (0..20_000).map(|_| place(OrderId::now())).collect();
        let ends = (places[0] >> 15, places[places.len() - 1] >> 15);
        assert!(ends.0 <= ends.1 && ends.1 - ends.0 < 60_000, "{ends:?} are milliseconds");
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 20_000);
    }

    /// Orders in yen of earlier versions have hundredths in their lines, and so in their total.
    #[test]
    fn a_total_is_as_fine_as_its_lines() {
        let yen: Currency = "JPY".parse().expect("a code");
        let line = |total: &str| OrderLine {
            product_id: ordersys_contract::ProductId::now(),
            quantity: ordersys_contract::Quantity::ONE,
            name: None,
            unit_price: None,
            line_total: total.parse().ok(),
        };
        let shown = |items: &[OrderLine]| total(50_000, yen, items).expect("not negative").to_string();
        assert_eq!(shown(&[line("500.00")]), "500.00");
        assert_eq!(shown(&[line("50000")]), "50000");
        assert_eq!(shown(&[]), "50000");
        assert!(total(-1, yen, &[]).is_none());
    }

    #[test]
    fn a_history_is_read_as_it_was_written_and_as_earlier_versions_wrote_it() {
        let request = RequestId::parse("r-1").expect("of the form");
        let written = [Step(OrderState::Pending, Timestamp::from_millis(1_700_000_000_123), request)];
        let now = history(&written);
        assert_eq!(now, r#"[[0,1700000000123,"r-1"]]"#);
        assert_eq!(steps(0, now.as_bytes()).expect("reads"), written);
        let earlier = text(&written).expect("writes");
        assert!(earlier.starts_with(r#"[["pending","2023"#), "{earlier}");
        assert_eq!(steps(0, earlier.as_bytes()).expect("reads"), written);
    }

    #[test]
    fn unfinished_states_are_those_the_index_names() {
        for state in OrderState::ALL {
            assert_eq!(state.needs_driver(), matches!(code(state), 0 | 6 | 8), "{state:?}");
        }
    }
}
