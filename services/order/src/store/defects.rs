//! The mistakes of the order store that tests can switch on; see [`ordersys_store::defect`].

use std::ops::Deref;
use std::sync::Arc;

use ordersys_chassis::ClockSkew;
use ordersys_contract::order::OrderState;
use ordersys_contract::{IdempotencyKey, Money, OrderId, Quantity};
use ordersys_store::defect::Defect;
use ordersys_store::{OpenError, StoreError};
use rusqlite::Connection;

use super::sqlite::place;
use super::{Backend, Inserted, Orders};
use crate::Config;
use crate::domain::order::StoredOrder;

/// Units of a line that no order of a test has.
const STRANGE_UNITS: u64 = 777;

/// The stored orders, in which some are lost, doubled, made up or wrong.
#[derive(Clone)]
pub(crate) struct DefectiveOrders(Orders);

impl Deref for DefectiveOrders {
    type Target = Orders;

    fn deref(&self) -> &Orders {
        &self.0
    }
}

impl DefectiveOrders {
    pub(crate) async fn open(config: &Config, newest: ClockSkew) -> Result<Self, OpenError> {
        Orders::open(config, newest).await.map(Self)
    }

    /// Stores a second order for a key that has one.
    pub(crate) async fn insert(
        &self,
        stored: Arc<StoredOrder>,
        key: Option<IdempotencyKey>,
    ) -> Result<Inserted, StoreError> {
        let inserted = self.0.insert(Arc::clone(&stored), key).await?;
        if matches!(inserted, Inserted::KeyTaken(_)) && Defect::DuplicateOnRetry.strikes() {
            return self.0.insert(stored, None).await;
        }
        Ok(inserted)
    }

    /// Stores a confirmed order with a wrong total, with another one beside it, or not for long.
    pub(crate) async fn advance(&self, next: Arc<StoredOrder>) -> Result<bool, StoreError> {
        if next.order.status != OrderState::Confirmed {
            return self.0.advance(next).await;
        }
        let id = next.order.id;
        let stored = if Defect::WrongTotal.strikes() { too_dear(&next) } else { Arc::clone(&next) };
        let advanced = self.0.advance(stored).await?;
        if advanced && Defect::PhantomOrder.strikes() {
            self.0.insert(phantom(&next), None).await?;
        }
        if advanced && Defect::LostOrder.strikes() {
            self.lose(id).await?;
        }
        Ok(advanced)
    }

    async fn lose(&self, id: OrderId) -> Result<(), StoreError> {
        let delete = move |connection: &Connection| {
            connection.execute("DELETE FROM placed WHERE place = ?1", [place(id)]).map(|_| ())
        };
        match &self.0.backend {
            Backend::Sqlite(orders) => orders.store().write(delete).await,
            Backend::Postgres(_) => Err(StoreError::Statement("orders are lost in SQLite only".to_owned())),
        }
    }
}

fn too_dear(stored: &StoredOrder) -> Arc<StoredOrder> {
    let mut dear = stored.clone();
    let cent = Money::from_minor(1).unwrap_or_default();
    dear.order.total = dear.order.total.plus(cent).unwrap_or_default();
    Arc::new(dear)
}

fn phantom(stored: &StoredOrder) -> Arc<StoredOrder> {
    let mut phantom = stored.renamed(OrderId::now());
    for item in &mut phantom.order.items {
        item.quantity = Quantity::new(STRANGE_UNITS).unwrap_or(item.quantity);
    }
    Arc::new(phantom)
}
