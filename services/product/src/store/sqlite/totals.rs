//! Where all units are, summed over the products, for those who watch.

use ordersys_store::StoreError;
use rusqlite::Connection;

use super::Tables;
use crate::store::StockTotals;

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
