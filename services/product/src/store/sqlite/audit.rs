//! What checks from outside read: every reservation, and the sums of their lines beside the stock.

use std::collections::HashMap;
use std::time::Instant;

use ordersys_contract::product::StockEvidence;
use ordersys_contract::reservation::{Reservation, ReservationRecord, ReservationState};
use ordersys_contract::{OrderId, ProductId, Quantity};
use ordersys_store::{Add, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Deserialize;

use super::Tables;
use super::catalog::accounts;
use super::rows::{json, read};
use crate::store::ReservationFilter;
use crate::store::forms::code;

const COLUMNS: &str = "state, lines, coalesce(short, shortages), lease_ms, direct_product, order_id";

/// Units of one product in the lines of reservations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct LineSums {
    held: u64,
    committed: u64,
}

/// What a sum needs of a stored line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Units {
    product_id: ProductId,
    quantity: Quantity,
}

impl Tables {
    pub(crate) async fn reservation(&self, id: OrderId) -> Result<Option<ReservationRecord>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM reservation WHERE order_id = ?1");
        let found = self.0.scan(move |connection| {
            connection.prepare_cached(&select)?.query_row([id.as_bytes()], record).optional()
        });
        Ok(found.await?.map(|record| self.with_overdue(record)))
    }

    /// Reservations, newest first.
    pub(crate) async fn reservations<P: Send + 'static>(
        &self,
        ReservationFilter { before, limit }: ReservationFilter,
        mut page: P,
        mut add: Add<P, ReservationRecord>,
    ) -> Result<P, StoreError> {
        let select =
            format!("SELECT {COLUMNS} FROM reservation WHERE order_id < ?1 ORDER BY order_id DESC LIMIT ?2");
        let tables = self.clone();
        self.0
            .read(move |connection| {
                // Longer than any id, so greater than all of them.
                let before = before.as_ref().map_or(&[0xff; 17][..], |id| id.as_bytes());
                let mut statement = connection.prepare_cached(&select)?;
                for record in statement.query_map(params![before, limit], record)? {
                    if add(&mut page, tables.with_overdue(record?)).is_break() {
                        break;
                    }
                }
                Ok(page)
            })
            .await
    }

    fn with_overdue(&self, mut record: ReservationRecord) -> ReservationRecord {
        if record.reservation.state == ReservationState::Held {
            let overdue = self.1.overdue(record.reservation.order_id, Instant::now());
            record.overdue_ms = overdue.map(|overdue| u64::try_from(overdue.as_millis()).unwrap_or(u64::MAX));
        }
        record
    }

    /// The account of every product after `after` and the sums of its lines, in one snapshot.
    pub(crate) async fn evidence<P: Send + 'static>(
        &self,
        after: Option<ProductId>,
        mut page: P,
        mut add: Add<P, StockEvidence>,
    ) -> Result<P, StoreError> {
        self.0
            .scan(move |connection| {
                // All statements of one transaction read the same snapshot.
                let snapshot = connection.unchecked_transaction()?;
                let sums = line_sums(&snapshot)?;
                accounts(&snapshot, after, |account| {
                    let LineSums { held, committed } =
                        sums.get(&account.product_id).copied().unwrap_or_default();
                    add(&mut page, StockEvidence { account, held_lines: held, committed_lines: committed })
                })?;
                Ok(page)
            })
            .await
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<ReservationRecord> {
    let stored = read(row)?;
    let direct_product = row.get::<_, Option<_>>(4)?.map(ProductId::from_bytes);
    let (direct, order_id) = (direct_product.is_some(), OrderId::from_bytes(row.get(5)?));
    let reservation =
        Reservation { order_id, state: stored.state, lines: stored.lines, shortages: stored.shortages };
    Ok(ReservationRecord { reservation, lease_ms: stored.lease_ms, overdue_ms: None, direct, direct_product })
}

/// Adds up the lines of all reservations that bind stock, one row at a time.
fn line_sums(connection: &Connection) -> rusqlite::Result<HashMap<ProductId, LineSums>> {
    let (held, committed) = (code(ReservationState::Held), code(ReservationState::Committed));
    let mut sums = HashMap::<ProductId, LineSums>::new();
    let mut statement =
        connection.prepare_cached("SELECT state, lines FROM reservation WHERE state IN (?1, ?2)")?;
    let mut rows = statement.query([held, committed])?;
    while let Some(row) = rows.next()? {
        let state: i16 = row.get(0)?;
        let lines: Vec<Units> = json(1, row.get_ref(1)?.as_bytes()?)?;
        for Units { product_id, quantity } in lines {
            let sums = sums.entry(product_id).or_default();
            let sum = if state == held { &mut sums.held } else { &mut sums.committed };
            *sum = sum.saturating_add(quantity.get().into());
        }
    }
    Ok(sums)
}
