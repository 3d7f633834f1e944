//! Where all units are, summed over the products, for those who watch.

use ordersys_store::StoreError;
use rusqlite::Connection;

use super::Tables;

/// Units of all products, by where they are. Sums may exceed 64 bits, so they are approximate from 2^53 on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StockTotals {
    /// Put in at first and by restocking.
    pub(crate) put_in: f64,
    /// Can be ordered.
    pub(crate) available: f64,
    /// Held for orders not yet decided.
    pub(crate) reserved: f64,
    /// Left with an order.
    pub(crate) sold: f64,
    /// Products with units that are not accounted for, or with less than none.
    pub(crate) unbalanced: i64,
}

impl Tables {
    /// The sums over all products, in one snapshot.
    pub(crate) async fn stock_totals(&self) -> Result<StockTotals, StoreError> {
        self.0.scan(totals).await
    }
}

fn totals(connection: &Connection) -> rusqlite::Result<StockTotals> {
    let sums = "
        SELECT TOTAL(initial) + TOTAL(restocked), TOTAL(available), TOTAL(reserved), TOTAL(sold),
            COUNT(*) FILTER (
                WHERE initial + restocked <> available + reserved + sold OR MIN(available, reserved, sold) < 0
            )
        FROM product";
    connection.prepare_cached(sums)?.query_row([], |row| {
        Ok(StockTotals {
            put_in: row.get(0)?,
            available: row.get(1)?,
            reserved: row.get(2)?,
            sold: row.get(3)?,
            unbalanced: row.get(4)?,
        })
    })
}
