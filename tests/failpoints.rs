//! A crash at every point of an order's way, in real processes: nothing lost, doubled or oversold.
#![expect(clippy::print_stdout, reason = "names the points it covered")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use ordersys_contract::Role;
use ordersys_contract::order::{NewOrder, Order, OrderState};
use ordersys_contract::product::Product;
use ordersys_contract::reservation::{Action, Answer, Line, Operation, ReservationState};
use ordersys_contract::user::User;
use ordersys_contract::{Client, Code, IdempotencyKey, Quantity, RequestId};
use ordersys_testkit::crash::buyer::Told;
use ordersys_testkit::crash::judge::{judge, settle};
use ordersys_testkit::shop::{a_product, a_user};
use ordersys_testkit::{LIMIT, Processes, order_of};

#[path = "failpoints/clock.rs"]
mod clock;

const STOCK: u64 = 10;

/// Services with one product, and one order that is placed through their deaths.
struct Scene {
    processes: Processes,
    client: Client,
    user: User,
    product: Product,
    order: NewOrder,
    key: IdempotencyKey,
}

impl Scene {
    async fn new() -> Result<Self> {
        let processes = Processes::start().await?;
        let client = processes.client("admin.token")?;
        let (user, product) = (a_user(&client).await?, a_product(&client, STOCK).await?);
        let order = order_of(&user, &[(&product, 2), (&product, 1)]);
        let key = IdempotencyKey::parse("the-order").context("a key")?;
        Ok(Self { processes, client, user, product, order, key })
    }

    /// Starts a service again, this time with failpoints.
    async fn rearm(&mut self, role: Role, failpoints: &str) -> Result<()> {
        self.processes.kill(role)?;
        self.processes.spawn(role, failpoints)?;
        self.processes.ready(&[role]).await
    }

