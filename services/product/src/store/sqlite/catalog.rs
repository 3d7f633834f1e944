//! Products in their table: catalog and stock.

use std::ops::ControlFlow;

use ordersys_contract::product::{Product, StockAccount};
use ordersys_contract::{Currency, Money, ProductId, TestData, Timestamp};
use ordersys_store::{Add, Reached, STEP_ROWS, StoreError};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Tables, editions};
use crate::domain::inventory::Item;
use crate::domain::stock::Stock;
use crate::store::Filter;

pub(super) const COLUMNS: &str =
    "id, name, price, currency, version, created_at, initial, restocked, available, reserved, sold, test";

/// The column that says whether a product is test data.
pub(super) const TEST: usize = 11;
/// The column, after those of a product, that says whether a filter lets it through.
const HIT: usize = 12;

impl Tables {
    pub(crate) async fn insert(&self, product: Product) -> Result<(), StoreError> {
        self.0.write(move |connection| insert(connection, &product)).await
    }

    /// Puts the first products into a new store; later calls change nothing, also if the note that it was
    /// done is lost: a store with products is not new.
    pub(crate) async fn seed_once(&self, products: Vec<Product>) -> Result<(), StoreError> {
        self.0
            .write(move |connection| {
                let seed = "INSERT OR IGNORE INTO seeded VALUES (1)";
                let new = "SELECT NOT EXISTS (SELECT 1 FROM product)";
                let first = connection.query_row(new, [], |row| row.get(0))?;
                let first = connection.execute(seed, [])? == 1 && first;
                for product in products.iter().filter(|_| first) {
                    insert(connection, product)?;
                }
                Ok(())
            })
            .await
    }

    /// When the product with the newest id was made.
    pub(crate) async fn newest_product(&self) -> Result<Option<Timestamp>, StoreError> {
        let select = "SELECT created_at FROM product ORDER BY id DESC LIMIT 1";
        let made = |row: &Row<'_>| row.get(0).map(Timestamp::from_millis);
        self.0.read(move |connection| connection.query_row(select, [], made).optional()).await
    }

    pub(crate) async fn get(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.0.read(move |connection| select(connection, id)).await
    }

    /// A page of products. A search goes through a bounded number of them, some at a time: its page may
    /// hold fewer than asked for, or none; the product to go on after is then returned beside it.
    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        mut add: Add<P, Product>,
    ) -> Result<(P, Option<ProductId>), StoreError> {
        let after = filter.after;
        let step = move |connection: &Connection, after: Option<ProductId>, page: &mut P| {
            let filter = Filter { after, ..filter.clone() };
            visit(connection, &filter, |product| add(page, product))
        };
        self.0.visit(after, page, step).await
    }

    /// Where every unit of every product after `after` is, in one snapshot.
    pub(crate) async fn accounts<P: Send + 'static>(
        &self,
        after: Option<ProductId>,
        mut page: P,
        mut add: Add<P, StockAccount>,
    ) -> Result<P, StoreError> {
        let read = move |connection: &Connection| {
            accounts(connection, after, |account| add(&mut page, account))?;
            Ok(page)
        };
        self.0.scan(read).await
    }
}

/// Adds the products among the next ones that a filter lets through.
fn visit(
    connection: &Connection,
    filter: &Filter,
    mut add: impl FnMut(Product) -> ControlFlow<()>,
) -> rusqlite::Result<Reached<ProductId>> {
    // Only as a term of its own SQLite uses the index.
    let test = if filter.test == TestData::Only { "AND test = 1" } else { "" };
    let list = format!(
        "SELECT {COLUMNS}, ?2 IS NULL OR instr(lower(name), lower(?2)) > 0 FROM product
         WHERE id > ?1 {test} ORDER BY id LIMIT ?3"
    );
    let after = filter.after.as_ref().map_or(&[][..], |id| id.as_bytes());
    let mut statement = connection.prepare_cached(&list)?;
    let mut rows = statement.query(params![after, filter.text, STEP_ROWS])?;
    let (mut reached, mut visited) = (Reached::End, 0);
    while let Some(row) = rows.next()? {
        visited += 1;
        reached = Reached::Row(ProductId::from_bytes(row.get(0)?));
        if filter.test.shows(row.get(TEST)?) && row.get(HIT)? && add(product(row)?).is_break() {
            return Ok(Reached::Full);
        }
    }
    Ok(if visited < STEP_ROWS { Reached::End } else { reached })
}

