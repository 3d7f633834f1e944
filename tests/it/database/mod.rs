//! The system on PostgreSQL: stacks on a database, and what is left when sessions, servers and services die under it.
//! What was acknowledged is there, once, and the stock is what was not sold.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;
use ordersys_contract::product::Product;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::user::User;
use ordersys_contract::{Client, IdempotencyKey, Role, Secret};
use ordersys_postgres::Temporary;
use ordersys_testkit::crash::buyer::{Buyer, Market, Told};
use ordersys_testkit::crash::judge::{judge, settle};
use ordersys_testkit::shop::{a_product, a_user};
use ordersys_testkit::{LIMIT, Processes};
use ordersys_verify::audit::{Standing, check};
use tokio::task::JoinSet;

mod locks;
mod lost_answers;
mod outages;
mod pooler;
mod replicas;
mod scaling;
mod sessions;
mod stack;
mod starts;

/// Units of each product: some that last, one that sells out on the way.
const STOCKS: [u64; 4] = [1_000_000, 1_000_000, 1_000_000, 100];

/// Three services on a database of their own.
async fn services(server: &Temporary) -> (DatabaseAddress, Processes) {
    let address = server.database().expect("a database");
    let processes = Processes::start_on(&address, server.password()).await.expect("starts");
    (address, processes)
}

/// A role that may make schemas in a database and connect as often as `rights` say, and its password.
fn role(server: &Temporary, address: &DatabaseAddress, name: &str, rights: &str) -> (String, Secret) {
    let (database, password) = (&address.database, Secret::random());
    let role = format!("{database}_{name}");
    let make = format!(
        "CREATE ROLE {role} {rights} PASSWORD '{}'; GRANT CREATE ON DATABASE {database} TO {role}",
        password.expose()
    );
    server.run("postgres", &make).expect("runs");
    (role, password)
}

/// Buyers who go on through whatever happens.
struct Crowd {
    client: Client,
    user: User,
    products: Arc<Vec<Product>>,
    market: Arc<Market>,
    buyers: JoinSet<Result<Vec<(IdempotencyKey, Told)>>>,
}

impl Crowd {
    /// So many buyers begin with each of these clients.
    async fn begin(clients: &[Client], each: usize) -> Self {
        let client = clients[0].clone();
        let user = a_user(&client).await.expect("made");
        let mut products = Vec::new();
        for stock in STOCKS {
            products.push(a_product(&client, stock).await.expect("made"));
        }
        let (products, market) = (Arc::new(products), Arc::new(Market::default()));
        let mut buyers = JoinSet::new();
        for number in 0..clients.len() * each {
            let client = clients[number % clients.len()].clone();
            let (user, products, market) = (user.clone(), Arc::clone(&products), Arc::clone(&market));
            buyers.spawn(Buyer { number, seed: 1, client, user, products, market }.run());
        }
        Self { client, user, products, market, buyers }
    }

    /// Waits until so many more orders have a definite answer.
    async fn buys(&mut self, more: usize) {
        let (began, before) = (Instant::now(), self.market.answers.load(Ordering::Relaxed));
        while self.market.answers.load(Ordering::Relaxed) < before + more {
            if let Some(ended) = self.buyers.try_join_next() {
                ended.expect("no panic").expect("no violation");
            }
            assert!(began.elapsed() < LIMIT, "nothing is sold");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Calls the buyers off, and compares what they were told with what is there. Returns how many orders there are.
    async fn close(mut self) -> usize {
        self.market.closed.store(true, Ordering::Relaxed);
        let mut told = Vec::new();
        while let Some(ended) = self.buyers.join_next().await {
            told.append(&mut ended.expect("no panic").expect("no violation"));
        }
        settle(&self.client, Instant::now()).await.expect("every order gets its outcome");
        let orders = judge(&self.client, &self.user, &self.products, &told).await.expect("no violation");
        audit(&self.client).await;
        orders
    }
}

/// What `ordersys check` checks.
async fn audit(client: &Client) {
    let report = check(client, |_| {}).await.expect("reads everything");
    assert!(report.findings.iter().all(|finding| finding.result != Standing::Fail), "{report:?}");
}

/// Waits until all services are ready, and returns how long that took.
async fn healed(processes: &mut Processes) -> Duration {
    let began = Instant::now();
    processes.ready(&Role::ALL).await.expect("is ready again by itself");
    began.elapsed()
}
