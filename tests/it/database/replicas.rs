//! Several order services on one database: what one leaves another finishes, and a key has one order everywhere.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ordersys_contract::client::OrderFilter;
use ordersys_contract::order::{CANCEL, Order, OrderState};
use ordersys_contract::{Client, Code, IdempotencyKey, Role};
use ordersys_postgres::Temporary;
use ordersys_testkit::shop::{a_product, a_user};
use ordersys_testkit::{LIMIT, Processes, busy, order_of};
use rustix::process::{Pid, Signal};

use super::{Crowd, audit, services};

/// Within this time after an order service died another one has finished its orders.
const TAKEN_OVER: Duration = Duration::from_secs(10);

fn signal(processes: &mut Processes, role: Role, signal: Signal) {
    let pid = Pid::from_child(processes.child(role).expect("is running"));
    rustix::process::kill_process(pid, signal).expect("is there");
}

fn client(processes: &Processes) -> Client {
    processes.client("admin.token").expect("a credential")
}

async fn pending(client: &Client) -> Vec<Order> {
    let filter = OrderFilter { status: Some(OrderState::Pending), ..OrderFilter::default() };
    client.orders(&filter).await.expect("lists").items
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_a_killed_order_service_are_finished_by_another() {
    const ORDERS: usize = 20;
    if !ordersys_postgres::is_here() {
        return;
    }
    let (_address, mut processes) = services(Temporary::shared()).await;
    let second = processes.second(&[Role::Order]).await.expect("starts");
    let (first, other) = (client(&processes), client(&second));
    let user = a_user(&other).await.expect("made");
    let product = a_product(&other, 1000).await.expect("made");
    first.place(&order_of(&user, &[(&product, 1)]), None).await.expect("its user is known from now on");

    signal(&mut processes, Role::Product, Signal::STOP);
    let order = order_of(&user, &[(&product, 3)]);
    let posts: Vec<_> = (0..ORDERS)
        .map(|_| {
            let (first, order) = (first.clone(), order.clone());
            tokio::spawn(async move { first.place(&order, None).await })
        })
        .collect();
    let began = Instant::now();
    while pending(&other).await.len() < ORDERS {
        assert!(began.elapsed() < LIMIT, "the orders are not stored");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    processes.kill(Role::Order).expect("ran until now");
    let killed = Instant::now();
    signal(&mut processes, Role::Product, Signal::CONT);
    for post in posts {
        let _ = post.await.expect("no panic");
    }
    while !pending(&other).await.is_empty() {
        assert!(killed.elapsed() < TAKEN_OVER, "nobody took the orders over");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("taken over after {:?}", killed.elapsed());
    let orders = other.orders(&OrderFilter::default()).await.expect("lists").items;
    assert_eq!(orders.len(), ORDERS + 1);
    assert!(orders.iter().all(|order| order.status == OrderState::Confirmed), "{orders:?}");
    let left = other.product(product.id).await.expect("reads").stock;
    assert_eq!(left, 1000 - 1 - 3 * u64::try_from(ORDERS).expect("fits"));
    audit(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_service_that_stood_still_undoes_nothing_that_others_did() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let (_address, mut processes) = services(Temporary::shared()).await;
    let second = processes.second(&[Role::Order]).await.expect("starts");
    let (first, other) = (client(&processes), client(&second));
    let user = a_user(&other).await.expect("made");
    let product = a_product(&other, 100).await.expect("made");
    let order = order_of(&user, &[(&product, 2)]);
    first.place(&order, None).await.expect("its user is known from now on");

    signal(&mut processes, Role::Product, Signal::STOP);
    let posting = tokio::spawn({
        let first = first.clone();
        async move { first.place(&order, None).await }
    });
    let began = Instant::now();
    while pending(&other).await.is_empty() {
        assert!(began.elapsed() < LIMIT, "the order is not stored");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let id = pending(&other).await[0].id;
    signal(&mut processes, Role::Order, Signal::STOP);
    // What the first asked for is answered now, and the answers wait for it.
    signal(&mut processes, Role::Product, Signal::CONT);
    let stopped = Instant::now();
    while other.order(id).await.expect("reads").status != OrderState::Confirmed {
        assert!(stopped.elapsed() < TAKEN_OVER, "nobody took the order over");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let cancelled = other.step(id, CANCEL).await.expect("cancels");
    assert_eq!(cancelled.status, OrderState::Cancelled);
    signal(&mut processes, Role::Order, Signal::CONT);
    let placed = posting.await.expect("no panic").expect("is answered").order;
    assert_eq!(placed.id, id);
    // Its driver is done when nothing is pending for it.
    let again = first.place(&order_of(&user, &[(&product, 1)]), None).await.expect("goes on");
    assert_eq!(again.order.status, OrderState::Confirmed);
    assert_eq!(first.order(id).await.expect("reads"), cancelled);
    assert_eq!(other.product(product.id).await.expect("reads").stock, 100 - 2 - 1);
    audit(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_one_order_at_all_order_services() {
    const KEYS: usize = 40;
    if !ordersys_postgres::is_here() {
        return;
    }
    let (_address, processes) = services(Temporary::shared()).await;
    let second = processes.second(&[Role::Order]).await.expect("starts");
    let clients = [client(&processes), client(&second)];
    let user = a_user(&clients[0]).await.expect("made");
    let product = a_product(&clients[0], 1000).await.expect("made");
    let order = order_of(&user, &[(&product, 2)]);
    let keys = (0..KEYS).map(|number| IdempotencyKey::parse(&format!("both-{number}")).expect("a key"));
    let keys: Vec<_> = keys.collect();
    // Twice to each at the same moment.
    let posts = keys.iter().flat_map(|key| {
        [0, 1, 0, 1].map(|at| {
            let (client, order) = (&clients[at], &order);
            async move { client.place(order, Some(key)).await.expect("places") }
        })
    });
    let placed = join_all(posts).await;
    for (key, answers) in keys.iter().zip(placed.chunks(4)) {
        let ids = answers.iter().map(|placed| placed.order.id);
        assert!(ids.clone().all(|id| id == answers[0].order.id), "{}: {:?}", key.as_str(), ids);
        for client in &clients {
            let again = client.place(&order, Some(key)).await.expect("is answered again");
            assert!(again.replayed, "{}", key.as_str());
            assert_eq!(again.order, client.order(answers[0].order.id).await.expect("reads"));
            assert_eq!(again.order.status, OrderState::Confirmed);
        }
    }
    let other = order_of(&user, &[(&product, 1)]);
    for client in &clients {
        let refused = client.place(&other, Some(&keys[0])).await.expect_err("another order has the key");
        assert_eq!(refused.problem().map(|problem| problem.code), Some(Code::IdempotencyMismatch));
    }
    let left = clients[1].product(product.id).await.expect("reads").stock;
    assert_eq!(left, 1000 - 2 * u64::try_from(KEYS).expect("fits"));
    audit(&clients[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_services_that_are_killed_in_turn_lose_nothing_they_acknowledged() {
    const KILLS: usize = 6;
    if !ordersys_postgres::is_here() {
        return;
    }
    let _turn = busy().await;
    let (_address, mut processes) = services(Temporary::shared()).await;
    let mut second = processes.second(&[Role::Order]).await.expect("starts");
    let mut crowd = Crowd::begin(&[client(&processes), client(&second)], 6).await;
    for kill in 0..KILLS {
        crowd.buys(30).await;
        let victim = if kill % 2 == 0 { &mut processes } else { &mut second };
        victim.kill(Role::Order).expect("ran until now");
        victim.spawn(Role::Order, "").expect("starts");
        victim.ready(&[Role::Order]).await.expect("gets ready");
    }
    crowd.buys(30).await;
    crowd.close().await;
}
