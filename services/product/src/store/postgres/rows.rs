//! Products and reservations as rows: what is read of them.

use ordersys_contract::product::{Product, StockAccount};
use ordersys_contract::{Currency, Id, Money, ProductId, Timestamp};
use ordersys_store::postgres::{PgError, PgResult, Row, get, unsigned};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::domain::inventory::{Item, Stored};
use crate::domain::stock::Stock;
use crate::store::forms;

/// What is read of a product.
pub(super) const PRODUCT: &str = "id, name, price, currency, version, created_at, initial, restocked, available, reserved, sold, test, used";
/// The column, after those of a product, that comes next.
pub(super) const AFTER_PRODUCT: usize = 13;
/// The column that says whether units of a product were ever reserved; noted of test data only.
const USED: usize = 12;

/// What is read of a reservation. The last is how long its lease has been over, in milliseconds, if it is.
pub(super) const RESERVATION: &str = "order_id, state, lines, short, lease_ms, direct_product,
    CASE WHEN state = 0 AND lease_until <= now()
        THEN (extract(epoch FROM now() - lease_until) * 1000)::bigint END";
const DIRECT: usize = 5;
const OVERDUE: usize = 6;

/// The form of an id in the database.
pub(super) fn uuid<K>(id: Id<K>) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// The form of ids in the database.
pub(super) fn uuids<'a, K: 'a>(ids: impl IntoIterator<Item = &'a Id<K>>) -> Vec<Uuid> {
    ids.into_iter().map(|id| uuid(*id)).collect()
}

/// The id in a column.
pub(super) fn id<K>(row: &Row, column: usize) -> PgResult<Id<K>> {
    get::<Uuid>(row, column).map(|id| Id::from_bytes(*id.as_bytes()))
}

pub(super) fn product(row: &Row) -> PgResult<Product> {
    let currency = currency(row, 3)?;
    Ok(Product {
        id: id(row, 0)?,
        name: get(row, 1)?,
        price: price(row, 2, currency)?,
        currency,
        version: unsigned(row, 4)?,
        created_at: Timestamp::from_millis(get(row, 5)?),
        stock: unsigned(row, 8)?,
        test: get(row, 11)?,
    })
}

pub(super) fn used(row: &Row) -> PgResult<bool> {
    get(row, USED)
}

/// The product as reservations need it.
pub(super) fn item(row: &Row) -> PgResult<Item> {
    let currency = currency(row, 3)?;
    Ok(Item { name: get(row, 1)?, price: price(row, 2, currency)?, currency, stock: stock(row)? })
}

fn stock(row: &Row) -> PgResult<Stock> {
    Ok(Stock {
        initial: unsigned(row, 6)?,
        restocked: unsigned(row, 7)?,
        available: unsigned(row, 8)?,
        reserved: unsigned(row, 9)?,
        sold: unsigned(row, 10)?,
    })
}

pub(super) fn account(row: &Row) -> PgResult<StockAccount> {
    let Stock { initial, restocked, available, reserved, sold } = stock(row)?;
    Ok(StockAccount { product_id: id(row, 0)?, initial, restocked, available, reserved, sold })
}

/// A price in minor units of its currency.
pub(super) fn price(row: &Row, column: usize, currency: Currency) -> PgResult<Money> {
    let minor = get(row, column)?;
    Money::of(minor, currency).ok_or_else(|| PgError::unreadable(format!("{minor} is no price")))
}

pub(super) fn currency(row: &Row, column: usize) -> PgResult<Currency> {
    get::<&str>(row, column)?.parse().map_err(PgError::unreadable)
}

pub(super) fn stored(row: &Row) -> PgResult<Stored> {
    let (state, short): (i16, Option<&[u8]>) = (get(row, 1)?, get(row, 3)?);
    let unknown = || PgError::unreadable(format!("{state} is no state of a reservation"));
    let unpacked = |short| forms::unpacked(short).ok_or_else(|| PgError::unreadable("what was short"));
    let lease_ms = get::<Option<i64>>(row, 4)?.map(u64::try_from).transpose().map_err(PgError::unreadable)?;
    Ok(Stored {
        state: forms::state(state.into()).ok_or_else(unknown)?,
        lines: json(get(row, 2)?)?,
        shortages: short.map(unpacked).transpose()?.unwrap_or_default(),
        lease_ms,
    })
}

/// The product of a hold that was made without an order.
pub(super) fn direct_product(row: &Row) -> PgResult<Option<ProductId>> {
    Ok(get::<Option<Uuid>>(row, DIRECT)?.map(|id| ProductId::from_bytes(*id.as_bytes())))
}

/// How long the lease of a hold has been over, in milliseconds of the database's clock, if it is.
pub(super) fn overdue_ms(row: &Row) -> PgResult<Option<u64>> {
    get::<Option<i64>>(row, OVERDUE)?.map(u64::try_from).transpose().map_err(PgError::unreadable)
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> PgResult<T> {
    serde_json::from_str(text).map_err(PgError::unreadable)
}
