//! `check`: passes on a system that is right, names what was broken behind its back, and says which service
//! it could not read.

use std::process::{Command, Output};
use std::time::Duration;

use ordersys_contract::Role;
use ordersys_contract::client::Endpoints;
use ordersys_contract::order::{CANCEL, DELIVER, PAY, SHIP};
use ordersys_contract::product::Hold;
use ordersys_contract::{Client, IdempotencyKey, OrderId, Quantity};
use ordersys_store::rusqlite::Connection;
use ordersys_testkit::peers::faulty_peer::{Fault, FaultyPeer};
use ordersys_testkit::{Stack, binary, order_of};
use ordersys_verify::audit::{Report, Standing, check};

/// How long a call of a check may take where services do not answer.
const PATIENCE: Duration = Duration::from_millis(500);

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
    let mut stack = Stack::start_on_files().await;
    let (confirmed, delivered) = busy(&stack).await;
    let right = report(&stack).await;
    assert_eq!(failed(&right), [] as [&str; 0], "{right:?}");
    let checked: Vec<_> = right.findings.iter().map(|finding| finding.checked).collect();
    assert_eq!(
        checked,
        [4, 4, 2, 2, 5, 0, 1, 4, 4, 0, 11],
        "and a user, 4 products, 5 ids, the keys of tokens"
    );

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

/// The command itself, on these services.
fn command(stack: &Stack) -> Output {
    let Endpoints { user, product, order, .. } = &stack.endpoints;
    let mut command = Command::new(binary());
    command.args(["--user-url", user, "--product-url", product, "--order-url", order, "--token-file"]);
    let token = stack.data_dir().with_file_name("admin.token");
    command.arg(token).arg("check").output().expect("runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_a_witness_in_80_columns_and_names_a_service_that_is_not_there() {
    let mut stack = Stack::start_on_files().await;
    let (confirmed, _) = busy(&stack).await;
    edit(&mut stack, Role::Order, "UPDATE placed SET user_name = 'Eve' WHERE id = ?1", confirmed).await;
    let found = command(&stack);
    let (text, said) = (String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
    assert_eq!(found.status.code(), Some(7), "{text}{said}");
    for line in [format!("  order {confirmed}"), "  found    `Eve`".to_owned()] {
        assert!(text.lines().any(|one| one == line), "{line} in {text}");
    }
    let table = text.lines().take_while(|line| !line.is_empty());
    let widest = table.map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(80), "{text}");
    assert!(said.contains("I11 does not hold") && said.contains("`Alice`"), "{said}");

    stack.end(Role::User).await;
    let blind = command(&stack);
    let said = String::from_utf8_lossy(&blind.stderr).into_owned();
    assert_eq!((blind.status.code(), blind.stdout.len()), (Some(3), 0), "{said}");
    assert!(said.contains("the user service cannot be read"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_answers_nonsense_is_never_a_system_in_which_all_is_well() {
    let stack = Stack::start().await;
    busy(&stack).await;
    let peers = Role::ALL.map(|role| (role, FaultyPeer::default()));
    let [user, product, order] = peers.each_ref().map(|(role, peer)| peer.start(stack.url(*role)));
    let client =
        Client::new(Endpoints { user, product, order, ..Endpoints::default() }).with_timeout(PATIENCE);
    let client = client.with_credential(stack.admin().credential().cloned());
    for (role, peer) in &peers {
        for fault in Fault::ALL {
            peer.spoil(fault, usize::from(u16::MAX));
            match check(&client, |_| {}).await {
                Err(error) => assert_eq!(error.service, *role, "{fault:?}: {error}"),
                Ok(report) => assert!(report.failure().is_some(), "{role:?} {fault:?}"),
            }
        }
        peer.spoil(Fault::Garbage, 0);
        check(&client, |_| {}).await.expect("reads everything again");
    }
}
