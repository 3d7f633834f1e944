//! Buyers, and a killer of services under them, as often as wanted.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use ordersys_contract::IdempotencyKey;
use ordersys_contract::Role;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tokio::task::JoinSet;

use crate::crash::buyer::{Buyer, Market, Told};
use crate::crash::judge::{judge, settle};
use crate::shop::{a_product, a_user};
use crate::{LIMIT, Processes};

const BUYERS: usize = 16;
/// Units of each product: many that last, one that sells out on the way, one that never was.
const STOCKS: [u64; 7] = [10_000_000, 10_000_000, 10_000_000, 10_000_000, 10_000_000, 300, 0];

/// What happened.
#[derive(Debug)]
pub struct Summary {
    seed: u64,
    kills: usize,
    orders: usize,
    answers: usize,
    retries: usize,
    time: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, kills, orders, answers, retries, time } = self;
        write!(
            f,
            "seed {seed}: {kills} kills, {orders} orders, {answers} keys answered, {retries} retries, {:.1} s",
            time.as_secs_f64()
        )
    }
}

/// Kills services at least `kills` times under buyers, then judges. An error names the violation.
///
/// The seed decides who is killed when and what is ordered; how that interleaves is up to the
/// machine.
pub async fn run(binary: &Path, kills: usize, seed: u64) -> Result<Summary> {
    let began = Instant::now();
    let mut processes = Processes::start_of(binary).await?;
    let client = processes.client("admin.token")?;
    let user = a_user(&client).await?;
    let mut products = Vec::new();
    for stock in STOCKS {
        products.push(a_product(&client, stock).await?);
    }
    let (products, market) = (Arc::new(products), Arc::new(Market::default()));
    let mut buyers = JoinSet::new();
    for number in 0..BUYERS {
        let (client, user, products) = (client.clone(), user.clone(), Arc::clone(&products));
        buyers.spawn(Buyer { number, seed, client, user, products, market: Arc::clone(&market) }.run());
    }
    let mut random = StdRng::seed_from_u64(seed);
    let mut killed = 0;
    while killed < kills {
        progress(&market, &mut buyers, random.random_range(1..=20)).await?;
        killed += inject(&mut processes, &mut random).await?;
    }
    let restarted = Instant::now();
    market.closed.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    while let Some(ended) = buyers.join_next().await {
        told.append(&mut ended??);
    }
    settle(&client, restarted).await?;
    let orders = judge(&client, &user, &products, &told).await?;
    let answers = told.iter().filter(|(_, told): &&(IdempotencyKey, Told)| !matches!(told, Told::LeftOpen));
    let (answers, retries) = (answers.count(), market.retries.load(Ordering::Relaxed));
    Ok(Summary { seed, kills: killed, orders, answers, retries, time: began.elapsed() })
}

/// Waits until the buyers got so many more answers.
async fn progress(
    market: &Market,
    buyers: &mut JoinSet<Result<Vec<(IdempotencyKey, Told)>>>,
    answers: usize,
) -> Result<()> {
    let (began, before) = (Instant::now(), market.answers.load(Ordering::Relaxed));
    while market.answers.load(Ordering::Relaxed) < before + answers {
        if let Some(ended) = buyers.try_join_next() {
            ended?.context("a buyer saw a violation")?;
        }
        if began.elapsed() > LIMIT {
            bail!("no order was answered within {LIMIT:?} after a restart");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// Kills one, two or all services, sometimes again while they start. Returns the number of kills.
async fn inject(processes: &mut Processes, random: &mut StdRng) -> Result<usize> {
    let mut roles = Role::ALL;
    roles.shuffle(random);
    let roles = match random.random_range(0..10) {
        0 => &roles[..],
        1 | 2 => &roles[..2],
        _ => &roles[..1],
    };
    let mut kills = 0;
    for role in roles {
        processes.kill(*role)?;
        kills += 1;
    }
    for role in roles {
        processes.spawn(*role, "")?;
        if random.random_bool(0.2) {
            tokio::time::sleep(Duration::from_millis(random.random_range(0..40))).await;
            processes.kill(*role)?;
            kills += 1;
            processes.spawn(*role, "")?;
        }
    }
    processes.ready(roles).await?;
    Ok(kills)
}
