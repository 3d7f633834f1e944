//! `check`: passes on a system that is right, and names what was broken behind its back.

use ordersys::stack::role::Role;
use ordersys::verify::check::{Report, Standing, check};
use ordersys_contract::order::{CANCEL, DELIVER, PAY, SHIP};
use ordersys_contract::product::Hold;
use ordersys_contract::{IdempotencyKey, OrderId, Quantity};
use ordersys_store::rusqlite::Connection;

use crate::support::{Stack, order_of};

async fn report(stack: &Stack) -> Report {
    check(&stack.admin(), |_| {}).await.expect("reads everything")
}

fn failed(report: &Report) -> Vec<&'static str> {
    let failed = report.findings.iter().filter(|finding| finding.result == Standing::Fail);
    failed.map(|finding| finding.id).collect()
}

/// Changes the data of a service behind its back; `statement` has the order's id as `?1`.
async fn edit(stack: &mut Stack, role: Role, statement: &'static str, id: OrderId) {
    stack.end(role).await;
    let file = stack.data_dir().join(role.name()).join(format!("{}.db", role.name()));
    let changed = Connection::open(file).and_then(|database| database.execute(statement, [id.as_bytes()]));
    assert_eq!(changed.expect("changes"), 1, "{statement}");
    stack.begin(role).await;
}

/// Orders in many states; the ids of a confirmed one and a delivered one.
async fn busy(stack: &Stack) -> (OrderId, OrderId) {
    let (user, product, admin) = (stack.a_user().await, stack.a_product(20).await, stack.admin());
    let key = IdempotencyKey::parse("one").expect("a key");
    let order = order_of(&user, &[(&product, 2), (&product, 1)]);
    let confirmed = admin.place(&order, Some(&key)).await.expect("places").order.id;
    admin.place(&order_of(&user, &[(&product, 999)]), None).await.expect_err("is short");
    let cancelled = admin.place(&order, None).await.expect("places").order.id;
    admin.step(cancelled, CANCEL).await.expect("cancels");
    let delivered = admin.place(&order, None).await.expect("places").order.id;
    for step in [PAY, SHIP, DELIVER] {
        admin.step(delivered, step).await.expect("steps");
    }
    let hold = Hold { quantity: Quantity::new(4).expect("in range"), reservation_id: None };
    admin.reserve(product.id, &hold).await.expect("holds");
    (confirmed, delivered)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_is_right_passes_and_each_tampering_is_named() {
    let mut stack = Stack::start().await;
    let (confirmed, delivered) = busy(&stack).await;
    let right = report(&stack).await;
    assert_eq!(failed(&right), [] as [&str; 0], "{right:?}");
    let checked: Vec<_> = right.findings.iter().map(|finding| finding.checked).collect();
    assert_eq!(checked, [4, 4, 2, 2, 5, 0, 1, 4, 4, 0]);

    edit(&mut stack, Role::Order, "UPDATE placed SET total = total + 1 WHERE id = ?1", confirmed).await;
    let wrong = report(&stack).await;
    assert_eq!(failed(&wrong), ["I3", "I9"]);
    let witness = wrong.findings[8].witness.clone().expect("a witness");
    assert_eq!((witness.order_id, witness.cases), (Some(confirmed.to_string()), 1));

    edit(&mut stack, Role::Product, "DELETE FROM reservation WHERE order_id = ?1", delivered).await;
    assert_eq!(failed(&report(&stack).await), ["I2", "I3", "I9"]);

    edit(&mut stack, Role::Order, "DELETE FROM placed WHERE id = ?1", confirmed).await;
    let wrong = report(&stack).await;
    assert_eq!(failed(&wrong), ["I2", "I3", "I7"]);
    assert_eq!(wrong.findings[2].witness.as_ref().map(|witness| witness.cases), Some(2));
}