/// Reads the accounts of products, in the order of their ids, until that is enough.
pub(super) fn accounts(
    connection: &Connection,
    after: Option<ProductId>,
    mut add: impl FnMut(StockAccount) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let list = format!("SELECT {COLUMNS} FROM product WHERE id > ?1 ORDER BY id");
    let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
    for account in connection.prepare_cached(&list)?.query_map([after], account)? {
        if add(account?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Stores a new product. One that is stored already stays as it is: ids are made once.
fn insert(connection: &Connection, product: &Product) -> rusqlite::Result<()> {
    let insert = "
        INSERT INTO product(id, name, price, currency, version, created_at, initial, available, test)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8) ON CONFLICT(id) DO NOTHING";
    let row = params![
        product.id.as_bytes(),
        product.name,
        product.price.minor(),
        product.currency.as_str(),
        product.version,
        product.created_at.as_millis(),
        product.stock,
        product.test,
    ];
    match connection.prepare_cached(insert)?.execute(row)? {
        0 => Ok(()),
        _ => editions::note(connection, product.id, product.created_at),
    }
}

pub(super) fn select(connection: &Connection, id: ProductId) -> rusqlite::Result<Option<Product>> {
    let select = format!("SELECT {COLUMNS} FROM product WHERE id = ?1");
    connection.prepare_cached(&select)?.query_row([id.as_bytes()], product).optional()
}

/// The product as reservations need it.
pub(super) fn item(connection: &Connection, id: ProductId) -> rusqlite::Result<Option<Item>> {
    let select = "SELECT name, price, currency, initial, restocked, available, reserved, sold
                  FROM product WHERE id = ?1";
    let read = |row: &Row<'_>| {
        let stock = Stock {
            initial: row.get(3)?,
            restocked: row.get(4)?,
            available: row.get(5)?,
            reserved: row.get(6)?,
            sold: row.get(7)?,
        };
        let currency = currency(row, 2)?;
        Ok(Item { name: row.get(0)?, price: price(row, 1, currency)?, currency, stock })
    };
    connection.prepare_cached(select)?.query_row([id.as_bytes()], read).optional()
}

/// Writes where the units of a product are after some moved for a reservation. Of test data this is noted.
pub(super) fn write_moved(connection: &Connection, id: ProductId, stock: Stock) -> rusqlite::Result<()> {
    let update = "UPDATE product SET restocked = ?2, available = ?3, reserved = ?4, sold = ?5, used = test
                  WHERE id = ?1";
    let row = params![id.as_bytes(), stock.restocked, stock.available, stock.reserved, stock.sold];
    connection.prepare_cached(update)?.execute(row).map(|_| ())
}

pub(super) fn product(row: &Row<'_>) -> rusqlite::Result<Product> {
    let currency = currency(row, 3)?;
    Ok(Product {
        id: ProductId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        price: price(row, 2, currency)?,
        currency,
        version: row.get(4)?,
        created_at: Timestamp::from_millis(row.get(5)?),
        stock: row.get(8)?,
        test: row.get(TEST)?,
    })
}

fn account(row: &Row<'_>) -> rusqlite::Result<StockAccount> {
    Ok(StockAccount {
        product_id: ProductId::from_bytes(row.get(0)?),
        initial: row.get(6)?,
        restocked: row.get(7)?,
        available: row.get(8)?,
        reserved: row.get(9)?,
        sold: row.get(10)?,
    })
}

/// A price in minor units of its currency.
pub(super) fn price(row: &Row<'_>, column: usize, currency: Currency) -> rusqlite::Result<Money> {
    let minor = row.get(column)?;
    Money::of(minor, currency).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, minor))
}

pub(super) fn currency(row: &Row<'_>, column: usize) -> rusqlite::Result<Currency> {
    let wrong = |error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error));
    row.get_ref(column)?.as_str()?.parse().map_err(wrong)
}
