//! The order service's tables in PostgreSQL, on which several instances may work.

use std::sync::{Arc, Mutex, PoisonError};

use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::order::OrderState;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::{IdempotencyKey, OrderId, Secret, Timestamp, UserId};
use ordersys_store::postgres::{Lane, PgOptions, PgResult, Postgres, Session, get};
use ordersys_store::retention::Retention;
use ordersys_store::{OpenError, StoreError, failpoint, pg_params};

use super::{Changed, Inserted};
use crate::NAME;
use crate::domain::access::Reach;
use crate::domain::lifecycle::Event;
use crate::domain::order::{Evidence, StepContext, StoredOrder};

mod advance;
mod insert;
mod instance;
mod list;
mod refused;
mod rows;
mod schema;

use advance::{Advances, REPLACE};
use insert::{Inserts, by_key, locked};
use instance::Instance;
use rows::{COLUMNS, changed, order, order_id, state, uuid};
use schema::{MIGRATIONS, SCHEMA};

/// The stored orders.
#[derive(Clone)]
pub(crate) struct Orders {
    store: Postgres,
    lanes: Arc<Mutex<Option<Lanes>>>,
    instance: Instance,
    retention: Retention,
}

#[derive(Clone)]
struct Lanes {
    inserts: Lane<Inserts>,
    advances: Lane<Advances>,
}

/// The store of orders in a database.
pub(crate) fn options(address: DatabaseAddress, password: Option<Secret>) -> PgOptions {
    PgOptions { address, password, name: NAME, schema: SCHEMA, migrations: MIGRATIONS, oldest: 0 }
}

impl Orders {
    pub(crate) async fn open(
        address: DatabaseAddress,
        password: Option<Secret>,
        retention: Retention,
    ) -> Result<Self, OpenError> {
        let store = Postgres::open(&options(address, password)).await?;
        let instance = Instance::new();
        let inserts = store.lane(Inserts { instance: instance.clone() });
        let lanes = Arc::new(Mutex::new(Some(Lanes { inserts, advances: store.lane(Advances) })));
        Ok(Self { store, lanes, instance, retention })
    }

    fn store(&self) -> &Postgres {
        &self.store
    }

    fn lanes(&self) -> Result<Lanes, StoreError> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(StoreError::Stopped)
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.store.trouble()
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.store.metrics().register(registry);
    }

    pub(crate) async fn close(&self) {
        let instance = self.instance.clone();
        let left = self.store.write(move |session| {
            let instance = instance.clone();
            Box::pin(async move { instance.leave(session).await })
        });
        if let Err(error) = left.await {
            tracing::info!(service = NAME, %error, "the lease stays; it ends by itself");
        }
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.store.close().await;
    }

    pub(crate) async fn insert(
        &self,
        stored: Arc<StoredOrder>,
        key: Option<IdempotencyKey>,
    ) -> Result<Inserted, StoreError> {
        let inserted = self.lanes()?.inserts.run((stored, key)).await?;
        if matches!(inserted, Inserted::Done) {
            failpoint::crash(|| "order-pending");
        }
        Ok(inserted)
    }

    pub(crate) async fn import(&self, all: Vec<(StoredOrder, IdempotencyKey)>) -> Result<(), StoreError> {
        for (stored, key) in all {
            self.lanes()?.inserts.run((Arc::new(stored), Some(key))).await?;
        }
        Ok(())
    }

    pub(crate) async fn advance(&self, next: Arc<StoredOrder>) -> Result<bool, StoreError> {
        let reached = next.order.status;
        let replaced = self.lanes()?.advances.run(next).await?;
        if replaced {
            failpoint::crash(|| format!("order-{}", reached.as_str()));
        }
        Ok(replaced)
    }

    pub(crate) async fn change(
        &self,
        id: OrderId,
        reach: Reach,
        event: Event,
        context: StepContext,
    ) -> Result<Changed, StoreError> {
        let change = self.store.write(move |session| {
            let context = context.clone();
            Box::pin(async move { change(session, id, reach, event, context).await })
        });
        change.await
    }

    pub(crate) async fn get(&self, id: OrderId, reach: Reach) -> Result<Option<StoredOrder>, StoreError> {
        let found =
            self.store.read(move |session| Box::pin(async move { select(session, id).await })).await?;
        Ok(found.filter(|stored| reach.includes(stored.order.user_id, stored.owner)))
    }

    pub(crate) async fn by_key(
        &self,
        user: UserId,
        key: IdempotencyKey,
    ) -> Result<Option<StoredOrder>, StoreError> {
        let found = self.store.write(move |session| {
            let key = key.clone();
            Box::pin(async move { by_key(session, user, &key).await })
        });
        found.await
    }

    /// Renews the lease of this instance, and takes orders that nobody drives.
    pub(crate) async fn take_over(&self) -> Result<Vec<StoredOrder>, StoreError> {
        let instance = self.instance.clone();
        let taken = self.store.write(move |session| {
            let instance = instance.clone();
            Box::pin(async move {
                instance.renew(session).await?;
                let mut orders = instance.take_over(session).await?;
                orders.extend(instance.resting(session).await?);
                Ok(orders)
            })
        });
        taken.await
    }

    pub(crate) async fn unfinished_states(
        &self,
        most: u32,
    ) -> Result<Vec<(OrderId, OrderState)>, StoreError> {
        let select =
            "SELECT id, state FROM orders.placed WHERE state IN (0, 6, 8) ORDER BY created_at LIMIT $1";
        let found = self.store.read(move |session| {
            Box::pin(async move {
                let rows = session.query(select, pg_params![i64::from(most)]).await?;
                rows.iter().map(|row| Ok((order_id(get(row, 0)?), state(get(row, 1)?)?))).collect()
            })
        });
        found.await
    }

    /// The latest of the times of the order with the newest id, and of that id.
    pub(crate) async fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest = self.store.read(|session| Box::pin(newest(session))).await?;
        Ok(newest)
    }
}

async fn newest(session: &Session) -> PgResult<Option<Timestamp>> {
    let select = "SELECT id, greatest(created_at, updated_at) FROM orders.placed ORDER BY id DESC LIMIT 1";
    let Some(row) = session.query_opt(select, pg_params![]).await? else { return Ok(None) };
    let (made, stored) = (order_id(get(&row, 0)?).made(), Timestamp::from_millis(get(&row, 1)?));
    Ok(Some(made.map_or(stored, |made| made.max(stored))))
}

async fn select(session: &Session, id: OrderId) -> PgResult<Option<StoredOrder>> {
    let select = format!("SELECT {COLUMNS} FROM orders.placed WHERE id = $1");
    session.query_opt(select, pg_params![uuid(id)]).await?.as_ref().map(order).transpose()
}

/// Lets an event happen to an order. A try that was committed before is known by its request.
async fn change(
    session: &Session,
    id: OrderId,
    reach: Reach,
    event: Event,
    context: StepContext,
) -> PgResult<Changed> {
    let transaction = session.begin();
    let found = locked(&transaction, uuid(id)).await?;
    let Some(stored) = found.filter(|stored| reach.includes(stored.order.user_id, stored.owner)) else {
        return Ok(Changed::NotFound);
    };
    if stored.has_seen(event, &context) {
        transaction.commit().await?;
        return Ok(Changed::Done(Box::new(stored)));
    }
    let Some(next) = stored.after(event, Evidence::None, context) else {
        transaction.commit().await?;
        return Ok(Changed::Illegal(stored.order.status));
    };
    transaction.execute_exactly(1, REPLACE, changed(&[&next])?);
    transaction.commit().await?;
    Ok(Changed::Done(Box::new(next)))
}
