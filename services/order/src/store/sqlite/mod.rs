//! The order service's tables in SQLite.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::order::OrderState;
use ordersys_contract::{IdempotencyKey, OrderId, Timestamp, UserId};
use ordersys_store::retention::{Recent, Retention};
use ordersys_store::{Durability, OpenError, Options, Store, StoreError, failpoint};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use crate::NAME;
use crate::domain::access::Reach;
use crate::domain::lifecycle::Event;
use crate::domain::order::{Evidence, StepContext, StoredOrder};
use crate::store::form::is_refused;
use crate::store::{Changed, Inserted};

mod audit;
mod keys;
mod list;
mod refused;
mod rows;
mod schema;
#[cfg(test)]
mod twice;

use keys::{by_key, claim_key, take_over_key};
pub(crate) use rows::place;
use rows::{COLUMNS, place_millis, state};
use schema::MIGRATIONS;

/// Orders that need a driver, in the words of their index: only then SQLite uses it.
const UNFINISHED: &str = "state = 0 OR state = 6 OR state = 8";

/// The stored orders.
#[derive(Clone)]
pub(crate) struct Orders(Store, Recent);

impl Orders {
    pub(crate) fn open(
        dir: PathBuf,
        durability: Durability,
        retention: Retention,
    ) -> Result<Self, OpenError> {
        Store::open(&Options { dir, durability, name: NAME, migrations: MIGRATIONS })
            .map(|store| Self(store, Recent::new(retention, Instant::now())))
    }

    #[cfg(feature = "defects")]
    pub(crate) fn store(&self) -> &Store {
        &self.0
    }

