//! Reservations that hold nothing and never will: kept in a short form, and not for ever.
//!
//! They answer late and repeated calls for their ids: a rejection stays one, and a tombstone keeps a late
//! reserve out. Such calls end within a second; these rows stay for minutes at least.

use std::time::Instant;

use ordersys_store::StoreError;
use ordersys_store::retention::{BATCH, Id};
use rusqlite::{Connection, OptionalExtension, params};

use super::Tables;

impl Tables {
    /// Lets the oldest of them go, up to a number; returns how many.
    pub(crate) async fn forget_refused(&self) -> Result<usize, StoreError> {
        let recent = self.2.clone();
        if recent.bound(Instant::now()).is_none() {
            return Ok(0);
        }
        let retention = *recent.retention();
        let last = self.0.scan(move |connection| last_to_go(connection, retention.most)).await?;
        let Some((newest, beyond)) = last else { return Ok(0) };
        let last = retention.last_to_go(newest, beyond);
        if !self
            .0
            .scan(move |connection| oldest(connection).map(|oldest| oldest.is_some_and(|id| id <= last)))
            .await?
        {
            return Ok(0);
        }
        self.0
            .write(move |connection| {
                // Asked in the writer, after all that was written before.
                let Some(bound) = recent.bound(Instant::now()) else { return Ok(0) };
                forget(connection, last, bound)
            })
            .await
    }
}

/// The newest reservation, and the newest refused one beyond the number of those that are kept.
fn last_to_go(connection: &Connection, most: u32) -> rusqlite::Result<Option<(Id, Option<Id>)>> {
    let newest = "SELECT order_id FROM reservation ORDER BY order_id DESC LIMIT 1";
    let beyond = "SELECT order_id FROM reservation INDEXED BY refused
                  WHERE state = 2 OR state = 3 OR state = 4 ORDER BY order_id DESC LIMIT 1 OFFSET ?1";
    let newest = connection.prepare_cached(newest)?.query_row([], |row| row.get(0)).optional()?;
    let beyond = connection.prepare_cached(beyond)?.query_row([most], |row| row.get(0)).optional()?;
    Ok(newest.map(|newest| (Id::from_be_bytes(newest), beyond.map(Id::from_be_bytes))))
}

fn oldest(connection: &Connection) -> rusqlite::Result<Option<Id>> {
    let oldest = "SELECT order_id FROM reservation INDEXED BY refused
                  WHERE state = 2 OR state = 3 OR state = 4 ORDER BY order_id LIMIT 1";
    let oldest = connection.prepare_cached(oldest)?.query_row([], |row| row.get(0)).optional()?;
    Ok(oldest.map(Id::from_be_bytes))
}

fn forget(connection: &Connection, last: Id, bound: Id) -> rusqlite::Result<usize> {
    let delete = "DELETE FROM reservation WHERE order_id IN (
                      SELECT order_id FROM reservation INDEXED BY refused
                      WHERE (state = 2 OR state = 3 OR state = 4) AND order_id <= ?1 AND order_id < ?2
                      ORDER BY order_id LIMIT ?3)";
    let row = params![last.to_be_bytes(), bound.to_be_bytes(), BATCH];
    connection.prepare_cached(delete)?.execute(row)
}
