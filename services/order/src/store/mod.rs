//! The order service's tables.

use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::order::OrderState;
use ordersys_contract::{IdempotencyKey, OrderId, RequestId, Timestamp, UserId};
use ordersys_store::defect::Defect;
use ordersys_store::{OpenError, Options, Store, StoreError, failpoint};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::access::Reach;
use crate::domain::draft::Fingerprint;
use crate::domain::lifecycle::Event;
use crate::domain::order::{Evidence, StoredOrder};
use crate::{Config, NAME};

mod audit;
mod rows;
mod steps;

use rows::{COLUMNS, code};
use steps::Steps;

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE orders(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        user_id BLOB NOT NULL,
        user_name TEXT NOT NULL,
        state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 10),
        version INTEGER NOT NULL,
        total INTEGER NOT NULL CHECK (total >= 0),
        currency TEXT NOT NULL,
        items TEXT NOT NULL,
        reason TEXT,
        history TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deadline INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX orders_by_user ON orders(user_id, id);
    CREATE INDEX unfinished_orders ON orders(created_at) WHERE state IN (0, 6, 8);

    CREATE TABLE idempotency(
        user_id BLOB NOT NULL,
        key TEXT NOT NULL,
        fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
        order_id BLOB NOT NULL,
        PRIMARY KEY (user_id, key)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- For a list of three, SQLite builds a table in memory each time a row is written.
    DROP INDEX unfinished_orders;
    CREATE INDEX unfinished_orders ON orders(created_at) WHERE state = 0 OR state = 6 OR state = 8;
",
    "ALTER TABLE orders ADD COLUMN registered INTEGER NOT NULL DEFAULT 0 CHECK (registered IN (0, 1))",
];

/// Orders that need a driver, in the words of their index: only then SQLite uses it.
const UNFINISHED: &str = "state = 0 OR state = 6 OR state = 8";

/// A client's key and what it was first used for.
#[derive(Debug, Clone)]
pub struct KeyUse {
    /// The key.
    pub key: IdempotencyKey,
    /// Tells other uses of it apart.
    pub fingerprint: Fingerprint,
}

/// How storing a new order ended.
#[derive(Debug)]
pub(crate) enum Inserted {
    Done,
    /// The key has an order already.
    KeyTaken(Fingerprint, Box<StoredOrder>),
}

/// How a step of an order ended.
#[derive(Debug)]
pub(crate) enum Changed {
    Done(StoredOrder),
    Illegal(OrderState),
    NotFound,
}

/// What narrows a list of orders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) user: Option<UserId>,
    pub(crate) state: Option<OrderState>,
    /// Orders older than this one only.
    pub(crate) before: Option<OrderId>,
    /// Orders last changed before this time only.
    pub(crate) changed_before: Option<Timestamp>,
    pub(crate) limit: u32,
}

/// The stored orders.
#[derive(Clone)]
pub(crate) struct Orders(Store, Steps);

pub(crate) use audit::KeyPlace;

impl Orders {
    pub(crate) fn open(config: &Config) -> Result<Self, OpenError> {
        let (dir, durability) = (config.data_dir.clone(), config.durability);
        Store::open(&Options { dir, durability, name: NAME, migrations: MIGRATIONS })
            .map(|store| Self(store, Steps::default()))
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.0.is_writable()
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.0.metrics().register(registry);
        self.1.register(registry);
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }

    /// Stores a new order and its key, unless the key has an order already.
    pub(crate) async fn insert(
        &self,
        stored: StoredOrder,
        key: Option<KeyUse>,
    ) -> Result<Inserted, StoreError> {
        let inserted = self
            .0
            .write(move |connection| {
                let user = stored.order.user_id;
                if let Some(KeyUse { key, fingerprint }) = &key
                    && !claim_key(connection, user, key, fingerprint, stored.order.id)?
                    && let Some((fingerprint, first)) = by_key(connection, user, key)?
                    && !Defect::DuplicateOnRetry.strikes()
                {
                    return Ok(Inserted::KeyTaken(fingerprint, Box::new(first)));
                }
                rows::insert(connection, &stored)?;
                failpoint::crash("order-commit-1");
                Ok(Inserted::Done)
            })
            .await?;
        if matches!(inserted, Inserted::Done) {
            self.1.count(OrderState::Pending);
        }
        Ok(inserted)
    }

    /// Stores orders that are over, and their keys, in one commit.
    pub(crate) async fn import(&self, all: Vec<(StoredOrder, KeyUse)>) -> Result<(), StoreError> {
        let write = move |connection: &Connection| {
            for (stored, KeyUse { key, fingerprint }) in &all {
                claim_key(connection, stored.order.user_id, key, fingerprint, stored.order.id)?;
                rows::insert(connection, stored)?;
            }
            Ok(())
        };
        self.0.write(write).await
    }

    /// Replaces the version before `next` by it. `false` if another version is stored.
    pub(crate) async fn advance(&self, next: StoredOrder) -> Result<bool, StoreError> {
        let reached = next.order.status;
        let replaced = self
            .0
            .write(move |connection| {
                let replaced = rows::replace(connection, &next)?;
                if next.order.status == OrderState::Confirmed && Defect::LostOrder.strikes() {
                    connection.execute("DELETE FROM orders WHERE id = ?1", [next.order.id.as_bytes()])?;
                }
                match next.order.status {
                    OrderState::Confirmed => failpoint::crash("order-commit-2"),
                    OrderState::Aborted => failpoint::crash("order-commit-aborted"),
                    _ => {}
                }
                Ok(replaced)
            })
            .await?;
        if replaced {
            self.1.count(reached);
        }
        Ok(replaced)
    }