    /// Why the store cannot do its work, if it cannot.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.trouble()
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.0.metrics().register(registry);
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }

    /// Stores a new order and its key, unless the key has an order already. Fails with
    /// [`StoreError::Taken`] if another order has the row of its id.
    pub(crate) async fn insert(
        &self,
        stored: Arc<StoredOrder>,
        key: Option<IdempotencyKey>,
    ) -> Result<Inserted, StoreError> {
        let inserted = self
            .0
            .write(move |connection| {
                let user = stored.order.user_id;
                if let Some(key) = &key
                    && !claim_key(connection, user, key, stored.order.id)?
                {
                    match by_key(connection, user, key)? {
                        Some(first) if first.order.id == stored.order.id => return Ok(Inserted::Done),
                        Some(first) => return Ok(Inserted::KeyTaken(Box::new(first))),
                        None => take_over_key(connection, user, key, stored.order.id)?,
                    }
                }
                insert(connection, &stored, key.as_ref())?;
                failpoint::crash(|| "order-commit-pending");
                Ok(Inserted::Done)
            })
            .await?;
        if matches!(inserted, Inserted::Done) {
            failpoint::crash(|| "order-pending");
        }
        Ok(inserted)
    }

    /// Stores orders that are over, and their keys, in one commit.
    pub(crate) async fn import(&self, all: Vec<(StoredOrder, IdempotencyKey)>) -> Result<(), StoreError> {
        let write = move |connection: &Connection| {
            for (stored, key) in &all {
                claim_key(connection, stored.order.user_id, key, stored.order.id)?;
                insert(connection, stored, Some(key))?;
            }
            Ok(())
        };
        self.0.write(write).await
    }

    /// Replaces the version before `next` by it. `false` if another version is stored, and did not come of it.
    pub(crate) async fn advance(&self, next: Arc<StoredOrder>) -> Result<bool, StoreError> {
        let reached = next.order.status;
        let recent = self.1.clone();
        let replaced = self
            .0
            .write(move |connection| {
                let replaced = rows::replace(connection, &next)? || has_come(connection, &next)?;
                if is_refused(next.order.status) {
                    recent.note(refused::number(next.order.id), Instant::now());
                }
                failpoint::crash(|| format!("order-commit-{}", reached.as_str()));
                Ok(replaced)
            })
            .await?;
        if replaced {
            failpoint::crash(|| format!("order-{}", reached.as_str()));
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
        self.0
            .write(move |connection| {
                let Some(stored) = select(connection, id, reach)? else { return Ok(Changed::NotFound) };
                if stored.has_seen(event, &context) {
                    return Ok(Changed::Done(Box::new(stored)));
                }
                let Some(next) = stored.after(event, Evidence::None, context.clone()) else {
                    return Ok(Changed::Illegal(stored.order.status));
                };
                rows::replace(connection, &next)?;
                Ok(Changed::Done(Box::new(next)))
            })
            .await
    }

    /// An order, if it is among those the caller reaches.
    pub(crate) async fn get(&self, id: OrderId, reach: Reach) -> Result<Option<StoredOrder>, StoreError> {
        self.0.read(move |connection| select(connection, id, reach)).await
    }

    /// The order that a user's key was used for.
    pub(crate) async fn by_key(
        &self,
        user: UserId,
        key: IdempotencyKey,
    ) -> Result<Option<StoredOrder>, StoreError> {
        self.0.read(move |connection| by_key(connection, user, &key)).await
    }

    /// Every order whose outcome is not known yet, oldest first.
    pub(crate) async fn unfinished(&self) -> Result<Vec<StoredOrder>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM placed WHERE {UNFINISHED} ORDER BY created_at");
        self.0
            .scan(move |connection| connection.prepare_cached(&select)?.query_map([], rows::order)?.collect())
            .await
    }

    /// Where orders whose outcome is not known yet stand, up to `most` of them, oldest first.
    pub(crate) async fn unfinished_states(
        &self,
        most: u32,
    ) -> Result<Vec<(OrderId, OrderState)>, StoreError> {
        let select =
            format!("SELECT id, state FROM placed WHERE {UNFINISHED} ORDER BY created_at LIMIT {most}");
        self.0
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&select)?;
                let read = |row: &Row<'_>| Ok((OrderId::from_bytes(row.get(0)?), state(1, row.get(1)?)?));
                statement.query_map([], read)?.collect()
            })
            .await
    }

    /// The latest of the times of the order with the newest id, and of that id.
    pub(crate) async fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        let select = "SELECT place, max(created_at, updated_at) FROM placed ORDER BY place DESC LIMIT 1";
        let read = |row: &Row<'_>| Ok(Timestamp::from_millis(place_millis(row.get(0)?).max(row.get(1)?)));
        self.0.read(move |connection| connection.prepare_cached(select)?.query_row([], read).optional()).await
    }
}

fn select(connection: &Connection, id: OrderId, reach: Reach) -> rusqlite::Result<Option<StoredOrder>> {
    let select = format!(
        "SELECT {COLUMNS} FROM placed WHERE place = ?4 AND id = ?1 AND (?2 OR registered = 0 OR user_id = ?3)"
    );
    let (all, own) = match &reach {
        Reach::All => (true, None),
        Reach::Guests => (false, None),
        Reach::GuestsAnd(user) => (false, Some(user.as_bytes())),
    };
    let row = params![id.as_bytes(), all, own, place(id)];
    connection.prepare_cached(&select)?.query_row(row, rows::order).optional()
}

/// Stores a new order; one that is stored already stays as it is.
fn insert(
    connection: &Connection,
    stored: &StoredOrder,
    key: Option<&IdempotencyKey>,
) -> rusqlite::Result<()> {
    let inserted = rows::insert(connection, stored, key);
    let is_taken =
        |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
    if inserted.as_ref().is_err_and(is_taken) && select(connection, stored.order.id, Reach::All)?.is_some() {
        return Ok(());
    }
    inserted
}

/// Whether a version is stored, or was before others came of it.
fn has_come(connection: &Connection, next: &StoredOrder) -> rusqlite::Result<bool> {
    let stored = select(connection, next.order.id, Reach::All)?;
    Ok(stored.is_some_and(|stored| stored.came_of(next)))
}
