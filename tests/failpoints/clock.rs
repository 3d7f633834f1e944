//! The clock of one process is an hour ahead for two seconds, under load: nothing is lost, sales go on, and once
//! the clock is right again nothing is left of it but times that are named.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use ordersys_contract::Role;
use ordersys_contract::health::Readiness;
use ordersys_contract::order::{CANCEL, OrderState};
use ordersys_contract::product::Product;
use ordersys_contract::session::{NewSession, RefreshSession, Session};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Client, IdempotencyKey, Password, Secret};
use ordersys_testkit::crash::buyer::{Buyer, Market, Told};
use ordersys_testkit::crash::judge::{judge, settle};
use ordersys_testkit::shop::{a_product, a_user};
use ordersys_testkit::{LIMIT, Processes, order_of};
use ordersys_verify::audit::{Standing, check};
use tokio::task::JoinSet;

const BUYERS: usize = 4;
const STOCK: u64 = 10_000_000;
const HOUR_MS: i64 = 3_600_000;
/// How long a clock is wrong.
const WRONG: Duration = Duration::from_secs(2);
/// How long the product service is away before and after the jump.
const PAUSE: Duration = Duration::from_millis(400);
/// Time for the services to know the right time before.
const BEFORE: Duration = Duration::from_secs(5);
const PASSWORD: &str = "correct horse battery";

/// Services, a product that is sold all the time, and an account.
struct Shop {
    processes: Processes,
    client: Client,
    user: User,
    products: Arc<Vec<Product>>,
    account: User,
}

impl Shop {
    async fn open() -> Result<Self> {
        let processes = Processes::start().await?;
        let client = processes.client("admin.token")?;
        let (user, product) = (a_user(&client).await?, a_product(&client, STOCK).await?);
        let new = NewUser::registered("Ann", "ann@example.com", Password::new(PASSWORD));
        let account = client.create_user(&new).await?;
        Ok(Self { processes, client, user, products: Arc::new(vec![product]), account })
    }

    async fn log_in(&self) -> Result<Session> {
        let new = NewSession { email: self.account.email.clone(), password: Password::new(PASSWORD) };
        Ok(self.client.clone().with_credential(None).log_in(&new).await?)
    }

    /// What a token is good for: an order of its holder's.
    async fn orders_with(&self, token: &Secret, when: &str) -> Result<()> {
        let client = self.client.clone().with_credential(Some(token.clone()));
        let order = order_of(&self.account, &[(&self.products[0], 1)]);
        let placed = client.place(&order, None).await.with_context(|| format!("an order {when}"))?;
        ensure!(placed.order.status == OrderState::Confirmed, "{when}: {:?}", placed.order);
        client.step(placed.order.id, CANCEL).await?;
        Ok(())
    }

    /// Makes something of each kind whose time is stored.
    async fn make_things(&self) -> Result<()> {
        a_product(&self.client, 1).await?;
        a_user(&self.client).await.map(drop)
    }

    async fn readiness(&self, role: Role) -> Result<Readiness> {
        let endpoints = self.client.endpoints();
        let url = match role {
            Role::User => &endpoints.user,
            Role::Product => &endpoints.product,
            Role::Order => &endpoints.order,
        };
        let (status, body) = self.client.get_raw(url, "/readyz").await?;
        ensure!(status.is_success(), "the {role} service is not ready: {status}");
        Ok(serde_json::from_slice(&body)?)
    }
}

