//! Users of earlier versions get the form of their address in which it is compared now.

use ordersys_store::StoreError;
use rusqlite::{Connection, params};

use super::Users;
use crate::domain::login;

/// Most users that are completed in one transaction.
const BATCH: usize = 500;

impl Users {
    /// Completes the addresses of all users that have none in this form. A login whose new form another one has
    /// already stays as it is.
    pub(crate) async fn complete_addresses(&self) -> Result<(), StoreError> {
        while self.0.write(complete_some).await? == BATCH {}
        Ok(())
    }
}

fn complete_some(connection: &Connection) -> rusqlite::Result<usize> {
    let select = "SELECT id, email FROM user WHERE address IS NULL ORDER BY id LIMIT ?1";
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_map([BATCH], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(Vec<u8>, String)> = rows.collect::<rusqlite::Result<_>>()?;
    for (id, email) in &rows {
        let form = login(email);
        let address = "UPDATE user SET address = ?2 WHERE id = ?1";
        connection.prepare_cached(address)?.execute(params![id, form])?;
        let own = "UPDATE OR IGNORE user SET login = ?2 WHERE id = ?1 AND login IS NOT NULL";
        connection.prepare_cached(own)?.execute(params![id, form])?;
    }
    Ok(rows.len())
}
