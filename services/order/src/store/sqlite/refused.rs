//! Orders that were refused: kept in a short form, and not for ever. Their keys go with them.

use std::time::Instant;

use ordersys_contract::order::OrderLine;
use ordersys_contract::reservation::Shortage;
use ordersys_contract::{IdempotencyKey, OrderId, ProductId, Quantity};
use ordersys_store::StoreError;
use ordersys_store::pack::{Packer, Unpacker};
use ordersys_store::retention::{BATCH, Id};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};

use super::Orders;
use super::rows::place;
use crate::domain::order::{Reason, StoredOrder};
use crate::store::form::{code, history};

/// The stored forms of reasons. Never changed, only added to.
const NO_REASON: u64 = 0;
const SHORTAGES: u64 = 1;
const UNKNOWN_PRODUCTS: u64 = 2;
const MIXED_CURRENCIES: u64 = 3;

impl Orders {
    /// Lets the oldest of them go, with their keys, up to a number; returns how many.
    pub(crate) async fn forget_refused(&self) -> Result<usize, StoreError> {
        let recent = self.1.clone();
        if recent.bound(Instant::now()).is_none() {
            return Ok(0);
        }
        let retention = *recent.retention();
        let ends = self.0.scan(move |connection| ends(connection, retention.most)).await?;
        let Some(Ends { newest, oldest, beyond }) = ends else { return Ok(0) };
        let last = retention.last_to_go(newest, beyond);
        if oldest > last {
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

/// The newest order, the oldest refused one, and the newest refused one beyond the number of those that are
/// kept.
struct Ends {
    newest: Id,
    oldest: Id,
    beyond: Option<Id>,
}

fn ends(connection: &Connection, most: u32) -> rusqlite::Result<Option<Ends>> {
    let one = |select: &str, offset: u32| {
        let mut statement = connection.prepare_cached(select)?;
        let id = statement.query_row([offset], |row| row.get(0)).optional()?;
        Ok::<_, rusqlite::Error>(id.map(Id::from_be_bytes))
    };
    let newest = one("SELECT id FROM placed ORDER BY place DESC LIMIT 1 OFFSET ?1", 0)?;
    let oldest = "SELECT id FROM placed INDEXED BY refused WHERE state = 5 OR state = 7 OR state = 10
                  ORDER BY place LIMIT 1 OFFSET ?1";
    let (Some(newest), Some(oldest)) = (newest, one(oldest, 0)?) else { return Ok(None) };
    let beyond = "SELECT id FROM placed WHERE place = (
                      SELECT place FROM placed INDEXED BY refused WHERE state = 5 OR state = 7 OR state = 10
                      ORDER BY place DESC LIMIT 1 OFFSET ?1)";
    Ok(Some(Ends { newest, oldest, beyond: one(beyond, most)? }))
}

fn forget(connection: &Connection, last: Id, bound: Id) -> rusqlite::Result<usize> {
    let place_of = |id: Id| place(OrderId::from_bytes(id.to_be_bytes()));
    let find = "SELECT place, user_id, room FROM placed INDEXED BY refused
                WHERE (state = 5 OR state = 7 OR state = 10) AND place <= ?1 AND place < ?2
                ORDER BY place LIMIT ?3";
    let mut find = connection.prepare_cached(find)?;
    let row = params![place_of(last), place_of(bound), BATCH];
    let found = find.query_map(row, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let found: Vec<(i64, [u8; 16], Option<Vec<u8>>)> = found.collect::<rusqlite::Result<_>>()?;
    let key_of = "DELETE FROM keys WHERE key = CAST(?1 AS TEXT) AND user_id = ?2
                  AND order_id = (SELECT id FROM placed WHERE place = ?3)";
    let (mut key_of, mut order) = (
        connection.prepare_cached(key_of)?,
        connection.prepare_cached("DELETE FROM placed WHERE place = ?1")?,
    );
    for (place, user, key) in &found {
        if let Some(key) = key {
            key_of.execute(params![key, user, place])?;
        }
        order.execute([place])?;
    }
    Ok(found.len())
}

/// What is left of the key in the room of an order: 0 without one, `None` if it is no key.
pub(super) fn print(room: &[u8]) -> Option<u32> {
    let key = room.split(|byte| *byte == 0).next().unwrap_or_default();
    if key.is_empty() {
        return Some(0);
    }
    std::str::from_utf8(key).ok().and_then(IdempotencyKey::parse).map(|key| key.print())
}

pub(super) fn number(id: OrderId) -> Id {
    Id::from_be_bytes(*id.as_bytes())
}

/// Writes a refused `next` over the version before it; `false` if that is not what is stored. Of the room only
/// the key is left.
pub(super) fn replace(connection: &Connection, next: &StoredOrder) -> rusqlite::Result<bool> {
    let update = "
        UPDATE placed SET state = ?4, version = ?5, items = '[]', reason = NULL, refused = ?6, history = ?7,
                          updated_at = ?8,
                          room = nullif(substr(room, 1, ifnull(nullif(instr(room, x'00'), 0) - 1, 128)), x'')
        WHERE place = ?1 AND id = ?2 AND version = ?3";
    let order = &next.order;
    let row = params![
        place(order.id),
        order.id.as_bytes(),
        order.version - 1,
        code(order.status),
        order.version,
        packed(&order.items, next.reason.as_ref()),
        history(&next.history),
        order.updated_at.as_millis(),
    ];
    Ok(connection.prepare_cached(update)?.execute(row)? == 1)
}

/// Lines and reason: how many lines, then product and units of each; what reason, then its products.
fn packed(lines: &[OrderLine], reason: Option<&Reason>) -> Vec<u8> {
    let mut packer = Packer::default();
    packer.count(lines.len() as u64);
    for line in lines {
        packer.id(line.product_id.as_bytes()).count(line.quantity.get().into());
    }
    match reason {
        None => {
            packer.count(NO_REASON);
        }
        Some(Reason::MixedCurrencies) => {
            packer.count(MIXED_CURRENCIES);
        }
        Some(Reason::UnknownProducts(products)) => {
            packer.count(UNKNOWN_PRODUCTS).count(products.len() as u64);
            for product in products {
                name(&mut packer, lines, *product);
            }
        }
        Some(Reason::Shortages(shortages)) => {
            packer.count(SHORTAGES).count(shortages.len() as u64);
            for Shortage { product_id, requested, available } in shortages {
                name(&mut packer, lines, *product_id);
                packer.count(*requested).count(*available);
            }
        }
    }
    packer.into_bytes()
}

/// Names a product by its line. One that has none is named after all lines.
fn name(packer: &mut Packer, lines: &[OrderLine], product: ProductId) {
    let line = lines.iter().position(|line| line.product_id == product);
    packer.count(line.unwrap_or(lines.len()) as u64);
    if line.is_none() {
        packer.id(product.as_bytes());
    }
}

/// Lines and reason as they were packed.
type Unpacked = (Vec<OrderLine>, Option<Reason>);

pub(super) fn unpacked(column: usize, bytes: &[u8]) -> rusqlite::Result<Unpacked> {
    let mut unpacker = Unpacker::new(bytes);
    let wrong = || rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, "a refused order".into());
    read(&mut unpacker).filter(|_| unpacker.is_at_end()).ok_or_else(wrong)
}

fn read(unpacker: &mut Unpacker<'_>) -> Option<Unpacked> {
    let lines = unpacker.list(|unpacker| {
        let product_id = ProductId::from_bytes(unpacker.id()?);
        let quantity = Quantity::new(unpacker.count()?)?;
        Some(OrderLine { product_id, quantity, name: None, unit_price: None, line_total: None })
    })?;
    let named = |unpacker: &mut Unpacker<'_>| {
        let line = usize::try_from(unpacker.count()?).ok()?;
        if line == lines.len() {
            return unpacker.id().map(ProductId::from_bytes);
        }
        lines.get(line).map(|line| line.product_id)
    };
    let reason = match unpacker.count()? {
        NO_REASON => None,
        MIXED_CURRENCIES => Some(Reason::MixedCurrencies),
        UNKNOWN_PRODUCTS => Some(Reason::UnknownProducts(unpacker.list(named)?)),
        SHORTAGES => Some(Reason::Shortages(unpacker.list(|unpacker| {
            let product_id = named(unpacker)?;
            Some(Shortage { product_id, requested: unpacker.count()?, available: unpacker.count()? })
        })?)),
        _ => return None,
    };
    Some((lines, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: u64) -> Vec<OrderLine> {
        let line = |number| OrderLine {
            product_id: ProductId::now(),
            quantity: Quantity::new(number + 1).expect("in range"),
            name: None,
            unit_price: None,
            line_total: None,
        };
        (0..count).map(line).collect()
    }

    #[test]
    fn every_reason_is_read_as_it_was_packed() {
        let lines = lines(100);
        let shortage = |line: &OrderLine| Shortage {
            product_id: line.product_id,
            requested: line.quantity.get().into(),
            available: 300,
        };
        let mut shortages: Vec<_> = lines.iter().map(shortage).collect();
        let named = packed(&lines, Some(&Reason::Shortages(shortages.clone()))).len();
        assert!(named <= 2200, "{named} bytes for a hundred lines, all of them short");
        shortages[7].product_id = ProductId::now();
        let unknown = vec![lines[3].product_id, ProductId::now()];
        let reasons = [
            None,
            Some(Reason::MixedCurrencies),
            Some(Reason::UnknownProducts(unknown)),
            Some(Reason::Shortages(shortages)),
        ];
        for reason in reasons {
            let bytes = packed(&lines, reason.as_ref());
            assert_eq!(unpacked(0, &bytes).expect("reads"), (lines.clone(), reason));
            assert!(unpacked(0, &bytes[..bytes.len() - 1]).is_err());
            assert!(unpacked(0, &[&bytes[..], &[0]].concat()).is_err(), "nothing may follow");
        }
    }
}
