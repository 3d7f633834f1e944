//! Fills the stores of a stack that is down with orders of a past: every check of the stack passes afterwards.

use std::path::Path;
use std::time::Instant;

use ordersys_contract::IdempotencyKey;
use ordersys_order::domain::order::StoredOrder;
use ordersys_store::Durability;
use serde::Serialize;

use crate::finished::{pending, sold};
use crate::system::{Neighbours, System};

/// Orders in one commit.
const BATCH: usize = 4096;

/// What was filled in.
#[derive(Debug, Serialize)]
pub struct Filled {
    /// How many orders.
    orders: usize,
    /// How long it took.
    seconds: f64,
}

/// Adds so many confirmed orders to the data in `dir`, with their reservations, a product and a user.
pub async fn run(dir: &Path, orders: usize) -> anyhow::Result<Filled> {
    let began = Instant::now();
    let system = System::start(dir, Durability::Memory, Neighbours::Doubles).await?;
    let ids = system.seed().await?;
    let mut ready = Vec::new();
    for first in (0..orders).step_by(BATCH) {
        let batch = pending(ids, BATCH.min(orders - first))?;
        // One store writes what the other has just decided.
        let (next, ()) = tokio::try_join!(sold(&system.product, batch), import(&system, ready))?;
        ready = next;
    }
    import(&system, ready).await?;
    system.stop().await?;
    Ok(Filled { orders, seconds: began.elapsed().as_secs_f64() })
}

async fn import(system: &System, orders: Vec<(StoredOrder, IdempotencyKey)>) -> anyhow::Result<()> {
    if orders.is_empty() { Ok(()) } else { Ok(system.order.import(orders).await?) }
}
