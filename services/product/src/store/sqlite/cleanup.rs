//! Removing test data that no order needs.
//!
//! Whenever units of such a product move for a reservation, this is noted in its row, in the same transaction. Only
//! products of which it is not noted are removed, by the same writer: no reservation has a line of them. Orders that
//! come later name a product that does not exist, and are rejected as all such orders are.

use std::time::Duration;

use ordersys_contract::test_data::{CLEANUP_ROWS, Cleaned, Cleanup};
use ordersys_contract::{ProductId, Timestamp};
use ordersys_store::StoreError;
use ordersys_store::answers::{Answers, CommandId};
use rusqlite::{Connection, params};

use super::Tables;

impl Tables {
    /// Removes some of the products that are test data and of which no unit was ever reserved, with their versions.
    pub(crate) async fn clean_up(
        &self,
        command: CommandId,
        step: Cleanup<ProductId>,
    ) -> Result<Cleaned<ProductId>, StoreError> {
        let answers = self.3.clone();
        self.0
            .write(move |connection| {
                if let Some(done) = Answers::find(connection, command)? {
                    return Ok(done);
                }
                let cleaned = clean_up(connection, &step)?;
                answers.keep(connection, command, &cleaned)?;
                Ok(cleaned)
            })
            .await
    }
}

fn clean_up(connection: &Connection, step: &Cleanup<ProductId>) -> rusqlite::Result<Cleaned<ProductId>> {
    let select = "SELECT id, used, created_at FROM product INDEXED BY test_product
                  WHERE test = 1 AND id > ?1 ORDER BY id LIMIT ?2";
    let after = step.after.as_ref().map_or(&[][..], |id| id.as_bytes());
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_map(params![after, CLEANUP_ROWS], |row| {
        let made = Timestamp::from_millis(row.get(2)?);
        Ok((ProductId::from_bytes(row.get(0)?), row.get::<_, bool>(1)?, made))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let last = Timestamp::now().before(Duration::from_secs(step.older_than.into()));
    let mut cleaned = Cleaned { removed: 0, kept: 0, young: 0, next: None };
    for (id, used, made) in &rows {
        if *used {
            cleaned.kept += 1;
        } else if *made > last {
            cleaned.young += 1;
        } else {
            remove(connection, *id)?;
            cleaned.removed += 1;
        }
    }
    cleaned.next = rows.last().map(|(id, ..)| *id).filter(|_| rows.len() == CLEANUP_ROWS as usize);
    Ok(cleaned)
}

fn remove(connection: &Connection, id: ProductId) -> rusqlite::Result<()> {
    for delete in [
        "DELETE FROM edition WHERE product_id = ?1",
        "DELETE FROM added WHERE product_id = ?1",
        "DELETE FROM product WHERE id = ?1",
    ] {
        connection.prepare_cached(delete)?.execute([id.as_bytes()])?;
    }
    Ok(())
}
