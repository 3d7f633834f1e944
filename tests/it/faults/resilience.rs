//! Other services that die, stop or are restarted: refused quickly, found again, nothing lost.

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ordersys_chassis::resilience::breaker::Settings;
use ordersys_contract::Role;
use ordersys_contract::client::OrderFilter;
use ordersys_contract::health::{BreakerState, Readiness};
use ordersys_contract::order::{NewOrder, OrderState};
use ordersys_contract::reservation::{Action, Batch, Line, Operation, RESERVATION, RESERVATIONS};
use ordersys_contract::user::LOOKUP;
use ordersys_contract::{Client, Code, IdempotencyKey, OrderId, Quantity, RequestId};
use ordersys_testkit::crash::judge::settle;
use ordersys_testkit::shop::{a_product, a_user};
use ordersys_testkit::{LIMIT, Processes, Stack, order_of, quiet};
use ordersys_verify::audit::{Standing, check};
use rustix::process::{Pid, Signal};

/// How long an open breaker refuses here.
const COOL_DOWN: Duration = Duration::from_millis(300);
/// A refusal that waited for anything takes longer: the shortest try of a call is 250 ms.
const AT_ONCE: Duration = Duration::from_millis(100);

fn signal(processes: &mut Processes, role: Role, signal: Signal) {
    let pid = Pid::from_child(processes.child(role).expect("is running"));
    rustix::process::kill_process(pid, signal).expect("is there");
}

/// Asks a service to stop, and waits until it has.
async fn stop(processes: &mut Processes, role: Role) -> ExitStatus {
    signal(processes, role, Signal::TERM);
    let mut child = processes.take(role).expect("is running");
    let ended = tokio::task::spawn_blocking(move || child.wait());
    tokio::time::timeout(LIMIT, ended).await.expect("ends in time").expect("no panic").expect("is awaited")
}

async fn readiness(stack: &Stack) -> Readiness {
    let answer = stack.send(Role::Order, "GET", "/readyz", None).await;
    assert_eq!(answer.status, 200, "degraded is not unready");
    serde_json::from_value(answer.body).expect("follows the contract")
}

