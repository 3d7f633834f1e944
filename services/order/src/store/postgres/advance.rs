//! The lane of steps: each replaces the version before it, or is told that another one is stored.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ordersys_contract::OrderId;
use ordersys_store::postgres::{Batch, PgResult, Session, Uuid, get};
use ordersys_store::{failpoint, pg_params};

use super::rows::{COLUMNS, changed, order, order_id, uuid};
use crate::domain::order::StoredOrder;

/// Writes each step over the version before it.
pub(super) const REPLACE: &str = "
    UPDATE orders.placed o SET version = n.version, state = n.state, total = n.total, currency = n.currency,
        items = n.items, reason = n.reason, history = n.history, updated_at = n.at, written = now()
    FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::int8[]) AS n(id, version, state, total, currency, items, reason, history, at)
    WHERE o.id = n.id AND o.version = n.version - 1 RETURNING o.id";

/// Stores steps, all that wait in one statement.
pub(super) struct Advances;

impl Batch for Advances {
    type Command = Arc<StoredOrder>;
    type Answer = bool;

    async fn run<'a>(&'a self, session: &'a Session, steps: &'a [Arc<StoredOrder>]) -> PgResult<Vec<bool>> {
        let mut done = vec![false; steps.len()];
        let mut waiting: Vec<usize> = (0..steps.len()).collect();
        while !waiting.is_empty() {
            let (now, later) = first_of_each(steps, &waiting);
            replace(session, steps, &now, &mut done).await?;
            waiting = later;
        }
        for step in steps {
            failpoint::crash(|| format!("order-commit-{}", step.order.status.as_str()));
        }
        Ok(done)
    }
}

/// One step of each order, and the rest: one statement changes a row once.
fn first_of_each(steps: &[Arc<StoredOrder>], waiting: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut seen = HashSet::new();
    waiting.iter().partition(|number| seen.insert(steps[**number].order.id))
}

async fn replace(
    session: &Session,
    steps: &[Arc<StoredOrder>],
    now: &[usize],
    done: &mut [bool],
) -> PgResult<()> {
    let next: Vec<&StoredOrder> = now.iter().map(|number| &*steps[*number]).collect();
    let rows = session.query(REPLACE, changed(&next)?).await?;
    let replaced = rows.iter().map(|row| Ok(order_id(get(row, 0)?))).collect::<PgResult<HashSet<_>>>()?;
    let missing: Vec<&StoredOrder> =
        next.iter().copied().filter(|next| !replaced.contains(&next.order.id)).collect();
    let earlier =
        if missing.is_empty() { HashSet::new() } else { of_earlier_tries(session, &missing).await? };
    for (number, next) in now.iter().zip(next) {
        done[*number] = replaced.contains(&next.order.id) || earlier.contains(&next.order.id);
    }
    Ok(())
}

/// Those of the steps that are stored already, or were before others came of them: an earlier try of this batch was
/// committed.
async fn of_earlier_tries(session: &Session, steps: &[&StoredOrder]) -> PgResult<HashSet<OrderId>> {
    let transaction = session.begin();
    let ids: Vec<Uuid> = steps.iter().map(|step| uuid(step.order.id)).collect();
    let select = format!("SELECT {COLUMNS} FROM orders.placed WHERE id = ANY($1) ORDER BY id FOR UPDATE");
    let rows = transaction.query(select, pg_params![ids]).await?;
    transaction.commit().await?;
    let stored = rows.iter().map(order).map(|stored| stored.map(|stored| (stored.order.id, stored)));
    let stored = stored.collect::<PgResult<HashMap<_, _>>>()?;
    let is_stored =
        |step: &&&StoredOrder| stored.get(&step.order.id).is_some_and(|stored| stored.came_of(step));
    Ok(steps.iter().filter(is_stored).map(|step| step.order.id).collect())
}
