//! The stores alone: how many commits a second, and rows in them, by the shape of what is written.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ordersys_contract::Currency;
use ordersys_contract::Money;
use ordersys_contract::reservation::PricedLine;
use ordersys_store::Durability;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::finished::{confirmed, pending, sold};
use crate::requests::Ids;
use crate::system::{Neighbours, System};

/// The shapes that are measured.
const SHAPES: [Shape; 8] = [
    Shape { callers: 1, orders_per_call: 1 },
    Shape { callers: 1, orders_per_call: 8 },
    Shape { callers: 1, orders_per_call: 64 },
    Shape { callers: 1, orders_per_call: 512 },
    Shape { callers: 8, orders_per_call: 1 },
    Shape { callers: 64, orders_per_call: 1 },
    Shape { callers: 256, orders_per_call: 1 },
    Shape { callers: 8, orders_per_call: 16 },
];

/// How a store is written.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    /// Callers at a time.
    callers: usize,
    /// Orders that each writes at once.
    orders_per_call: usize,
}

/// Which store is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The order service's: a row and a key for each order.
    Order,
    /// The product service's: a reservation for each order, and the stock of one product.
    Product,
}

/// What one shape came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    store: Which,
    #[serde(flatten)]
    shape: Shape,
    commits_per_second: f64,
    orders_per_second: f64,
    /// The median time of one call.
    p50_micros: u128,
}

/// Measures every shape for so long; `told` hears of each.
pub async fn run(
    dir: &Path,
    durability: Durability,
    length: Duration,
    mut told: impl FnMut(&Rate) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let system = Arc::new(System::start(dir, durability, Neighbours::Doubles).await?);
    let ids = system.seed().await?;
    for which in [Which::Order, Which::Product] {
        for shape in SHAPES {
            told(&measure(&system, Written { store: which, ids }, shape, length).await?)?;
        }
    }
    Arc::into_inner(system).context("the system is still in use")?.stop().await
}

/// What is written: the orders of these ids, into this store.
#[derive(Debug, Clone, Copy)]
struct Written {
    store: Which,
    ids: Ids,
}

async fn measure(
    system: &Arc<System>,
    what: Written,
    shape: Shape,
    length: Duration,
) -> anyhow::Result<Rate> {
    let before = commits(system, what.store).await?;
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..shape.callers {
        let system = Arc::clone(system);
        tasks.spawn(async move {
            let mut took = Vec::new();
            while began.elapsed() < length {
                took.push(call(&system, what, shape.orders_per_call).await?);
            }
            anyhow::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        took.extend(ended??);
    }
    let seconds = began.elapsed().as_secs_f64();
    let commits = commits(system, what.store).await? - before;
    took.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    let per_second = |count: usize| count as f64 / seconds;
    Ok(Rate {
        store: what.store,
        shape,
        commits_per_second: commits / seconds,
        orders_per_second: per_second(took.len() * shape.orders_per_call),
        p50_micros: took.get(took.len() / 2).copied().unwrap_or_default().as_micros(),
    })
}

/// Writes so many orders at once; says how long that took.
async fn call(system: &System, Written { store, ids }: Written, orders: usize) -> anyhow::Result<Duration> {
    let batch = pending(ids, orders)?;
    match store {
        Which::Product => {
            let began = Instant::now();
            sold(&system.product, batch).await?;
            Ok(began.elapsed())
        }
        Which::Order => {
            let priced = batch.iter().map(|(stored, _)| confirmed(stored, prices(ids, stored.lines())));
            let priced = priced.collect::<anyhow::Result<Vec<_>>>()?;
            let began = Instant::now();
            system.order.import(priced).await?;
            Ok(began.elapsed())
        }
    }
}

fn prices(ids: Ids, lines: Vec<ordersys_contract::reservation::Line>) -> Vec<PricedLine> {
    let priced = |line: ordersys_contract::reservation::Line| PricedLine {
        product_id: ids.products[0],
        name: "Measured Product".to_owned(),
        quantity: line.quantity,
        unit_price: Money::from_minor(14_999).unwrap_or_default(),
        currency: Currency::USD,
    };
    lines.into_iter().map(priced).collect()
}

/// How many commits a store has made, by its own count.
async fn commits(system: &System, which: Which) -> anyhow::Result<f64> {
    let admin = system.admin();
    let base = match which {
        Which::Order => &admin.endpoints().order,
        Which::Product => &admin.endpoints().product,
    };
    let (_, text) = admin.get_raw(base, "/metrics").await?;
    let text = std::str::from_utf8(&text)?;
    let counts = text.lines().filter_map(|line| line.split_once(' '));
    let mut counts = counts.filter(|(name, _)| name.contains("store_commit_seconds_count"));
    let (_, count) = counts.next().context("the metrics count commits")?;
    Ok(count.trim().parse()?)
}