/// Waits until buyers got so many more answers.
async fn sells(market: &Market, answers: usize, when: &str) -> Result<()> {
    let (began, before) = (Instant::now(), market.answers.load(Ordering::Relaxed));
    while market.answers.load(Ordering::Relaxed) < before + answers {
        if began.elapsed() > LIMIT {
            bail!("sales stopped {when}");
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

async fn jumps(role: Role) -> Result<()> {
    let mut shop = Shop::open().await?;
    let market = Arc::new(Market::default());
    let mut buyers = JoinSet::new();
    for number in 0..BUYERS {
        let (client, user, products) = (shop.client.clone(), shop.user.clone(), Arc::clone(&shop.products));
        buyers.spawn(Buyer { number, seed: 7, client, user, products, market: Arc::clone(&market) }.run());
    }
    tokio::time::sleep(BEFORE).await;
    let before = shop.log_in().await?;
    let keys = shop.client.jwks().await?;
    let file = shop.processes.clock_file(role);
    // Orders are under way when the clock jumps: the product service is away.
    shop.processes.kill(Role::Product)?;
    tokio::time::sleep(PAUSE).await;
    std::fs::write(&file, HOUR_MS.to_string())?;
    let jumped = Instant::now();
    tokio::time::sleep(PAUSE).await;
    shop.processes.spawn(Role::Product, "")?;
    shop.processes.ready(&[Role::Product]).await?;
    sells(&market, 5, "while the clock was wrong").await?;
    shop.make_things().await?;
    shop.orders_with(&before.access_token, "with a token from before, while the clock was wrong").await?;
    let during = shop.log_in().await?;
    shop.orders_with(&during.access_token, "with a token of the wrong hour").await?;
    tokio::time::sleep(WRONG.saturating_sub(jumped.elapsed())).await;
    std::fs::remove_file(&file)?;

    sells(&market, 5, "when the clock was right again").await?;
    for (session, of) in [(&before, "before"), (&during, "the wrong hour")] {
        shop.orders_with(&session.access_token, &format!("with a token of {of}, after it")).await?;
    }
    let refresh = RefreshSession { refresh_token: during.refresh_token };
    let refreshed = shop.client.clone().with_credential(None).refresh(&refresh).await?;
    shop.orders_with(&refreshed.access_token, "with a refreshed token").await?;
    ensure!(shop.client.jwks().await? == keys, "the keys changed");
    is_named(&shop, role).await?;

    market.closed.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    while let Some(ended) = buyers.join_next().await {
        told.append(&mut ended??);
    }
    settle(&shop.client, Instant::now()).await?;
    judged(&shop, &told).await
}

/// The service whose clock was wrong says so, the others have nothing to say.
async fn is_named(shop: &Shop, wrong: Role) -> Result<()> {
    tokio::time::sleep(Duration::from_millis(1_200)).await; // looked for once a second
    for role in Role::ALL {
        let said = shop.readiness(role).await?;
        let named = said.warnings.iter().any(|text| text.contains("ahead of the clock"));
        ensure!(named == (role == wrong) && said.degraded == named, "{role}, with {wrong} wrong: {said:?}");
    }
    Ok(())
}

async fn judged(shop: &Shop, told: &[(IdempotencyKey, Told)]) -> Result<()> {
    let mut page = shop.client.order_records(None).await?;
    loop {
        for record in &page.items {
            let times = record.events.iter().map(|event| event.at);
            ensure!(times.is_sorted(), "a history goes back: {record:?}");
        }
        let Some(next) = page.next else { break };
        page = shop.client.order_records(Some(&next)).await?;
    }
    let refused = told.iter().find(|(_, told)| matches!(told, Told::Refused));
    ensure!(refused.is_none(), "there is enough of everything: {refused:?}");
    // Times from the future stay in the store: that they are found is the check's business elsewhere.
    let report = check(&shop.client, |_| {}).await?;
    let broken =
        report.findings.iter().find(|finding| finding.result == Standing::Fail && finding.id != "I11");
    ensure!(broken.is_none(), "{broken:?}");
    // The account's own orders were cancelled and bind nothing.
    judge(&shop.client, &shop.user, &shop.products, told).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_services_clock_jumps() {
    jumps(Role::Order).await.expect("no harm");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_product_services_clock_jumps() {
    jumps(Role::Product).await.expect("no harm");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_services_clock_jumps() {
    jumps(Role::User).await.expect("no harm");
}
