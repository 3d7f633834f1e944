//! The mistakes of the product store that tests can switch on; see [`ordersys_store::defect`].

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_contract::ProductId;
use ordersys_contract::product::Product;
use ordersys_contract::reservation::{
    Action, Answer, Line, Operation, PricedLine, Reservation, ReservationState, Shortage,
};
use ordersys_store::defect::Defect;
use ordersys_store::{OpenError, StoreError};
use rusqlite::{Connection, params};

use super::{Backend, Tables};
use crate::Config;

/// The stored catalog, stock and reservations, in which some units are missing, doubled or made up.
#[derive(Clone)]
pub(crate) struct DefectiveTables {
    tables: Tables,
    /// Units that were sold beyond the stock.
    oversold: Arc<Mutex<HashMap<ProductId, u64>>>,
}

impl Deref for DefectiveTables {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        &self.tables
    }
}

impl DefectiveTables {
    pub(crate) async fn open(config: &Config) -> Result<Self, OpenError> {
        let tables = Tables::open(config).await?;
        Ok(Self { tables, oversold: Arc::default() })
    }

    /// Writes what is wrong, which SQLite alone is made to hold.
    async fn write<F>(&self, command: F) -> Result<(), StoreError>
    where
        F: Fn(&Connection) -> rusqlite::Result<()> + Send + 'static,
    {
        match &self.tables.0 {
            Backend::Sqlite(tables) => tables.write(command).await,
            Backend::Postgres(_) => Err(StoreError::Statement(
                "mistakes on purpose are made in a store on SQLite only".to_owned(),
            )),
        }
    }

    /// A product, whose stock is below zero if it was oversold.
    pub(crate) async fn get(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let oversold = self.oversold.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
        let found = self.tables.get(id).await?;
        let short = |product: Product| {
            let stock = product.stock.wrapping_sub(oversold.unwrap_or_default());
            Product { stock, ..product }
        };
        Ok(found.map(short))
    }

    /// Decides a batch of operations, some of them wrongly.
    pub(crate) async fn apply(
        &self,
        operations: Vec<Operation>,
        arrived: Instant,
        deadline: Deadline,
    ) -> Result<Vec<Answer>, StoreError> {
        let made_up: Vec<_> = operations.iter().map(false_shortage).collect();
        let others = operations.into_iter().zip(&made_up).filter(|(_, made_up)| made_up.is_none());
        let others: Vec<_> = others.map(|(operation, _)| operation).collect();
        let asked: Vec<_> = others.iter().map(lines).collect();
        let mut answers = self.tables.apply(others, arrived, deadline).await?;
        for (answer, asked) in answers.iter_mut().zip(&asked) {
            self.corrupt(answer, asked).await?;
        }
        let mut answers = answers.into_iter();
        Ok(made_up.into_iter().filter_map(|made_up| made_up.or_else(|| answers.next())).collect())
    }

    async fn corrupt(&self, answer: &mut Answer, asked: &[Line]) -> Result<(), StoreError> {
        let Answer::Stands(reservation) = answer else { return Ok(()) };
        match reservation.state {
            ReservationState::Committed if Defect::TakenTwice.strikes() => {
                self.take_again(reservation.lines.clone()).await
            }
            ReservationState::Rejected if Defect::BelowZero.strikes() => {
                reservation.lines = self.priced(asked).await?;
                self.oversell(reservation).await
            }
            _ => Ok(()),
        }
    }

    async fn take_again(&self, lines: Vec<PricedLine>) -> Result<(), StoreError> {
        let update = "UPDATE product SET available = available - ?2, sold = sold + ?2 WHERE id = ?1";
        let take = move |connection: &Connection| {
            for line in &lines {
                connection.execute(update, params![line.product_id.as_bytes(), line.quantity.get()])?;
            }
            Ok(())
        };
        self.write(take).await
    }

    async fn priced(&self, lines: &[Line]) -> Result<Vec<PricedLine>, StoreError> {
        let mut priced = Vec::with_capacity(lines.len());
        for Line { product_id, quantity } in lines.iter().copied() {
            let found = self.tables.get(product_id).await?;
            priced.extend(found.map(|Product { name, price, currency, .. }| PricedLine {
                product_id,
                name,
                quantity,
                unit_price: price,
                currency,
            }));
        }
        Ok(priced)
    }

    async fn oversell(&self, reservation: &mut Reservation) -> Result<(), StoreError> {
        let (order, lines) = (reservation.order_id, serde_json::to_string(&reservation.lines));
        let lines = lines.unwrap_or_default();
        let commit = move |connection: &Connection| {
            let update = "UPDATE reservation SET state = 1, lines = ?2, short = NULL WHERE order_id = ?1";
            connection.execute(update, params![order.as_bytes(), lines]).map(|_| ())
        };
        self.write(commit).await?;
        reservation.state = ReservationState::Committed;
        reservation.shortages.clear();
        let mut oversold = self.oversold.lock().unwrap_or_else(PoisonError::into_inner);
        for line in &reservation.lines {
            *oversold.entry(line.product_id).or_default() += u64::from(line.quantity.get());
        }
        Ok(())
    }
}

/// The lines that an operation asks for.
fn lines(operation: &Operation) -> Vec<Line> {
    match &operation.action {
        Action::Reserve { lines, .. } => lines.clone(),
        Action::Confirm | Action::Cancel | Action::Release => Vec::new(),
    }
}

/// What is answered to an operation instead of doing it.
fn false_shortage(operation: &Operation) -> Option<Answer> {
    let Action::Reserve { lines, .. } = &operation.action else { return None };
    if !Defect::FalseShortage.strikes() {
        return None;
    }
    let shortage = |line: &Line| Shortage {
        product_id: line.product_id,
        requested: u64::from(line.quantity.get()),
        available: 0,
    };
    let shortages = lines.iter().map(shortage).collect();
    let (order_id, state) = (operation.order_id, ReservationState::Rejected);
    Some(Answer::Stands(Reservation { order_id, state, lines: Vec::new(), shortages }))
}
