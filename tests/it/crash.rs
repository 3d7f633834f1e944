//! `kill -9` of real processes under load: nothing acknowledged is lost, stock is conserved.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ordersys::stack::role::Role;
use ordersys_contract::order::{Order, OrderState};
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Cents, Client, Currency, IdempotencyKey, OrderId};
use tokio::task::JoinSet;

use crate::support::{LIMIT, Processes, order_of};

const BUYERS: usize = 16;
const STOCK: u64 = 1_000_000;
const KILLS: usize = 9;

type Acknowledged = Arc<Mutex<HashMap<OrderId, Order>>>;

#[tokio::test(flavor = "multi_thread")]
async fn killed_services_lose_nothing_they_acknowledged() {
    let mut processes = Processes::start().await;
    let client = processes.admin();
    let new = NewUser { name: "Bo".to_owned(), email: "bo@example.com".to_owned() };
    let user = client.create_user(&new).await.expect("a user");
    let price = Cents::from_minor(250).expect("not negative");
    let new = NewProduct { name: "Thing".to_owned(), price, stock: STOCK, currency: Currency::USD };
    let product = client.create_product(&new).await.expect("a product");

    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Acknowledged::default());
    let mut buyers = JoinSet::new();
    for number in 0..BUYERS {
        let buyer = Buyer { number, client: client.clone(), user: user.clone(), product: product.clone() };
        buyers.spawn(buyer.run(Arc::clone(&stop), Arc::clone(&acknowledged)));
    }
    for kill in 0..KILLS {
        let role = Role::ALL[kill % Role::ALL.len()];
        let enough = acknowledged.lock().expect("not poisoned").len() + 20;
        tokio::time::timeout(LIMIT, async {
            while acknowledged.lock().expect("not poisoned").len() < enough {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        })
        .await
        .expect("orders go on after a kill");
        processes.kill(role);
        processes.begin(role).await;
    }
    stop.store(true, Ordering::Relaxed);
    let keys: usize = buyers.join_all().await.into_iter().sum();
    let acknowledged = std::mem::take(&mut *acknowledged.lock().expect("not poisoned"));
    assert_eq!(acknowledged.len(), keys, "every key got exactly one order in the end");
    judge(&client, &user, &product, &acknowledged).await;
}

/// Places one order after the other, each with a key of its own, repeating it until it is answered.
struct Buyer {
    number: usize,
    client: Client,
    user: User,
    product: Product,
}

impl Buyer {
    async fn run(self, stop: Arc<AtomicBool>, acknowledged: Acknowledged) -> usize {
        let mut keys = 0;
        while !stop.load(Ordering::Relaxed) {
            keys += 1;
            let key = IdempotencyKey::parse(&format!("{}-{keys}", self.number)).expect("a key");
            let order = order_of(&self.user, &[(&self.product, 1), (&self.product, 2)]);
            let began = std::time::Instant::now();
            let placed = loop {
                match self.client.place(&order, Some(&key)).await {
                    Ok(placed) if placed.order.status == OrderState::Confirmed => break placed.order,
                    _ => assert!(began.elapsed() < LIMIT, "no answer to {}", key.as_str()),
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            };
            acknowledged.lock().expect("not poisoned").insert(placed.id, placed);
        }
        keys
    }
}

async fn judge(client: &Client, user: &User, product: &Product, acknowledged: &HashMap<OrderId, Order>) {
    let filter =
        ordersys_contract::client::OrderFilter { user: Some(user.id), status: None, limit: Some(1000) };
    let mut page = client.orders(&filter).await.expect("lists");
    let mut stored = page.items;
    while let Some(next) = page.next {
        page = client.more_orders(&next).await.expect("lists on");
        stored.append(&mut page.items);
    }
    for order in &stored {
        assert_eq!(acknowledged.get(&order.id), Some(order), "stored and acknowledged are the same");
    }
    assert_eq!(stored.len(), acknowledged.len());
    let sold = 3 * u64::try_from(stored.len()).expect("a count");
    let account = client.stock_accounts().await.expect("reads");
    let account = account.iter().find(|account| account.product_id == product.id).expect("is there");
    assert!(account.is_balanced(), "{account:?}");
    assert_eq!((account.available, account.reserved, account.sold), (STOCK - sold, 0, sold));
}