async fn refuse_until_open(client: &Client, order: &NewOrder, stack: &Stack) {
    let began = Instant::now();
    while !readiness(stack).await.degraded {
        assert!(began.elapsed() < LIMIT, "the breaker does not open");
        client.place(order, None).await.expect_err("there is no user service");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_user_service_is_refused_at_once_and_found_again() {
    let breaker = Settings { cool_down: COOL_DOWN, ..Settings::default() };
    let mut stack = Stack::start_between(breaker, |endpoints| endpoints).await;
    let (user, product) = (stack.a_user().await, stack.a_product(100).await);
    let (client, order) = (stack.admin(), order_of(&user, &[(&product, 1)]));
    let before = client.place(&order, None).await.expect("places").order;
    assert!(!readiness(&stack).await.degraded);

    let turn = quiet().await;
    stack.end(Role::User).await;
    refuse_until_open(&client, &order, &stack).await;
    let mut times = Vec::new();
    for _ in 0..41 {
        let began = Instant::now();
        let refused = client.place(&order, None).await.expect_err("is refused");
        times.push(began.elapsed());
        let problem = refused.problem().expect("a problem");
        assert_eq!((problem.code, problem.retry_after), (Code::DependencyDown, Some(1)));
    }
    drop(turn);
    times.sort();
    assert!(times[20] < AT_ONCE, "the median refusal took {:?}", times[20]);
    assert_eq!(client.order(before.id).await.expect("reads go on"), before);
    let peers = readiness(&stack).await.peers;
    let lookup = peers.iter().find(|peer| peer.peer == "user").expect("is told");
    assert_ne!(lookup.breaker, BreakerState::Closed);
    assert!(lookup.since.is_some() && lookup.reason.is_some(), "{lookup:?}");
    assert!(peers.iter().any(|peer| peer.peer == "product" && peer.breaker == BreakerState::Closed));
    let metrics = stack.send(Role::Order, "GET", "/metrics", None).await.body;
    let metrics = metrics.as_str().expect("text");
    let opened = metrics.lines().any(|line| {
        line.starts_with("ordersys_breaker_opened_total")
            && line.contains(r#"peer="user""#)
            && line.ends_with(" 1")
    });
    assert!(opened, "{metrics}");
    assert_eq!(client.orders(&OrderFilter::default()).await.expect("lists").items.len(), 1);

    stack.begin(Role::User).await;
    let back = Instant::now();
    while client.place(&order, None).await.is_err() {
        assert!(back.elapsed() < COOL_DOWN + LIMIT / 10, "is not found again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!readiness(&stack).await.degraded);
}

/// Places orders one after the other until told to stop. Anything but 201, 202 and a 503 with
/// `Retry-After` is a lost request.
async fn shop(
    client: Client,
    order: NewOrder,
    stop: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
) -> Vec<OrderId> {
    let mut ids = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        match client.place(&order, None).await {
            Ok(placed) => {
                ids.push(placed.order.id);
                taken.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                let problem = error.problem().unwrap_or_else(|| panic!("a lost request: {error}"));
                assert_eq!(
                    (problem.code.status().as_u16(), problem.retry_after.is_some()),
                    (503, true),
                    "{error}"
                );
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }
    ids
}

/// Shops that go on while something happens to the services.
struct Crowd {
    processes: Processes,
    client: Client,
    stop: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
    shops: Vec<tokio::task::JoinHandle<Vec<OrderId>>>,
}

impl Crowd {
    async fn start(shops: usize) -> Self {
        let processes = Processes::start().await.expect("starts");
        let client = processes.client("admin.token").expect("a credential");
        let (user, product) =
            (a_user(&client).await.expect("made"), a_product(&client, 1_000_000).await.expect("made"));
        let (stop, taken) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let order = order_of(&user, &[(&product, 1)]);
        let shops = (0..shops)
            .map(|_| tokio::spawn(shop(client.clone(), order.clone(), Arc::clone(&stop), Arc::clone(&taken))))
            .collect();
        Self { processes, client, stop, taken, shops }
    }

    async fn buys(&self, more: usize) {
        let (began, before) = (Instant::now(), self.taken.load(Ordering::Relaxed));
        while self.taken.load(Ordering::Relaxed) < before + more {
            assert!(began.elapsed() < LIMIT, "nothing is sold");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Every order that was taken is there and confirmed, and the books are in order.
    async fn close(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let taken: Vec<_> =
            join_all(self.shops).await.into_iter().flat_map(|ids| ids.expect("no panic")).collect();
        settle(&self.client, Instant::now()).await.expect("settles");
        for id in &taken {
            let order = self.client.order(*id).await.expect("was taken");
            assert_eq!(order.status, OrderState::Confirmed, "{id}");
        }
        let report = check(&self.client, |_| {}).await.expect("reads everything");
        assert!(report.findings.iter().all(|finding| finding.result != Standing::Fail), "{report:?}");
        taken.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_service_that_stops_for_a_while_loses_no_order() {
    let mut crowd = Crowd::start(8).await;
    crowd.buys(50).await;
    signal(&mut crowd.processes, Role::Product, Signal::STOP);
    tokio::time::sleep(Duration::from_secs(3)).await; // longer than a client waits for its outcome
    signal(&mut crowd.processes, Role::Product, Signal::CONT);
    crowd.buys(50).await;
    assert!(crowd.close().await >= 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_restarted_one_by_one_and_no_request_is_lost() {
    let mut crowd = Crowd::start(8).await;
    for role in [Role::User, Role::Product, Role::User, Role::Product] {
        crowd.buys(50).await;
        let ended = stop(&mut crowd.processes, role).await;
        assert!(ended.success(), "the {role} service ended with {ended}");
        crowd.processes.spawn(role, "").expect("starts");
        crowd.processes.ready(&[role]).await.expect("gets ready");
    }
    crowd.buys(50).await;
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_service_that_is_asked_to_stop_answers_what_it_has_begun() {
    let mut processes = Processes::start().await.expect("starts");
    let client = processes.client("admin.token").expect("a credential");
    let (user, product) =
        (a_user(&client).await.expect("made"), a_product(&client, 1000).await.expect("made"));
    signal(&mut processes, Role::Product, Signal::STOP);
    let order = order_of(&user, &[(&product, 1)]);
    let placing = (0..4).map(|_| {
        let (client, order) = (client.clone(), order.clone());
        tokio::spawn(async move { client.place(&order, None).await })
    });
    let placing: Vec<_> = placing.collect();
    let began = Instant::now();
    while client.orders(&OrderFilter::default()).await.expect("lists").items.len() < 4 {
        assert!(began.elapsed() < LIMIT, "nothing is stored");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ended = stop(&mut processes, Role::Order).await;
    assert!(ended.success(), "ended with {ended}");
    for placed in join_all(placing).await {
        let placed = placed.expect("no panic").expect("is answered");
        assert_eq!(placed.order.status, OrderState::Pending);
    }
    signal(&mut processes, Role::Product, Signal::CONT);
    processes.spawn(Role::Order, "").expect("starts");
    processes.ready(&[Role::Order]).await.expect("gets ready");
    settle(&client, Instant::now()).await.expect("the restart goes on with them");
    let stored = client.orders(&OrderFilter::default()).await.expect("lists").items;
    assert!(stored.iter().all(|order| order.status == OrderState::Confirmed), "{stored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_place_is_refused_and_writes_nothing() {
    const POSTS: usize = 700;
    let mut processes = Processes::start().await.expect("starts");
    let client = processes.client("admin.token").expect("a credential");
    let (user, product) =
        (a_user(&client).await.expect("made"), a_product(&client, 10_000).await.expect("made"));
    let order = order_of(&user, &[(&product, 1)]);
    signal(&mut processes, Role::Product, Signal::STOP);
    let posts = (0..POSTS).map(|number| {
        let key = IdempotencyKey::parse(&format!("k-{number}")).expect("a key");
        let (client, order) = (client.clone(), &order);
        async move { client.place(order, Some(&key)).await }
    });
    let posts = join_all(posts).await;
    signal(&mut processes, Role::Product, Signal::CONT);
    let mut taken = 0;
    for post in posts {
        let Err(error) = post else {
            taken += 1;
            continue;
        };
        let problem = error.problem().unwrap_or_else(|| panic!("a lost request: {error}"));
        assert!(matches!(problem.code, Code::Overloaded | Code::DependencyDown), "{error}");
        assert!(problem.retry_after.is_some(), "{error}");
    }
    assert!((1..=512).contains(&taken), "{taken} were taken");
    settle(&client, Instant::now()).await.expect("settles");
    let left = client.product(product.id).await.expect("reads").stock;
    assert_eq!(left, 10_000 - taken, "refused orders took nothing");
    let report = check(&client, |_| {}).await.expect("reads everything");
    assert!(report.findings.iter().all(|finding| finding.result != Standing::Fail), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_past_its_deadline_is_dropped() {
    let stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(10).await);
    let order_id = OrderId::now();
    let line = Line { product_id: product.id, quantity: Quantity::new(3).expect("in range") };
    let action = Action::Reserve { lines: vec![line], commit: true, lease_ms: 0, time_left_ms: 10_000 };
    let operation = Operation { order_id, request_id: RequestId::random(), trace_parent: None, action };
    let batch = serde_json::to_string(&Batch { operations: vec![operation] }).expect("serialises");
    let lookup = format!(r#"{{"ids":["{}"]}}"#, user.id);
    let calls = [(Role::User, LOOKUP, lookup), (Role::Product, RESERVATIONS, batch)];
    for (role, path, body) in &calls {
        let late = stack.send_as_service(*role, path, body, Some("0")).await;
        assert_eq!((late.status, late.code()), (503, "deadline-passed"), "{path}: {}", late.body);
        assert_eq!(late.header("retry-after"), "1");
    }
    let reservation = RESERVATION.replace("{id}", &order_id.to_string());
    let found = stack.send_as_admin(Role::Product, "GET", &reservation, None).await;
    assert_eq!((found.status, stack.stock(&product).await), (404, 10), "nothing was written");
    for (role, path, body) in &calls {
        for (told, status) in [(Some("10000"), 200), (Some("soon"), 400), (None, 200)] {
            assert_eq!(
                stack.send_as_service(*role, path, body, told).await.status,
                status,
                "{path} {told:?}"
            );
        }
    }
    assert_eq!(stack.stock(&product).await, 7);
}
