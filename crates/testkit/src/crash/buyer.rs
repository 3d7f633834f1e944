//! A buyer that places orders through every crash and remembers what it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use ordersys_contract::order::{CANCEL, NewOrder, Order, OrderState};
use ordersys_contract::product::Product;
use ordersys_contract::user::User;
use ordersys_contract::{Client, Code, IdempotencyKey};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::{LIMIT, order_of};

/// How long a buyer waits before it repeats what was not answered.
const PAUSE: Duration = Duration::from_millis(5);

/// What a buyer was told in the end about one key.
#[derive(Debug)]
pub enum Told {
    /// The order as it was answered, and where it has to stand now.
    Order(Box<Order>, OrderState),
    /// Refused for good.
    Refused,
    /// Nothing: the buyer went away after one try.
    LeftOpen,
}

/// What all buyers share.
#[derive(Debug, Default)]
pub struct Market {
    /// Set when no further orders are to be begun.
    pub closed: AtomicBool,
    /// Definite answers so far.
    pub answers: AtomicUsize,
    /// Calls that had to be repeated.
    pub retries: AtomicUsize,
}

/// Places one order after the other, each with a key of its own.
pub struct Buyer {
    /// Which of the buyers it is; part of its keys.
    pub number: usize,
    /// Decides what it orders.
    pub seed: u64,
    /// By what it orders.
    pub client: Client,
    /// For whom it orders.
    pub user: User,
    /// What it orders.
    pub products: Arc<Vec<Product>>,
    /// What it shares with the others.
    pub market: Arc<Market>,
}

impl Buyer {
    /// Buys until the market closes; returns every key with what it was told.
    pub async fn run(self) -> Result<Vec<(IdempotencyKey, Told)>> {
        let number = u64::try_from(self.number)?;
        let mut random = StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003) ^ number);
        let mut told = Vec::new();
        while !self.market.closed.load(Ordering::Relaxed) {
            let text = format!("buyer-{}-{}", self.number, told.len());
            let Some(key) = IdempotencyKey::parse(&text) else { bail!("{text} is no key") };
            let order = self.an_order(&mut random);
            let answer = self.buy(&order, &key, &mut random).await?;
            self.market.answers.fetch_add(1, Ordering::Relaxed);
            told.push((key, answer));
        }
        Ok(told)
    }

    fn an_order(&self, random: &mut StdRng) -> NewOrder {
        let lines = (0..random.random_range(1..=3)).map(|_| {
            let product = &self.products[random.random_range(0..self.products.len())];
            (product, random.random_range(1..=3))
        });
        order_of(&self.user, &lines.collect::<Vec<_>>())
    }

    async fn buy(&self, new: &NewOrder, key: &IdempotencyKey, random: &mut StdRng) -> Result<Told> {
        if random.random_bool(0.05) {
            let _ = self.client.clone().with_timeout(PAUSE).place(new, Some(key)).await;
            return Ok(Told::LeftOpen);
        }
        let Some(order) = self.place(new, key).await? else { return Ok(Told::Refused) };
        if random.random_bool(0.1) {
            let again = self.place(new, key).await?;
            ensure!(again.as_ref() == Some(&order), "{} was told {order:?}, then {again:?}", key.as_str());
        }
        if random.random_bool(0.2) {
            self.cancel(&order).await?;
            return Ok(Told::Order(Box::new(order), OrderState::Cancelled));
        }
        Ok(Told::Order(Box::new(order), OrderState::Confirmed))
    }

    /// Posts the same order until its outcome is known; `None` if it was refused.
    async fn place(&self, new: &NewOrder, key: &IdempotencyKey) -> Result<Option<Order>> {
        let began = Instant::now();
        let mut accepted = None;
        loop {
            match self.client.place(new, Some(key)).await {
                Ok(placed) => {
                    let id = placed.order.id;
                    ensure!(*accepted.get_or_insert(id) == id, "{} has two orders", key.as_str());
                    match placed.order.status {
                        OrderState::Confirmed => return Ok(Some(placed.order)),
                        OrderState::Pending | OrderState::Aborting => {}
                        state => bail!("{} is {} uninvited", key.as_str(), state.as_str()),
                    }
                }
                Err(error) => match error.problem().map(|problem| problem.code) {
                    Some(Code::InsufficientStock | Code::OrderExpired | Code::OrderAborted) => {
                        return Ok(None);
                    }
                    Some(code) if !code.status().is_server_error() => bail!("{}: {error}", key.as_str()),
                    _ => {}
                },
            }
            ensure!(began.elapsed() < 2 * LIMIT, "no definite answer to {}", key.as_str());
            self.retry().await;
        }
    }

    async fn cancel(&self, order: &Order) -> Result<()> {
        let began = Instant::now();
        loop {
            match self.client.step(order.id, CANCEL).await {
                Ok(order) if order.status == OrderState::Cancelled => return Ok(()),
                Ok(order) => ensure!(order.status == OrderState::Cancelling, "cancelling gave {order:?}"),
                Err(error) => {
                    let refused =
                        error.problem().is_some_and(|problem| !problem.code.status().is_server_error());
                    ensure!(!refused, "{} cannot be cancelled: {error}", order.id);
                }
            }
            ensure!(began.elapsed() < LIMIT, "{} was not cancelled in time", order.id);
            self.retry().await;
        }
    }

    async fn retry(&self) {
        self.market.retries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
}
