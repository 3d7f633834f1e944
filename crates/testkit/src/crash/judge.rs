//! Compares what buyers were told with what the services have, from outside.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ordersys_contract::client::OrderFilter;
use ordersys_contract::order::{BY_KEY, Order, OrderState};
use ordersys_contract::product::Product;
use ordersys_contract::user::User;
use ordersys_contract::{Client, IdempotencyKey, Money, OrderId, ProductId};

use crate::crash::buyer::Told;

/// How long after the last restart every order must have its outcome.
const SETTLED: Duration = Duration::from_secs(10);

/// Waits until no order is without its outcome.
pub async fn settle(client: &Client, restarted: Instant) -> Result<()> {
    for status in [OrderState::Pending, OrderState::Aborting, OrderState::Cancelling] {
        loop {
            let filter = OrderFilter { status: Some(status), ..OrderFilter::default() };
            let open = client.orders(&filter).await?.items;
            let Some(order) = open.first() else { break };
            ensure!(
                restarted.elapsed() < SETTLED,
                "{} is still {} {SETTLED:?} after the last restart",
                order.id,
                status.as_str()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

/// Checks that nothing is lost, doubled or oversold. Returns how many orders there are.
pub async fn judge(
    client: &Client,
    user: &User,
    products: &[Product],
    told: &[(IdempotencyKey, Told)],
) -> Result<usize> {
    let stored = orders(client, user).await?;
    let mut claimed = HashSet::new();
    for (key, told) in told {
        if let Some(id) = claimed_by(client, user, key, told, &stored).await? {
            ensure!(claimed.insert(id), "{id} has two keys, one is {}", key.as_str());
        }
    }
    for id in stored.keys() {
        ensure!(claimed.contains(id), "{id} has no key: an order was doubled");
    }
    stock(client, products, &stored).await?;
    Ok(stored.len())
}

async fn orders(client: &Client, user: &User) -> Result<HashMap<OrderId, Order>> {
    let filter = OrderFilter { user: Some(user.id), status: None, limit: Some(1000) };
    let mut page = client.orders(&filter).await?;
    let mut all = page.items;
    while let Some(next) = page.next {
        page = client.more_orders(&next).await?;
        all.append(&mut page.items);
    }
    Ok(all.into_iter().map(|order| (order.id, order)).collect())
}

/// The order of a key, after comparing it with what its buyer was told.
async fn claimed_by(
    client: &Client,
    user: &User,
    key: &IdempotencyKey,
    told: &Told,
    stored: &HashMap<OrderId, Order>,
) -> Result<Option<OrderId>> {
    if let Told::Order(answered, state) = told {
        let order = stored.get(&answered.id);
        let order = order.with_context(|| format!("{} was acknowledged and is lost", answered.id))?;
        ensure!(
            (&order.items, order.total) == (&answered.items, answered.total),
            "acknowledged as {answered:?}, stored as {order:?}"
        );
        ensure!(order.status == *state, "{} is {:?}, not {state:?}", order.id, order.status);
        return Ok(Some(order.id));
    }
    let path = format!("{BY_KEY}?userId={}&key={}", user.id, key.as_str());
    let (status, body) = client.get_raw(&client.endpoints().order, &path).await?;
    if status.as_u16() == 404 && matches!(told, Told::LeftOpen) {
        return Ok(None);
    }
    ensure!(status.is_success(), "{} gave {status}", key.as_str());
    let order: Order = serde_json::from_slice(&body)?;
    let failed = matches!(order.status, OrderState::Rejected | OrderState::Expired | OrderState::Aborted);
    ensure!(failed || matches!(told, Told::LeftOpen), "{} was refused and is {order:?}", key.as_str());
    Ok(Some(order.id))
}

async fn stock(client: &Client, products: &[Product], stored: &HashMap<OrderId, Order>) -> Result<()> {
    let mut sold = HashMap::<ProductId, u64>::new();
    for order in stored.values().filter(|order| order.status == OrderState::Confirmed) {
        let mut total = Money::ZERO;
        for line in &order.items {
            *sold.entry(line.product_id).or_default() += u64::from(line.quantity.get());
            let price = line.unit_price.and_then(|price| price.times(line.quantity));
            total = price.and_then(|price| total.plus(price)).context("a price")?;
        }
        ensure!(total == order.total, "the total of {order:?} is {total}");
    }
    let accounts = client.stock_accounts().await?;
    for product in products {
        let account = accounts.iter().find(|account| account.product_id == product.id);
        let account = account.with_context(|| format!("{} is gone", product.id))?;
        let sold = sold.get(&product.id).copied().unwrap_or(0);
        let found = (account.initial, account.available + sold, account.reserved, account.sold);
        ensure!(
            account.is_balanced() && found == (product.stock, product.stock, 0, sold),
            "{sold} units are in orders, the stock is {account:?}"
        );
    }
    Ok(())
}
