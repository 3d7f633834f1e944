//! The whole journey as one check: up, seed, order, failures, a burst, verification, down.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use ordersys_contract::order::{CANCEL, NewLine, NewOrder, ORDERS, OrderState};
use ordersys_contract::product::{Product, StockAccount};
use ordersys_contract::session::NewSession;
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Client, Code, IdempotencyKey, OrderId, Password, Problem, Quantity, Secret};
use serde::Serialize;

use crate::render::Printer;
use crate::seed;
use crate::seed::{Made, Plan};
use ordersys_bench::profile::Profile;
use ordersys_bench::settings::Environment;
use ordersys_workload::model::StopCondition;

/// How long the burst lasts.
const BURST: Duration = Duration::from_secs(3);
/// Connections of the burst.
const BURST_CONNECTIONS: u32 = 16;
/// Units of each seeded product.
const STOCK: u64 = 100;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
    /// It needed something that failed before.
    Skipped,
}

/// One step of the journey.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What was tried.
    pub name: &'static str,
    /// How it ended.
    pub result: Ended,
    /// How long it took, in milliseconds.
    pub millis: u128,
    /// Why it failed, if it did.
    pub detail: Option<String>,
}

/// The steps so far.
#[derive(Debug, Default, Serialize)]
pub struct Journey {
    /// In the order they were tried.
    pub steps: Vec<Step>,
}

impl Journey {
    /// Tries a step and writes down how it ended.
    pub async fn step<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> Option<T> {
        let began = Instant::now();
        let outcome = work.await;
        let (result, detail) = match &outcome {
            Ok(_) => (Ended::Passed, None),
            Err(error) => (Ended::Failed, Some(format!("{error:#}"))),
        };
        self.steps.push(Step { name, result, millis: began.elapsed().as_millis(), detail });
        outcome.ok()
    }

    /// Writes down a step that was not tried.
    pub fn skip(&mut self, name: &'static str) {
        self.steps.push(Step { name, result: Ended::Skipped, millis: 0, detail: None });
    }

    /// The first step that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.result == Ended::Failed)
    }
}

/// Everything between `up` and `down`.
pub async fn travel(journey: &mut Journey, client: &Client, around: &Environment, printer: &Printer) {
    let seeded = journey.step("seed users and products", seeded(client, printer)).await;
    let Some((user, product)) = seeded else {
        journey.skip("place orders");
        return;
    };
    let buyer = Buyer { client, user: &user, product: &product };
    journey.step("place an order", buyer.places()).await;
    journey.step("repeat it with its key", buyer.repeats()).await;
    journey.step("cancel it and get the stock back", buyer.cancels()).await;
    journey.step("refuse an unknown user", buyer.is_refused(&Bad::User)).await;
    journey.step("refuse an unknown product", buyer.is_refused(&Bad::Product)).await;
    journey.step("refuse more than there is", buyer.is_refused(&Bad::TooMuch)).await;
    journey.step("refuse a negative quantity", buyer.is_refused(&Bad::Negative)).await;
    journey.step("log in and order, unseen by a stranger", Box::pin(buyer.logs_in())).await;
    journey.step("burst of orders, verified", Box::pin(burst(client, around, printer))).await;
    journey.step("account for every unit", accounts(client)).await;
}

async fn seeded(client: &Client, printer: &Printer) -> anyhow::Result<(User, Product)> {
    let plan = Plan { users: 3, products: 3, stock: STOCK, seed: 1 };
    let progress = printer.progress(Some(6), "seeding");
    let seeded = seed::run(client, &plan, &progress, &Made::default()).await;
    progress.finish();
    let seeded = seeded?;
    let (user, product) = (seeded.users.into_iter().next(), seeded.products.into_iter().next());
    user.zip(product).context("nothing was made")
}

struct Buyer<'a> {
    client: &'a Client,
    user: &'a User,
    product: &'a Product,
}

/// What is wrong with an order.
enum Bad {
    User,
    Product,
    TooMuch,
    Negative,
}

