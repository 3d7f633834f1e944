//! Services that answer garbage, half, slowly, too much or for another caller: never a panic,
//! nothing lost, nothing sold twice.

use std::time::{Duration, Instant};

use ordersys_chassis::resilience::breaker::Settings;
use ordersys_contract::Role;
use ordersys_contract::client::{Endpoints, OrderFilter};
use ordersys_contract::order::OrderState;
use ordersys_contract::{Code, IdempotencyKey};
use ordersys_testkit::peers::faulty_peer::{Fault, FaultyPeer};
use ordersys_testkit::{LIMIT, Stack, order_of};
use ordersys_verify::audit::{Standing, check};

/// No breaker gets in the way of what is tested here.
fn patient() -> Settings {
    Settings { calls: 1_000_000, ..Settings::default() }
}

async fn stack(users: &FaultyPeer, products: &FaultyPeer) -> Stack {
    let between = |real: Endpoints| Endpoints {
        user: users.start(&real.user),
        product: products.start(&real.product),
        order: real.order,
        ..Endpoints::default()
    };
    Stack::start_between(patient(), between).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_service_that_answers_nonsense_is_no_answer_and_nothing_is_written() {
    let (users, products) = (FaultyPeer::default(), FaultyPeer::default());
    let stack = stack(&users, &products).await;
    let (user, product) = (stack.a_user().await, stack.a_product(1000).await);
    let (client, order) = (stack.admin(), order_of(&user, &[(&product, 1)]));
    for (number, fault) in (0..).zip(Fault::ALL) {
        let key = IdempotencyKey::parse(&format!("k-{fault:?}")).expect("a key");
        users.spoil(fault, 3);
        let refused = client.place(&order, Some(&key)).await.expect_err("there is no user");
        let problem = refused.problem().expect("a problem");
        assert_eq!((problem.code, problem.retry_after.is_some()), (Code::DependencyDown, true), "{fault:?}");
        // On a busy machine a try may end before its answer is on the way.
        assert!(users.left() < 3, "{fault:?}: some try got the answer");
        let stored = client.orders(&OrderFilter::default()).await.expect("lists").items;
        assert_eq!(stored.len(), number, "{fault:?} wrote something");
        users.spoil(fault, 1);
        let placed = client.place(&order, Some(&key)).await.expect("the second try gets an answer");
        assert_eq!((placed.order.status, placed.replayed), (OrderState::Confirmed, false), "{fault:?}");
        assert_eq!(placed.order.user_name, user.name);
    }
    assert_eq!(stack.send(Role::Order, "GET", "/readyz", None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_service_that_answers_nonsense_sells_each_order_once() {
    let (users, products) = (FaultyPeer::default(), FaultyPeer::default());
    let stack = stack(&users, &products).await;
    let (user, product) = (stack.a_user().await, stack.a_product(1000).await);
    let (client, order) = (stack.admin(), order_of(&user, &[(&product, 3)]));
    for (number, fault) in (1..).zip(Fault::ALL) {
        products.spoil(fault, 2);
        let placed = client.place(&order, None).await.expect("is stored").order;
        let began = Instant::now();
        let mut stored = placed;
        while stored.status == OrderState::Pending {
            assert!(began.elapsed() < LIMIT, "{fault:?}: no outcome");
            tokio::time::sleep(Duration::from_millis(10)).await;
            stored = client.order(stored.id).await.expect("reads");
        }
        assert_eq!((stored.status, stored.total.minor()), (OrderState::Confirmed, 3 * 1999), "{fault:?}");
        assert_eq!(stack.stock(&product).await, 1000 - 3 * number, "{fault:?}: sold once");
    }
    let report = check(&client, |_| {}).await.expect("reads everything");
    assert!(report.findings.iter().all(|finding| finding.result != Standing::Fail), "{report:?}");
}