    /// Lets an event happen to an order, whatever its version is by now.
    pub(crate) async fn change(
        &self,
        (id, reach): (OrderId, Reach),
        event: Event,
        now: Timestamp,
        request: RequestId,
    ) -> Result<Changed, StoreError> {
        let changed = self
            .0
            .write(move |connection| {
                let Some(stored) = select(connection, id, reach)? else { return Ok(Changed::NotFound) };
                let Some(next) = stored.after(event, Evidence::None, (now, &request)) else {
                    return Ok(Changed::Illegal(stored.order.status));
                };
                rows::replace(connection, &next)?;
                Ok(Changed::Done(next))
            })
            .await?;
        if let Changed::Done(next) = &changed {
            self.1.count(next.order.status);
        }
        Ok(changed)
    }

    /// An order, if it is among those the caller reaches.
    pub(crate) async fn get(&self, id: OrderId, reach: Reach) -> Result<Option<StoredOrder>, StoreError> {
        self.0.read(move |connection| select(connection, id, reach)).await
    }

    /// The order that a user's key was used for, and the fingerprint of its body.
    pub(crate) async fn by_key(
        &self,
        user: UserId,
        key: IdempotencyKey,
    ) -> Result<Option<(Fingerprint, StoredOrder)>, StoreError> {
        self.0.read(move |connection| by_key(connection, user, &key)).await
    }

    /// Orders, newest first.
    pub(crate) async fn list(&self, filter: Filter) -> Result<Vec<StoredOrder>, StoreError> {
        self.0.read(move |connection| list(connection, &filter)).await
    }

    /// Every order whose outcome is not known yet, oldest first.
    pub(crate) async fn unfinished(&self) -> Result<Vec<StoredOrder>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM orders WHERE {UNFINISHED} ORDER BY created_at");
        self.0
            .read(move |connection| connection.prepare_cached(&select)?.query_map([], rows::order)?.collect())
            .await
    }

    /// When the oldest order whose outcome is not known yet was stored.
    pub(crate) async fn oldest_unfinished(&self) -> Result<Option<Timestamp>, StoreError> {
        let select = format!("SELECT min(created_at) FROM orders WHERE {UNFINISHED}");
        self.0
            .read(move |connection| {
                let oldest: Option<i64> =
                    connection.prepare_cached(&select)?.query_row([], |row| row.get(0))?;
                Ok(oldest.map(Timestamp::from_millis))
            })
            .await
    }
}

fn claim_key(
    connection: &Connection,
    user: UserId,
    key: &IdempotencyKey,
    fingerprint: &Fingerprint,
    order: OrderId,
) -> rusqlite::Result<bool> {
    let insert = "INSERT OR IGNORE INTO idempotency(user_id, key, fingerprint, order_id)
                  VALUES (?1, ?2, ?3, ?4)";
    let row = params![user.as_bytes(), key.as_str(), fingerprint, order.as_bytes()];
    Ok(connection.prepare_cached(insert)?.execute(row)? == 1)
}

fn by_key(
    connection: &Connection,
    user: UserId,
    key: &IdempotencyKey,
) -> rusqlite::Result<Option<(Fingerprint, StoredOrder)>> {
    let select_key = "SELECT fingerprint, order_id FROM idempotency WHERE user_id = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(select_key)?;
    let found = statement.query_row(params![user.as_bytes(), key.as_str()], |row| {
        Ok((row.get::<_, Fingerprint>(0)?, OrderId::from_bytes(row.get(1)?)))
    });
    let Some((fingerprint, id)) = found.optional()? else { return Ok(None) };
    Ok(select(connection, id, Reach::All)?.map(|stored| (fingerprint, stored)))
}

fn select(connection: &Connection, id: OrderId, reach: Reach) -> rusqlite::Result<Option<StoredOrder>> {
    let select =
        format!("SELECT {COLUMNS} FROM orders WHERE id = ?1 AND (?2 OR registered = 0 OR user_id = ?3)");
    let (all, own) = match &reach {
        Reach::All => (true, None),
        Reach::Guests => (false, None),
        Reach::GuestsAnd(user) => (false, Some(user.as_bytes())),
    };
    connection.prepare_cached(&select)?.query_row(params![id.as_bytes(), all, own], rows::order).optional()
}

fn list(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<StoredOrder>> {
    let mut conditions = vec!["id < ?1"];
    conditions.extend(filter.user.map(|_| "user_id = ?2"));
    conditions.extend(filter.state.map(|_| "state = ?3"));
    conditions.extend(filter.changed_before.map(|_| "updated_at < ?4"));
    let conditions = conditions.join(" AND ");
    let select = format!(
        "SELECT {COLUMNS} FROM orders WHERE {conditions} AND ?2 IS ?2 AND ?3 IS ?3 AND ?4 IS ?4
         ORDER BY id DESC LIMIT ?5"
    );
    let before = filter.before.as_ref().map_or(&[0xff; 17][..], |id| id.as_bytes());
    let row = params![
        before,
        filter.user.as_ref().map(UserId::as_bytes),
        filter.state.map(code),
        filter.changed_before.map(Timestamp::as_millis),
        filter.limit,
    ];
    connection.prepare_cached(&select)?.query_map(row, rows::order)?.collect()
}
