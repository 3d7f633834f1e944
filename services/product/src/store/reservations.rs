//! The transactions that change reservations: gather, decide, write back.

use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_contract::reservation::{Action, Answer, Line, Operation, ReservationState};
use ordersys_contract::{OrderId, ProductId, Quantity, Timestamp};
use ordersys_store::{StoreError, failpoint};
use rusqlite::{Connection, params};

use super::Tables;
use super::defects;
use super::rows::{gather, gather_item, gather_reservation, write_back};
use crate::domain::inventory::Inventory;
use crate::domain::stock::Stock;
use crate::domain::transition::Event;

/// Most leases ended in one commit.
const SWEEP_LIMIT: u32 = 512;

/// How a single-product hold or its giving back ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HoldOutcome {
    /// Done; the stock as it is now.
    Done(Stock),
    /// The reservation stands otherwise.
    Answer(Answer),
    /// Not that many units are held that way.
    NothingHeld,
    /// There is no such product.
    NotFound,
}

impl Tables {
    /// Decides a batch of operations in one transaction; one answer each, in order. A batch whose
    /// deadline passes while it waits is not done.
    pub(crate) async fn apply(
        &self,
        operations: Vec<Operation>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Vec<Answer>, StoreError> {
        let answers = self
            .0
            .write(move |connection| {
                if deadline.has_passed(Instant::now()) {
                    return Ok(None);
                }
                let now = advance_clock(connection, now)?;
                let mut inventory = gather(connection, &operations)?;
                let decide = |operation| {
                    defects::instead(operation).unwrap_or_else(|| inventory.apply(operation, now))
                };
                let mut answers = operations.iter().map(decide).collect::<Vec<_>>();
                write_back(connection, &inventory, None)?;
                defects::after(connection, &mut answers)?;
                failpoint::crash("product-apply");
                Ok(Some(answers))
            })
            .await?;
        answers.ok_or(StoreError::Late)
    }

    /// Ends leases that are over; returns how many ended.
    pub(crate) async fn end_leases(&self, now: Timestamp) -> Result<usize, StoreError> {
        let due = "SELECT order_id FROM reservation
                   WHERE state = 0 AND lease_until IS NOT NULL AND lease_until < ?1 LIMIT ?2";
        let find = move |connection: &Connection| -> rusqlite::Result<Vec<OrderId>> {
            let mut statement = connection.prepare_cached(due)?;
            let rows = statement.query_map(params![now.as_millis(), SWEEP_LIMIT], |row| {
                row.get(0).map(OrderId::from_bytes)
            })?;
            rows.collect()
        };
        let over = self.0.read(find).await?;
        if over.is_empty() {
            return Ok(0);
        }
        self.0
            .write(move |connection| {
                advance_clock(connection, now)?;
                let mut inventory = Inventory::default();
                for id in &over {
                    gather_reservation(connection, &mut inventory, *id)?;
                    inventory.advance(*id, Event::LeaseEnd);
                }
                write_back(connection, &inventory, None).map(|()| over.len())
            })
            .await
    }

    /// The article's reserve: holds units of one product, without a lease.
    pub(crate) async fn hold(
        &self,
        id: OrderId,
        product: ProductId,
        quantity: Quantity,
    ) -> Result<HoldOutcome, StoreError> {
        self.0
            .write(move |connection| {
                let mut inventory = Inventory::default();
                gather_reservation(connection, &mut inventory, id)?;
                gather_item(connection, &mut inventory, product)?;
                let Some(before) = inventory.item(product).map(|item| item.stock) else {
                    return Ok(HoldOutcome::NotFound);
                };
                let lines = vec![Line { product_id: product, quantity }];
                let action = Action::Reserve {
                    lines,
                    commit: false,
                    lease_ms: 0,
                    not_after: Timestamp::from_millis(i64::MAX),
                };
                let known = inventory.reservation(id).is_some();
                let answer = if known {
                    let request_id = ordersys_contract::RequestId::random();
                    inventory.apply(
                        &Operation { order_id: id, request_id, trace_parent: None, action },
                        Timestamp::now(),
                    )
                } else {
                    let line = Line { product_id: product, quantity };
                    inventory.reserve(id, &[line], Event::Hold, None)
                };
                write_back(connection, &inventory, Some(product))?;
                let stock = inventory.item(product).map_or(before, |item| item.stock);
                Ok(match answer {
                    Answer::Stands(ref stands) if stands.state == ReservationState::Held => {
                        HoldOutcome::Done(stock)
                    }
                    other => HoldOutcome::Answer(other),
                })
            })
            .await
    }

    /// The article's release: gives back units held by [`Tables::hold`], of one hold if it is
    /// named, else of the oldest ones. All `quantity` units or none.
    pub(crate) async fn give_back(
        &self,
        product: ProductId,
        quantity: Quantity,
        id: Option<OrderId>,
    ) -> Result<HoldOutcome, StoreError> {
        self.0
            .write(move |connection| {
                let mut inventory = Inventory::default();
                gather_item(connection, &mut inventory, product)?;
                if inventory.item(product).is_none() {
                    return Ok(HoldOutcome::NotFound);
                }
                let holds = match id {
                    Some(id) => vec![id],
                    None => direct_holds(connection, product, quantity)?,
                };
                let mut wanted = quantity.get();
                for hold in holds {
                    gather_reservation(connection, &mut inventory, hold)?;
                    let held = held_units(&inventory, hold, product).min(wanted);
                    if held > 0 && inventory.give_back(hold, product, held).is_some() {
                        wanted -= held;
                    }
                }
                match inventory.item(product) {
                    Some(item) if wanted == 0 => {
                        let stock = item.stock;
                        write_back(connection, &inventory, Some(product))?;
                        Ok(HoldOutcome::Done(stock))
                    }
                    _ => Ok(HoldOutcome::NothingHeld),
                }
            })
            .await
    }
}

fn held_units(inventory: &Inventory, id: OrderId, product: ProductId) -> u32 {
    let held = inventory.reservation(id).filter(|stored| stored.state == ReservationState::Held);
    match held.map(|stored| stored.lines.as_slice()) {
        Some([line]) if line.product_id == product => line.quantity.get(),
        _ => 0,
    }
}

/// The oldest holds of a product; each holds at least one unit, so `quantity` of them suffice.
fn direct_holds(
    connection: &Connection,
    product: ProductId,
    quantity: Quantity,
) -> rusqlite::Result<Vec<OrderId>> {
    let select = "SELECT order_id FROM reservation
                  WHERE state = 0 AND direct_product = ?1 ORDER BY order_id LIMIT ?2";
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement
        .query_map(params![product.as_bytes(), quantity.get()], |row| row.get(0).map(OrderId::from_bytes))?;
    rows.collect()
}

/// The service's time: the wall clock's, but never earlier than it was, also across restarts.
fn advance_clock(connection: &Connection, now: Timestamp) -> rusqlite::Result<Timestamp> {
    let update = "UPDATE clock SET now = max(now, ?1) RETURNING now";
    let millis = connection.prepare_cached(update)?.query_row([now.as_millis()], |row| row.get(0))?;
    Ok(Timestamp::from_millis(millis))
}