    /// Waits until a service died at this point.
    async fn death(&mut self, role: Role, at: &str) -> Result<()> {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.processes.ended(role)? {
                break status;
            }
            ensure!(began.elapsed() < LIMIT, "the {role} service does not die at {at}");
            tokio::time::sleep(Duration::from_millis(3)).await;
        };
        let log = self.processes.log(role);
        ensure!(!status.success() && log.contains(at), "the {role} service ended with {status}:\n{log}");
        Ok(())
    }

    async fn restart(&mut self, role: Role) -> Result<()> {
        self.processes.spawn(role, "")?;
        self.processes.ready(&[role]).await
    }

    /// Posts the order, whatever comes of it.
    fn post(&self) -> tokio::task::JoinHandle<()> {
        let (client, order, key) = (self.client.clone(), self.order.clone(), self.key.clone());
        tokio::spawn(async move {
            let _ = client.place(&order, Some(&key)).await;
        })
    }

    /// The one order, once it is in this state.
    async fn until(&self, state: OrderState) -> Result<Order> {
        let began = Instant::now();
        loop {
            let orders = self.client.orders(&ordersys_contract::client::OrderFilter::default()).await?.items;
            if let Some(order) = orders.iter().find(|order| order.status == state) {
                return Ok(order.clone());
            }
            ensure!(began.elapsed() < LIMIT, "no order is {}: {orders:?}", state.as_str());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// After the last restart the same post gives one confirmed order.
    async fn confirmed(self) -> Result<()> {
        settle(&self.client, Instant::now()).await?;
        let placed = self.client.place(&self.order, Some(&self.key)).await?.order;
        self.judge(Told::Order(Box::new(placed), OrderState::Confirmed)).await
    }

    /// After the last restart the order is aborted for good, and a late reserve takes nothing.
    async fn aborted(self) -> Result<()> {
        let order = self.until(OrderState::Aborted).await?;
        let quantity = Quantity::new(3).context("in range")?;
        let lines = vec![Line { product_id: self.product.id, quantity }];
        let action = Action::Reserve { lines, commit: true, lease_ms: 0, time_left_ms: 10_000 };
        let late =
            Operation { order_id: order.id, request_id: RequestId::random(), trace_parent: None, action };
        let answers = self.processes.client("service.token")?.reservations(vec![late]).await?;
        let took_nothing =
            |answer: &Answer| matches!(answer, Answer::Stands(r) if r.state == ReservationState::Cancelled);
        ensure!(answers.iter().all(took_nothing) || answers == [Answer::Mismatch], "{answers:?}");
        let again = self.client.place(&self.order, Some(&self.key)).await.err().context("stays aborted")?;
        ensure!(again.problem().map(|problem| problem.code) == Some(Code::OrderAborted), "{again}");
        self.judge(Told::Refused).await
    }

    async fn judge(&self, told: Told) -> Result<()> {
        let products = std::slice::from_ref(&self.product);
        let orders = judge(&self.client, &self.user, products, &[(self.key.clone(), told)]).await?;
        ensure!(orders == 1, "{orders} orders");
        Ok(())
    }
}

fn report(point: &str, outcome: Result<()>) {
    match outcome {
        Ok(()) => println!("covered: {point}"),
        Err(violation) => panic!("{point}: {violation:?}"),
    }
}

/// A service dies at one point of a new order's way; after its restart the order is confirmed once.
async fn dies_once(role: Role, failpoints: &str, at: &str) -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.rearm(role, failpoints).await?;
    let post = scene.post();
    scene.death(role, at).await?;
    scene.restart(role).await?;
    post.await?;
    scene.confirmed().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_on_the_way_of_a_new_order() {
    for (role, point) in [
        (Role::Order, "order-commit-pending"),
        (Role::Order, "order-pending"),
        (Role::Product, "product-apply"),
        (Role::Product, "product-committed"),
        (Role::Order, "order-commit-confirmed"),
        (Role::Order, "order-confirmed"),
    ] {
        report(point, dies_once(role, &format!("{point}=return"), &format!("died at {point}")).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails() {
    for (role, fault) in [
        (Role::Order, "order-commit=return(io)"),
        (Role::Order, "order-commit=return(after)"),
        (Role::Order, "order-commit=1*off->return(io)"),
        (Role::Order, "order-commit=1*off->return(after)"),
    ] {
        report(fault, dies_once(role, fault, "a commit failed").await);
    }
    // The product service writes its first products when it starts: one commit goes through.
    for fault in ["product-commit=1*off->return(io)", "product-commit=1*off->return(after)"] {
        report(fault, dies_once(Role::Product, fault, "a commit failed").await);
    }
    report("full disk", full_disk().await);
}

/// A full disk refuses with nothing written; with room again the same key places the order.
async fn full_disk() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.rearm(Role::Order, "order-commit=1*return(full)").await?;
    let refused = scene.client.place(&scene.order, Some(&scene.key)).await.err().context("is full")?;
    ensure!(refused.problem().map(|problem| problem.code) == Some(Code::StorageFull), "{refused}");
    let listed = scene.client.orders(&ordersys_contract::client::OrderFilter::default()).await?.items;
    ensure!(listed.is_empty(), "something was written: {listed:?}");
    scene.processes.ready(&[Role::Order]).await?;
    scene.confirmed().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_while_giving_up() {
    report("order-aborting", dies_aborting().await);
    report("order-commit-aborted", dies_after_cancel().await);
    report("aborting after a commit", commits_and_aborts().await);
}

/// The order service dies in aborting, before it asked for the cancellation.
async fn dies_aborting() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.rearm(Role::Order, "order-deadline=return(300);order-aborting=return").await?;
    scene.processes.kill(Role::Product)?;
    let post = scene.post();
    scene.death(Role::Order, "died at order-aborting").await?;
    scene.restart(Role::Product).await?;
    scene.restart(Role::Order).await?;
    post.await?;
    scene.aborted().await
}

/// The order service dies after the cancellation was answered, before it stored that.
async fn dies_after_cancel() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.rearm(Role::Order, "order-deadline=return(300);order-commit-aborted=return").await?;
    scene.processes.kill(Role::Product)?;
    let post = scene.post();
    scene.until(OrderState::Aborting).await?;
    scene.restart(Role::Product).await?;
    scene.death(Role::Order, "died at order-commit-aborted").await?;
    scene.restart(Role::Order).await?;
    post.await?;
    scene.aborted().await
}

/// The product service sold the stock and died before it said so; the order is being given up
/// when it comes back, finds out, and is confirmed.
async fn commits_and_aborts() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.rearm(Role::Order, "order-deadline=return(300)").await?;
    scene.rearm(Role::Product, "product-committed=return").await?;
    let post = scene.post();
    scene.death(Role::Product, "died at product-committed").await?;
    scene.until(OrderState::Aborting).await?;
    scene.restart(Role::Product).await?;
    post.await?;
    scene.confirmed().await
}
