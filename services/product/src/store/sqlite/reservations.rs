//! The transactions that change reservations: gather, decide, write back.

use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_contract::reservation::{Answer, Line, Operation, ReservationState};
use ordersys_contract::{OrderId, ProductId, Quantity};
use ordersys_store::answers::Answers;
use ordersys_store::retention::Recent;
use ordersys_store::{StoreError, failpoint};
use rusqlite::{Connection, params};

use super::Tables;
use super::leases::Leases;
use super::rows::{gather, gather_item, gather_reservation, write_back};
use crate::domain::inventory::{Change, Inventory};
use crate::domain::transition::Event;
use crate::store::forms::{is_refused, number};
use crate::store::{HoldOutcome, Part, holds};

/// Most leases ended in one commit.
const SWEEP_LIMIT: usize = 512;

impl Tables {
    /// Decides a batch of operations that `arrived` then in one transaction; one answer each, in order. A batch
    /// whose deadline passes while it waits is not done.
    pub(crate) async fn apply(
        &self,
        operations: Vec<Operation>,
        arrived: Instant,
        deadline: Deadline,
    ) -> Result<Vec<Answer>, StoreError> {
        let (leases, recent) = (self.1.clone(), self.2.clone());
        let answers = self
            .0
            .write(move |connection| {
                let now = Instant::now();
                if deadline.has_passed(now) {
                    return Ok(None);
                }
                let waited = now.saturating_duration_since(arrived);
                let mut inventory = gather(connection, &operations)?;
                let answers = operations.iter().map(|operation| inventory.apply(operation, waited)).collect();
                write_back(connection, &inventory, None)?;
                note(&recent, &inventory);
                begin_leases(&leases, &inventory, now);
                failpoint::crash(|| "product-apply");
                Ok(Some(answers))
            })
            .await?;
        let answers = answers.ok_or(StoreError::Late)?;
        failpoint::crash(|| "product-committed");
        Ok(answers)
    }

    /// Lets the leases that an earlier process left open begin anew. To be called once, at the start.
    pub(crate) async fn recover_leases(&self) -> Result<(), StoreError> {
        let select = "SELECT order_id, lease_ms FROM reservation WHERE state = 0 AND lease_ms IS NOT NULL";
        let leases = self.1.clone();
        let begin = move |connection: &Connection| -> rusqlite::Result<()> {
            let now = Instant::now();
            let mut statement = connection.prepare(select)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                leases.begin(OrderId::from_bytes(row.get(0)?), row.get(1)?, now);
            }
            Ok(())
        };
        self.0.read(begin).await
    }

    /// Ends leases that are over; returns how many ended.
    pub(crate) async fn end_leases(&self, now: Instant) -> Result<usize, StoreError> {
        let over = self.1.over(now, SWEEP_LIMIT);
        if over.is_empty() {
            return Ok(0);
        }
        let (ending, recent) = (over.clone(), self.2.clone());
        let end = move |connection: &Connection| {
            let mut inventory = Inventory::default();
            for id in &ending {
                gather_reservation(connection, &mut inventory, *id)?;
                inventory.advance(*id, Event::LeaseEnd);
            }
            note(&recent, &inventory);
            write_back(connection, &inventory, None)
        };
        self.0.write(end).await?;
        self.1.ended(&over);
        Ok(over.len())
    }

    /// The article's reserve: holds units of one product, without a lease.
    pub(crate) async fn hold(
        &self,
        id: OrderId,
        product: ProductId,
        quantity: Quantity,
    ) -> Result<HoldOutcome, StoreError> {
        let recent = self.2.clone();
        self.0
            .write(move |connection| {
                let mut inventory = Inventory::default();
                gather_reservation(connection, &mut inventory, id)?;
                gather_item(connection, &mut inventory, product)?;
                let outcome = holds::hold(&mut inventory, id, Line { product_id: product, quantity });
                write_back(connection, &inventory, Some(product))?;
                note(&recent, &inventory);
                Ok(outcome)
            })
            .await
    }

    /// The article's release: gives back units held by [`Tables::hold`], of one hold if it is
    /// named, else of the oldest ones. All units or none.
    pub(crate) async fn give_back(&self, product: ProductId, part: Part) -> Result<HoldOutcome, StoreError> {
        let (recent, answers) = (self.2.clone(), self.3.clone());
        self.0
            .write(move |connection| {
                if let Some(available) = Answers::find(connection, part.command)? {
                    return Ok(HoldOutcome::Done { available });
                }
                let mut inventory = Inventory::default();
                let outcome = give_back(connection, &mut inventory, product, &part)?;
                if let HoldOutcome::Done { available } = &outcome {
                    write_back(connection, &inventory, Some(product))?;
                    note(&recent, &inventory);
                    answers.keep(connection, part.command, available)?;
                }
                Ok(outcome)
            })
            .await
    }
}

/// Gives units back in the working set.
fn give_back(
    connection: &Connection,
    inventory: &mut Inventory,
    product: ProductId,
    part: &Part,
) -> rusqlite::Result<HoldOutcome> {
    gather_item(connection, inventory, product)?;
    let ids = match part.of {
        Some(id) => vec![id],
        None => direct_holds(connection, product, part.quantity)?,
    };
    for id in &ids {
        gather_reservation(connection, inventory, *id)?;
    }
    Ok(holds::give_back(inventory, product, part.quantity, &ids))
}

/// Notes what was refused or given back, so that it stays for a while.
fn note(recent: &Recent, inventory: &Inventory) {
    let over = inventory.changed_reservations().filter(|(_, stored, _)| is_refused(stored.state));
    for (id, ..) in over {
        recent.note(number(*id), Instant::now());
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

/// A hold that was made just now and ends by itself. One that is undone with its transaction is no hold when
/// its end comes, and nothing happens then.
fn begin_leases(leases: &Leases, inventory: &Inventory, now: Instant) {
    for (id, stored, change) in inventory.changed_reservations() {
        if let (Change::Inserted, ReservationState::Held, Some(length)) =
            (change, stored.state, stored.lease_ms)
        {
            leases.begin(*id, length, now);
        }
    }
}
