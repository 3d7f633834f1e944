//! The instances of the order service that work on one database, and whose orders are whose.
//!
//! Each keeps a lease by the database's clock. What an instance without one has begun, another finishes. Leases only
//! spread the work: two drivers of one order do no harm, since each step is written over one version of it only.

use std::sync::{Arc, PoisonError, RwLock};

use ordersys_store::pg_params;
use ordersys_store::postgres::{PgResult, Session, Uuid};

use super::rows::{COLUMNS, order};
use crate::domain::order::StoredOrder;

/// How long a lease lasts, in seconds; it is renewed at every look.
const LEASE_SECONDS: i64 = 5;
/// How long an order of this instance rests before it is looked at whether anybody drives it, in seconds.
const REST_SECONDS: i64 = 5;
/// Most orders taken at one look.
const MOST: i64 = 64;

/// Who this instance is; clones share it.
#[derive(Clone)]
pub(super) struct Instance(Arc<RwLock<Uuid>>);

impl Instance {
    pub(super) fn new() -> Self {
        Self(Arc::new(RwLock::new(Uuid::now_v7())))
    }

    pub(super) fn id(&self) -> Uuid {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a lease, or goes on with it. One that was over for so long that it was removed begins under another id.
    pub(super) async fn renew(&self, session: &Session) -> PgResult<()> {
        let renew = "INSERT INTO orders.instance(id, version, lease_until)
                     VALUES ($1, $2, now() + $3 * interval '1 s')
                     ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
                     WHERE orders.instance.lease_until > now()";
        let version = env!("CARGO_PKG_VERSION").to_owned();
        if session.execute(renew, pg_params![self.id(), version.clone(), LEASE_SECONDS]).await? == 0 {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Uuid::now_v7();
            session.execute(renew, pg_params![self.id(), version, LEASE_SECONDS]).await?;
        }
        let forget = "DELETE FROM orders.instance i WHERE lease_until < now() - interval '1 hour'";
        session.execute(forget, pg_params![]).await.map(|_| ())
    }

    /// Ends the lease: others may finish what is left.
    pub(super) async fn leave(&self, session: &Session) -> PgResult<()> {
        session.execute("DELETE FROM orders.instance WHERE id = $1", pg_params![self.id()]).await.map(|_| ())
    }

    /// Takes orders of instances that have no lease. They are this one's from now on.
    pub(super) async fn take_over(&self, session: &Session) -> PgResult<Vec<StoredOrder>> {
        let take = format!(
            "UPDATE orders.placed SET owner = $1 WHERE id IN (
                 SELECT id FROM orders.placed p WHERE state IN (0, 6, 8) AND owner <> $1
                 AND NOT EXISTS (SELECT 1 FROM orders.instance i WHERE i.id = p.owner AND i.lease_until > now())
                 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
             RETURNING {COLUMNS}"
        );
        session.query(take, pg_params![self.id(), MOST]).await?.iter().map(order).collect()
    }

    /// Own orders that have stood still for a while: an insert whose outcome was not known may have left one.
    pub(super) async fn resting(&self, session: &Session) -> PgResult<Vec<StoredOrder>> {
        let select = format!(
            "SELECT {COLUMNS} FROM orders.placed WHERE state IN (0, 6, 8) AND owner = $1
             AND written < now() - $2 * interval '1 s' ORDER BY created_at LIMIT $3"
        );
        session.query(select, pg_params![self.id(), REST_SECONDS, MOST]).await?.iter().map(order).collect()
    }
}
