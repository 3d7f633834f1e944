//! The order service's tables, in SQLite or in PostgreSQL.

use std::sync::Arc;

use ordersys_chassis::ClockSkew;
use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::order::{KeyRecord, OrderState};
use ordersys_contract::{IdempotencyKey, OrderId, UserId};
use ordersys_store::{Add, Location, OpenError, StoreError};

use crate::Config;
use crate::domain::access::Reach;
use crate::domain::lifecycle::Event;
use crate::domain::order::{StepContext, StoredOrder};

#[cfg(feature = "defects")]
mod defects;
mod filter;
mod form;
pub(crate) mod postgres;
mod sqlite;
mod steps;

#[cfg(feature = "defects")]
pub(crate) use defects::DefectiveOrders;
pub(crate) use filter::{Filter, KeyCursor, KeyFilter};
use steps::Steps;

/// How storing a new order ended.
#[derive(Debug)]
pub(crate) enum Inserted {
    Done,
    /// The key has an order already.
    KeyTaken(Box<StoredOrder>),
}

/// How a step of an order ended.
#[derive(Debug)]
pub(crate) enum Changed {
    Done(Box<StoredOrder>),
    Illegal(OrderState),
    NotFound,
}

/// The stored orders.
#[derive(Clone)]
pub(crate) struct Orders {
    backend: Backend,
    steps: Steps,
    newest: ClockSkew,
}

#[derive(Clone)]
enum Backend {
    Sqlite(sqlite::Orders),
    Postgres(postgres::Orders),
}

/// The same call on whichever store there is.
macro_rules! on {
    ($orders:ident.$call:ident($($argument:expr),*)$($await:tt)*) => {
        match &$orders.backend {
            Backend::Sqlite(orders) => orders.$call($($argument),*)$($await)*,
            Backend::Postgres(orders) => orders.$call($($argument),*)$($await)*,
        }
    };
}

impl Orders {
    pub(crate) async fn open(config: &Config, newest: ClockSkew) -> Result<Self, OpenError> {
        let backend = match config.store.clone() {
            Location::Directory { dir, durability } => {
                Backend::Sqlite(sqlite::Orders::open(dir, durability, config.retention)?)
            }
            Location::Database { address, password } => {
                Backend::Postgres(postgres::Orders::open(address, password, config.retention).await?)
            }
        };
        Ok(Self { backend, steps: Steps::default(), newest })
    }

    /// Why the store cannot do its work, if it cannot.
    pub(crate) fn trouble(&self) -> Option<String> {
        on!(self.trouble())
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        on!(self.register(registry));
        self.steps.register(registry);
    }

    pub(crate) async fn close(&self) {
        on!(self.close().await);
    }

    /// Whether other instances of the service work on the same orders.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// Stores a new order and its key, unless the key has an order already. Fails with
    /// [`StoreError::Taken`] if another order has the row of its id.
    pub(crate) async fn insert(
        &self,
        stored: Arc<StoredOrder>,
        key: Option<IdempotencyKey>,
    ) -> Result<Inserted, StoreError> {
        let inserted = on!(self.insert(stored, key).await)?;
        if matches!(inserted, Inserted::Done) {
            self.steps.count(OrderState::Pending);
        }
        Ok(inserted)
    }

    /// Stores orders that are over, and their keys, in one commit.
    pub(crate) async fn import(&self, all: Vec<(StoredOrder, IdempotencyKey)>) -> Result<(), StoreError> {
        on!(self.import(all).await)
    }

    /// Replaces the version before `next` by it. `false` if another version is stored, and did not come of it.
    pub(crate) async fn advance(&self, next: Arc<StoredOrder>) -> Result<bool, StoreError> {
        let reached = next.order.status;
        let replaced = on!(self.advance(next).await)?;
        if replaced {
            self.steps.count(reached);
        }
        Ok(replaced)
    }

    /// Lets an event happen to an order, whatever its version is by now.
    pub(crate) async fn change(
        &self,
        id: OrderId,
        reach: Reach,
        event: Event,
        context: StepContext,
    ) -> Result<Changed, StoreError> {
        let changed = on!(self.change(id, reach, event, context).await)?;
        if let Changed::Done(next) = &changed {
            self.steps.count(next.order.status);
            self.newest.saw(next.order.updated_at);
        }
        Ok(changed)
    }

    /// An order, if it is among those the caller reaches.
    pub(crate) async fn get(&self, id: OrderId, reach: Reach) -> Result<Option<StoredOrder>, StoreError> {
        on!(self.get(id, reach).await)
    }

    /// The order that a user's key was used for.
    pub(crate) async fn by_key(
        &self,
        user: UserId,
        key: IdempotencyKey,
    ) -> Result<Option<StoredOrder>, StoreError> {
        on!(self.by_key(user, key).await)
    }

    /// Orders whose outcome is not known yet and that nobody drives: all of them when this is the only instance, which
    /// has just started; else those of instances that have ended, which are this one's from now on.
    pub(crate) async fn take_over(&self) -> Result<Vec<StoredOrder>, StoreError> {
        match &self.backend {
            Backend::Sqlite(orders) => orders.unfinished().await,
            Backend::Postgres(orders) => orders.take_over().await,
        }
    }

    /// Where orders whose outcome is not known yet stand, up to `most` of them, oldest first.
    pub(crate) async fn unfinished_states(
        &self,
        most: u32,
    ) -> Result<Vec<(OrderId, OrderState)>, StoreError> {
        on!(self.unfinished_states(most).await)
    }

    /// Takes note of the times of the order with the newest id, and of that id.
    pub(crate) async fn see_newest(&self) -> Result<(), StoreError> {
        if let Some(newest) = on!(self.newest().await)? {
            self.newest.saw(newest);
        }
        Ok(())
    }

    /// Lets the oldest refused orders go, with their keys, up to a number; returns how many.
    pub(crate) async fn forget_refused(&self) -> Result<usize, StoreError> {
        on!(self.forget_refused().await)
    }

    /// A page of orders, newest first. It may hold fewer than asked for, or none; the order to go on before is
    /// then returned beside it.
    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        add: Add<P, StoredOrder>,
    ) -> Result<(P, Option<OrderId>), StoreError> {
        on!(self.list(filter, page, add).await)
    }

    /// Idempotency keys after a position, by key and user.
    pub(crate) async fn keys<P: Send + 'static>(
        &self,
        filter: KeyFilter,
        page: P,
        add: Add<P, KeyRecord>,
    ) -> Result<P, StoreError> {
        on!(self.keys(filter, page, add).await)
    }
}

#[cfg(test)]
mod tests;