impl Buyer<'_> {
    fn order(&self, units: Quantity) -> NewOrder {
        let line = NewLine { product_id: self.product.id.to_string(), quantity: units };
        NewOrder { user_id: self.user.id.to_string(), items: vec![line] }
    }

    fn key(&self) -> anyhow::Result<IdempotencyKey> {
        IdempotencyKey::parse(&format!("smoke-{}", self.user.id)).context("not a key")
    }

    async fn stock(&self) -> anyhow::Result<u64> {
        Ok(self.client.product(self.product.id).await?.stock)
    }

    async fn places(&self) -> anyhow::Result<()> {
        let two = Quantity::new(2).context("not a quantity")?;
        let placed = self.client.place(&self.order(two), Some(&self.key()?)).await?;
        ensure!(placed.order.status == OrderState::Confirmed, "it is {}", placed.order.status.as_str());
        let expected = self.product.price.times(two);
        ensure!(Some(placed.order.total) == expected, "the total is {}", placed.order.total);
        let left = self.stock().await?;
        ensure!(left == STOCK - 2, "{left} units are left of {STOCK} after an order of 2");
        Ok(())
    }

    async fn repeats(&self) -> anyhow::Result<()> {
        let two = Quantity::new(2).context("not a quantity")?;
        let again = self.client.place(&self.order(two), Some(&self.key()?)).await?;
        ensure!(again.replayed, "the same key made a second order");
        let other = self.client.place(&self.order(Quantity::ONE), Some(&self.key()?)).await;
        refused_with(other.map(|placed| placed.order.id), Code::IdempotencyMismatch)
    }

    async fn cancels(&self) -> anyhow::Result<()> {
        let two = Quantity::new(2).context("not a quantity")?;
        let placed = self.client.place(&self.order(two), Some(&self.key()?)).await?;
        let cancelled = self.client.step(placed.order.id, CANCEL).await?;
        ensure!(cancelled.status == OrderState::Cancelled, "it is {}", cancelled.status.as_str());
        let left = self.stock().await?;
        ensure!(left == STOCK, "{left} units are there after the cancellation, {STOCK} before the order");
        Ok(())
    }

    /// A registered user orders, and no other caller learns of it.
    async fn logs_in(&self) -> anyhow::Result<()> {
        let stranger = self.client.clone().with_credential(None);
        let (email, password) =
            (format!("{}@example.com", self.user.id), Password::new(Secret::random().expose()));
        let new = NewUser::registered("Smoke", &email, password.clone());
        let user = stranger.create_user(&new).await?;
        let session = stranger.log_in(&NewSession { email, password }).await?;
        ensure!(session.user_id == user.id, "the session is of user {}", session.user_id);
        let owner = stranger.clone().with_credential(Some(session.access_token));
        let order = NewOrder { user_id: user.id.to_string(), ..self.order(Quantity::ONE) };
        ensure!(stranger.place(&order, None).await.is_err(), "a stranger may order for a registered user");
        let placed = owner.place(&order, None).await?.order;
        ensure!(owner.order(placed.id).await? == placed, "its owner reads another order");
        refused_with(stranger.order(placed.id).await, Code::NotFound)?;
        refused_with(stranger.step(placed.id, CANCEL).await, Code::NotFound)?;
        owner.step(placed.id, CANCEL).await?;
        Ok(owner.log_out().await?)
    }

    async fn is_refused(&self, bad: &Bad) -> anyhow::Result<()> {
        let before = self.stock().await?;
        let mut order = self.order(Quantity::ONE);
        let code = match bad {
            Bad::User => {
                order.user_id = OrderId::random().to_string();
                Code::UnknownUser
            }
            Bad::Product => {
                order.items[0].product_id = OrderId::random().to_string();
                Code::UnknownProduct
            }
            Bad::TooMuch => {
                order.items[0].quantity = Quantity::new(STOCK + 1).context("not a quantity")?;
                Code::InsufficientStock
            }
            Bad::Negative => Code::InvalidField,
        };
        let body = serde_json::to_string(&order)?;
        let body = match bad {
            Bad::Negative => body.replace("\"quantity\":1", "\"quantity\":-1"),
            Bad::User | Bad::Product | Bad::TooMuch => body,
        };
        let base = &self.client.endpoints().order;
        let (status, answer) = self.client.post_raw(base, ORDERS, body).await?;
        let problem = Problem::from_body(&answer, None);
        let got = problem.map(|problem| problem.code.as_str());
        ensure!(
            status == code.status() && got == Some(code.as_str()),
            "answered {status} {}, wanted {} {}",
            got.unwrap_or("without a problem"),
            code.status(),
            code.as_str()
        );
        let after = self.stock().await?;
        ensure!(before == after, "the stock changed from {before} to {after}");
        Ok(())
    }
}

fn refused_with<T>(answer: Result<T, ordersys_contract::ClientError>, code: Code) -> anyhow::Result<()> {
    match answer {
        Ok(_) => bail!("it was accepted"),
        Err(error) => match error.problem() {
            Some(problem) if problem.code == code => Ok(()),
            _ => Err(error.into()),
        },
    }
}

async fn burst(client: &Client, around: &Environment, printer: &Printer) -> anyhow::Result<()> {
    let profile = Profile {
        connections: BURST_CONNECTIONS,
        stop_condition: StopCondition::For(BURST),
        ..Profile::default()
    };
    let report =
        crate::render::run(&profile, client, around, printer).await.map_err(|failure| failure.error)?;
    ensure!(report.counters().ok > 0, "no order was placed");
    // A slow or busy machine makes numbers worthless, not the system wrong.
    match report.failure() {
        Some(failure) if failure.exit != ordersys_command::Exit::InvalidRun => Err(failure.error),
        _ => Ok(()),
    }
}

async fn accounts(client: &Client) -> anyhow::Result<()> {
    let accounts = client.stock_accounts().await?;
    ensure!(!accounts.is_empty(), "there are no products");
    match accounts.iter().find(|account| !account.is_balanced() || account.reserved > 0) {
        None => Ok(()),
        Some(StockAccount { product_id, initial, restocked, available, reserved, sold }) => bail!(
            "product {product_id}: {initial} + {restocked} came, {available} are there, {reserved} held, {sold} sold"
        ),
    }
}
