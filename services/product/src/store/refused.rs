//! Reservations that hold nothing and never will: kept in a short form, and not for ever.
//!
//! They answer late and repeated calls for their ids: a rejection stays one, and a tombstone keeps a late
//! reserve out. Such calls end within a second; these rows stay for minutes at least.

use std::time::Instant;

use ordersys_contract::reservation::{ReservationState, Shortage};
use ordersys_contract::{OrderId, ProductId};
use ordersys_store::StoreError;
use ordersys_store::pack::{Packer, Unpacker};
use ordersys_store::retention::{BATCH, Id};
use rusqlite::types::Type;
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

/// Whether a reservation holds nothing, never did or gave it back, and has no order that stands.
pub(super) fn is_refused(state: ReservationState) -> bool {
    match state {
        ReservationState::Rejected | ReservationState::Cancelled | ReservationState::Expired => true,
        ReservationState::Held | ReservationState::Committed | ReservationState::Released => false,
    }
}

pub(super) fn number(id: OrderId) -> Id {
    Id::from_be_bytes(*id.as_bytes())
}

/// What was short: how many products, then each with the units asked for and those there were.
pub(super) fn packed(shortages: &[Shortage]) -> Vec<u8> {
    let mut packer = Packer::default();
    packer.count(shortages.len() as u64);
    for Shortage { product_id, requested, available } in shortages {
        packer.id(product_id.as_bytes()).count(*requested).count(*available);
    }
    packer.into_bytes()
}

pub(super) fn unpacked(column: usize, bytes: &[u8]) -> rusqlite::Result<Vec<Shortage>> {
    let mut unpacker = Unpacker::new(bytes);
    let shortages = unpacker.list(|unpacker| {
        let product_id = ProductId::from_bytes(unpacker.id()?);
        Some(Shortage { product_id, requested: unpacker.count()?, available: unpacker.count()? })
    });
    let wrong = || rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, "what was short".into());
    shortages.filter(|_| unpacker.is_at_end()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::super::rows::code;
    use super::*;

    #[test]
    fn the_states_are_those_the_index_names() {
        for state in ReservationState::ALL {
            assert_eq!(is_refused(state), matches!(code(state), 2..=4), "{state:?}");
        }
    }

    #[test]
    fn a_hundred_short_products_take_two_kilobytes() {
        let short = |number| Shortage { product_id: ProductId::now(), requested: 10_000, available: number };
        let shortages: Vec<_> = (0..100).map(short).collect();
        let packed = packed(&shortages);
        assert!(packed.len() <= 2000, "{}", packed.len());
        assert_eq!(unpacked(0, &packed).expect("reads"), shortages);
        assert!(unpacked(0, &packed[..99]).is_err());
        assert!(unpacked(0, &[&packed[..], &[0]].concat()).is_err(), "nothing may follow");
    }
}
