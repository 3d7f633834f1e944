//! The lane of new orders.

use std::collections::HashSet;
use std::sync::LazyLock;

use ordersys_contract::{IdempotencyKey, OrderId, UserId};
use ordersys_store::postgres::{Batch, PgResult, Session, Transaction, Uuid, get};
use ordersys_store::{failpoint, pg_params};

use super::instance::Instance;
use super::rows::{COLUMNS, New, new, order, order_id, user_uuid, uuid};
use crate::domain::order::StoredOrder;
use crate::store::Inserted;

/// The columns of new rows, as parameters.
const ARRAYS: &str = "$1::uuid[], $2::uuid[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::text[], $8::text[], \
                      $9::text[], $10::text[], $11::int8[], $12::int8[], $13::bool[], $14::text[]";

/// Claims the keys, and stores the orders that got theirs or have none.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH n AS (
             SELECT * FROM unnest({ARRAYS}) AS n({COLUMNS})),
         claimed AS (
             INSERT INTO orders.keys(key, user_id, order_id) SELECT key, user_id, id FROM n WHERE key IS NOT NULL
             ORDER BY key, user_id ON CONFLICT DO NOTHING RETURNING order_id)
         INSERT INTO orders.placed({COLUMNS}, owner) SELECT {COLUMNS}, $15 FROM n
         WHERE key IS NULL OR id IN (SELECT order_id FROM claimed)
         ON CONFLICT DO NOTHING RETURNING id"
    )
});

/// Stores an order whose key is its own by now.
static INSERT_ONE: LazyLock<String> = LazyLock::new(|| {
    format!("INSERT INTO orders.placed({COLUMNS}, owner) SELECT *, $15 FROM unnest({ARRAYS})")
});

/// Stores new orders, all that wait in one statement.
pub(super) struct Inserts {
    pub(super) instance: Instance,
}

impl Batch for Inserts {
    type Command = New;
    type Answer = Inserted;

    async fn run<'a>(&'a self, session: &'a Session, orders: &'a [New]) -> PgResult<Vec<Inserted>> {
        let owner = self.instance.id();
        let stored = insert(session, orders, owner).await?;
        failpoint::crash(|| "order-commit-pending");
        let mut answers = Vec::with_capacity(orders.len());
        for new in orders {
            let is_stored = stored.contains(&new.0.order.id);
            answers.push(if is_stored { Inserted::Done } else { settle(session, new, owner).await? });
        }
        Ok(answers)
    }
}

/// The orders that were stored.
async fn insert(session: &Session, orders: &[New], owner: Uuid) -> PgResult<HashSet<OrderId>> {
    let rows = session.query(INSERT.as_str(), new(orders, owner)?).await?;
    rows.iter().map(|row| Ok(order_id(get(row, 0)?))).collect()
}

/// Finds out why an order was not stored: an earlier try stored it, or its key has another one. What is answered from
/// a row is locked first, and so in the log of every server that it has to be in.
async fn settle(session: &Session, new_order: &New, owner: Uuid) -> PgResult<Inserted> {
    let (stored, key) = new_order;
    let transaction = session.begin();
    let earlier = match key {
        None => None,
        Some(key) => of_key(&transaction, stored, key).await?,
    };
    if earlier.is_none() && locked(&transaction, uuid(stored.order.id)).await?.is_none() {
        transaction.execute_exactly(1, INSERT_ONE.as_str(), new(std::slice::from_ref(new_order), owner)?);
    }
    transaction.commit().await?;
    Ok(earlier.map_or(Inserted::Done, |earlier| Inserted::KeyTaken(Box::new(earlier))))
}

/// The order that a key belongs to, unless it is this one. A key whose order is gone is given to this one.
async fn of_key(
    transaction: &Transaction<'_>,
    stored: &StoredOrder,
    key: &IdempotencyKey,
) -> PgResult<Option<StoredOrder>> {
    let select = "SELECT order_id FROM orders.keys WHERE key = $1 AND user_id = $2 FOR UPDATE";
    let user = user_uuid(stored.order.user_id);
    let row = transaction.query_opt(select, pg_params![key.as_str().to_owned(), user]).await?;
    let holder: Option<Uuid> = row.map(|row| get(&row, 0)).transpose()?;
    let Some(holder) = holder.filter(|holder| *holder != uuid(stored.order.id)) else { return Ok(None) };
    if let Some(earlier) = locked(transaction, holder).await? {
        return Ok(Some(earlier));
    }
    transaction.execute(
        "UPDATE orders.keys SET order_id = $3 WHERE key = $1 AND user_id = $2",
        pg_params![key.as_str().to_owned(), user, uuid(stored.order.id)],
    );
    Ok(None)
}

/// An order, whose row stays as it is until the transaction ends.
pub(super) async fn locked(transaction: &Transaction<'_>, id: Uuid) -> PgResult<Option<StoredOrder>> {
    let select = format!("SELECT {COLUMNS} FROM orders.placed WHERE id = $1 FOR UPDATE");
    transaction.query_opt(select, pg_params![id]).await?.as_ref().map(order).transpose()
}

/// The order that a user's key was used for.
pub(super) async fn by_key(
    session: &Session,
    user: UserId,
    key: &IdempotencyKey,
) -> PgResult<Option<StoredOrder>> {
    let transaction = session.begin();
    let select = "SELECT order_id FROM orders.keys WHERE key = $1 AND user_id = $2";
    let params = pg_params![key.as_str().to_owned(), user_uuid(user)];
    let Some(row) = transaction.query_opt(select, params).await? else { return Ok(None) };
    let found = locked(&transaction, get(&row, 0)?).await?;
    transaction.commit().await?;
    Ok(found)
}
