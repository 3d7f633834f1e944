//! What products were in each of their versions, for checks from outside.

use ordersys_contract::evidence::{Edition, MAX_EDITIONS, ProductRecord};
use ordersys_contract::{ProductId, Timestamp};
use ordersys_store::StoreError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Tables;
use super::catalog::{COLUMNS, TEST, currency, price, product};

/// The column after those of a product.
const USED: usize = 12;

impl Tables {
    /// Products after this one, with their versions, in one snapshot; also those of which only versions
    /// or added units are left.
    pub(crate) async fn product_records(
        &self,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, StoreError> {
        let select = "SELECT id FROM product WHERE id > ?1
                      UNION SELECT product_id FROM edition WHERE product_id > ?1
                      UNION SELECT product_id FROM added WHERE product_id > ?1 ORDER BY 1 LIMIT ?2";
        self.0
            .read(move |connection| {
                let snapshot = connection.unchecked_transaction()?;
                let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
                let mut statement = snapshot.prepare_cached(select)?;
                let ids = statement.query_map(params![after, limit], |row| row.get(0))?;
                ids.map(|id| record(&snapshot, ProductId::from_bytes(id?))).collect()
            })
            .await
    }

    /// A product with its versions, in one snapshot; `None` if there is neither.
    pub(crate) async fn product_record(&self, id: ProductId) -> Result<Option<ProductRecord>, StoreError> {
        let read = move |connection: &Connection| record(&*connection.unchecked_transaction()?, id);
        let found = self.0.read(read).await?;
        Ok(Some(found).filter(|record| record.product.is_some() || !record.editions.is_empty()))
    }
}

fn record(connection: &Connection, id: ProductId) -> rusqlite::Result<ProductRecord> {
    let select = format!("SELECT {COLUMNS}, used FROM product WHERE id = ?1");
    let row = |row: &Row<'_>| {
        let units = (row.get(6)?, row.get(7)?);
        Ok((product(row)?, (units, (row.get(USED)?, odd(row)?))))
    };
    let found = connection.prepare_cached(&select)?.query_row([id.as_bytes()], row).optional()?;
    let (product, units) = found.unzip();
    let (units, flags) = units.unzip();
    let (initial, restocked) = units.unzip();
    let (used, odd) = flags.unwrap_or_default();
    let added = "SELECT units FROM added WHERE product_id = ?1";
    let added = connection.prepare_cached(added)?.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    let added = added.unwrap_or(0);
    let select = "SELECT product_id, version, name, price, currency, initial, at FROM edition
                  WHERE product_id = ?1 ORDER BY version";
    let mut statement = connection.prepare_cached(select)?;
    let editions = statement.query_map([id.as_bytes()], edition)?.collect::<Result<_, _>>()?;
    Ok(ProductRecord { id, product, initial, restocked, used, odd, added, editions })
}

/// The columns that hold what is never written.
fn odd(row: &Row<'_>) -> rusqlite::Result<Vec<String>> {
    let mut odd = Vec::new();
    for (name, column) in [("test", TEST), ("used", USED)] {
        if !matches!(row.get_ref(column)?, ValueRef::Integer(0 | 1)) {
            odd.push(name.to_owned());
        }
    }
    Ok(odd)
}

fn edition(row: &Row<'_>) -> rusqlite::Result<Edition> {
    let currency = currency(row, 4)?;
    Ok(Edition {
        product_id: ProductId::from_bytes(row.get(0)?),
        version: row.get(1)?,
        name: row.get(2)?,
        price: price(row, 3, currency)?,
        currency,
        initial: row.get(5)?,
        at: Timestamp::from_millis(row.get(6)?),
    })
}

/// Notes what a product, as it is stored, is now. Times never go back.
pub(super) fn note(connection: &Connection, id: ProductId, now: Timestamp) -> rusqlite::Result<()> {
    let insert = "
        INSERT INTO edition(product_id, version, name, price, currency, initial, at)
        SELECT id, version, name, price, currency, initial,
               max(?2, ifnull((SELECT max(at) FROM edition WHERE product_id = ?1), ?2))
        FROM product WHERE id = ?1";
    connection.prepare_cached(insert)?.execute(params![id.as_bytes(), now.as_millis()]).map(|_| ())
}

/// Forgets what a product was long before this version.
pub(super) fn forget(connection: &Connection, id: ProductId, version: u64) -> rusqlite::Result<()> {
    let Some(last) = version.checked_sub(MAX_EDITIONS) else { return Ok(()) };
    let delete = "DELETE FROM edition WHERE product_id = ?1 AND version <= ?2";
    connection.prepare_cached(delete)?.execute(params![id.as_bytes(), last]).map(|_| ())
}

/// Notes units that were added to a product a second time: nothing else tells of them.
pub(super) fn note_added(connection: &Connection, id: ProductId, units: u64) -> rusqlite::Result<()> {
    let insert = "INSERT INTO added(product_id, units) VALUES (?1, ?2)
                  ON CONFLICT DO UPDATE SET units = units + excluded.units";
    connection.prepare_cached(insert)?.execute(params![id.as_bytes(), units]).map(|_| ())
}
