//! What products were in each of their versions, for checks from outside.

use std::collections::HashMap;

use futures_util::future::join3;
use ordersys_contract::evidence::{Edition, MAX_EDITIONS, ProductRecord};
use ordersys_contract::{ProductId, Timestamp};
use ordersys_store::postgres::{PgResult, Row, Session, Transaction, get, signed, unsigned};
use ordersys_store::{StoreError, pg_params};
use uuid::Uuid;

use super::Tables;
use super::rows::{self, PRODUCT, account, currency, id, price, used, uuid, uuids};

impl Tables {
    pub(crate) async fn product_records(
        &self,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, StoreError> {
        self.store.scan(move |session| Box::pin(records_after(session, after, limit))).await
    }

    pub(crate) async fn product_record(&self, id: ProductId) -> Result<Option<ProductRecord>, StoreError> {
        let mut found = self.store.scan(move |session| Box::pin(record(session, id))).await?;
        Ok(found.pop().filter(|record| record.product.is_some() || !record.editions.is_empty()))
    }
}

async fn records_after(
    session: &Session,
    after: Option<ProductId>,
    limit: u32,
) -> PgResult<Vec<ProductRecord>> {
    let select = "
        (SELECT id FROM products.product WHERE ($1 IS NULL OR id > $1) ORDER BY id LIMIT $2)
        UNION (SELECT DISTINCT product_id FROM products.edition WHERE ($1 IS NULL OR product_id > $1)
               ORDER BY product_id LIMIT $2)
        UNION (SELECT product_id FROM products.added WHERE ($1 IS NULL OR product_id > $1)
               ORDER BY product_id LIMIT $2)
        ORDER BY 1 LIMIT $2";
    let snapshot = session.begin_snapshot();
    let found = snapshot.query(select, pg_params![after.map(uuid), i64::from(limit)]).await?;
    let ids = found.iter().map(|row| id(row, 0)).collect::<PgResult<Vec<_>>>()?;
    let records = records(&snapshot, &ids).await?;
    snapshot.commit().await?;
    Ok(records)
}

async fn record(session: &Session, id: ProductId) -> PgResult<Vec<ProductRecord>> {
    let snapshot = session.begin_snapshot();
    let records = records(&snapshot, &[id]).await?;
    snapshot.commit().await?;
    Ok(records)
}

/// What is stored of these products.
async fn records(snapshot: &Transaction<'_>, ids: &[ProductId]) -> PgResult<Vec<ProductRecord>> {
    let products = format!("SELECT {PRODUCT} FROM products.product WHERE id = ANY($1)");
    let added = "SELECT product_id, units FROM products.added WHERE product_id = ANY($1)";
    let editions = "SELECT product_id, version, name, price, currency, initial, at FROM products.edition
                    WHERE product_id = ANY($1) ORDER BY product_id, version";
    let ids_of = || pg_params![uuids(ids)];
    let (products, added, editions) = join3(
        snapshot.query(products, ids_of()),
        snapshot.query(added, ids_of()),
        snapshot.query(editions, ids_of()),
    )
    .await;
    let mut records: HashMap<_, _> = ids.iter().map(|id| (*id, empty(*id))).collect();
    let mut of = |row: &Row, read: fn(&mut ProductRecord, &Row) -> PgResult<()>| {
        records.get_mut(&id(row, 0)?).map_or(Ok(()), |record| read(record, row))
    };
    products?.iter().try_for_each(|row| of(row, read_product))?;
    added?.iter().try_for_each(|row| of(row, read_added))?;
    editions?.iter().try_for_each(|row| of(row, read_edition))?;
    Ok(ids.iter().filter_map(|id| records.remove(id)).collect())
}

/// The record of a product of which nothing is stored.
fn empty(id: ProductId) -> ProductRecord {
    let (odd, editions) = (Vec::new(), Vec::new());
    let (product, initial, restocked) = (None, None, None);
    ProductRecord { id, product, initial, restocked, used: false, odd, added: 0, editions }
}

fn read_product(record: &mut ProductRecord, row: &Row) -> PgResult<()> {
    let account = account(row)?;
    record.product = Some(rows::product(row)?);
    (record.initial, record.restocked) = (Some(account.initial), Some(account.restocked));
    record.used = used(row)?;
    Ok(())
}

fn read_added(record: &mut ProductRecord, row: &Row) -> PgResult<()> {
    record.added = unsigned(row, 1)?;
    Ok(())
}

fn read_edition(record: &mut ProductRecord, row: &Row) -> PgResult<()> {
    let currency = currency(row, 4)?;
    record.editions.push(Edition {
        product_id: id(row, 0)?,
        version: unsigned(row, 1)?,
        name: get(row, 2)?,
        price: price(row, 3, currency)?,
        currency,
        initial: unsigned(row, 5)?,
        at: Timestamp::from_millis(get(row, 6)?),
    });
    Ok(())
}

/// Notes what new products are.
pub(super) fn note_new(transaction: &Transaction<'_>, ids: Vec<Uuid>) {
    let insert = "
        INSERT INTO products.edition(product_id, version, name, price, currency, initial, at)
        SELECT id, version, name, price, currency, initial, created_at FROM products.product
        WHERE id = ANY($1) ON CONFLICT DO NOTHING";
    transaction.execute(insert, pg_params![ids]);
}

/// Notes what a product, as it is stored, is now. Times never go back.
pub(super) fn note(transaction: &Transaction<'_>, id: ProductId, now: Timestamp) {
    let insert = "
        INSERT INTO products.edition(product_id, version, name, price, currency, initial, at)
        SELECT id, version, name, price, currency, initial,
            greatest($2, (SELECT max(at) FROM products.edition WHERE product_id = $1))
        FROM products.product WHERE id = $1";
    transaction.execute_exactly(1, insert, pg_params![uuid(id), now.as_millis()]);
}

/// Forgets what a product was long before this version.
pub(super) fn forget(transaction: &Transaction<'_>, id: ProductId, version: u64) -> PgResult<()> {
    let Some(last) = version.checked_sub(MAX_EDITIONS) else { return Ok(()) };
    let delete = "DELETE FROM products.edition WHERE product_id = $1 AND version <= $2";
    transaction.execute(delete, pg_params![uuid(id), signed(last)?]);
    Ok(())
}

/// Notes units that were added to a product a second time: nothing else tells of them.
pub(super) fn note_added(transaction: &Transaction<'_>, id: ProductId, units: u64) -> PgResult<()> {
    let insert = "
        INSERT INTO products.added AS a (product_id, units) VALUES ($1, $2)
        ON CONFLICT (product_id) DO UPDATE SET units = a.units + excluded.units";
    transaction.execute_exactly(1, insert, pg_params![uuid(id), signed(units)?]);
    Ok(())
}
