//! No wall clock decides: what is left of a deadline and of a lease is counted, stored times that lie ahead of the
//! clock are named, and what earlier versions stored of clocks does no harm.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ordersys_contract::Role;
use ordersys_contract::health::Readiness;
use ordersys_contract::order::OrderState;
use ordersys_contract::product::Product;
use ordersys_contract::reservation::{
    Action, Answer, Line, Operation, RESERVATIONS, ReservationState as State,
};
use ordersys_contract::{Code, OrderId, Quantity, RequestId};
use ordersys_store::rusqlite::{Connection, params};
use ordersys_testkit::{LIMIT, Project, Stack, binary, quiet};

/// A year in milliseconds.
const YEAR: i64 = 365 * 24 * 3_600_000;

/// How stock is asked for, times in milliseconds.
#[derive(Debug, Clone, Copy)]
enum Terms {
    Sell { left: u64 },
    Hold { lease: u64 },
}

fn reserve(order_id: OrderId, product: &Product, terms: Terms) -> Operation {
    let lines = vec![Line { product_id: product.id, quantity: Quantity::new(2).expect("in range") }];
    let action = match terms {
        Terms::Sell { left } => Action::Reserve { lines, commit: true, lease_ms: 0, time_left_ms: left },
        Terms::Hold { lease } => {
            Action::Reserve { lines, commit: false, lease_ms: lease, time_left_ms: 10_000 }
        }
    };
    Operation { order_id, request_id: RequestId::random(), trace_parent: None, action }
}

async fn ask(stack: &Stack, operation: Operation) -> Answer {
    let mut answers = stack.service().reservations(vec![operation]).await.expect("is answered");
    answers.pop().expect("one answer")
}

async fn state_of(stack: &Stack, operation: Operation) -> State {
    match ask(stack, operation).await {
        Answer::Stands(reservation) => reservation.state,
        other => panic!("{other:?}"),
    }
}

/// Changes what is stored, while its service is away.
fn change(stack: &Stack, role: Role, sql: &str) {
    let file = stack.data_dir().join(role.name()).join(format!("{}.db", role.name()));
    Connection::open(file).expect("opens").execute_batch(sql).expect(sql);
}

async fn until_state(stack: &Stack, id: OrderId, state: State) -> Duration {
    let began = Instant::now();
    while stack.service().reservation_record(id).await.expect("reads").reservation.state != state {
        assert!(began.elapsed() < LIMIT, "{id} is not {}", state.as_str());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserve_that_comes_too_late_takes_nothing_and_decides_nothing() {
    let stack = Stack::start().await;
    let product = stack.a_product(10).await;
    let [late, other, given_up] = [(); 3].map(|()| OrderId::now());
    let both = vec![
        reserve(late, &product, Terms::Sell { left: 0 }),
        reserve(other, &product, Terms::Sell { left: 10_000 }),
    ];
    let answers = stack.service().reservations(both).await.expect("is answered");
    assert_eq!(answers[0], Answer::Late);
    assert!(
        matches!(&answers[1], Answer::Stands(stands) if stands.state == State::Committed),
        "each by its own"
    );
    let unknown = stack.service().reservation(late).await.expect_err("nothing is stored");
    assert_eq!(unknown.problem().map(|problem| problem.code), Some(Code::NotFound));
    assert_eq!(stack.stock(&product).await, 8);

    assert_eq!(
        state_of(&stack, reserve(late, &product, Terms::Sell { left: 10_000 })).await,
        State::Committed
    );
    assert_eq!(
        state_of(&stack, reserve(late, &product, Terms::Sell { left: 0 })).await,
        State::Committed,
        "it is known by now"
    );

    let cancel = Operation { action: Action::Cancel, ..reserve(given_up, &product, Terms::Sell { left: 0 }) };
    assert_eq!(state_of(&stack, cancel).await, State::Cancelled);
    let in_time = reserve(given_up, &product, Terms::Sell { left: 1_000_000 });
    assert_eq!(
        state_of(&stack, in_time).await,
        State::Cancelled,
        "however much time the caller thinks is left"
    );
    assert_eq!(stack.stock(&product).await, 6);

    let body = r#"{"operations":[{"orderId":"01a20640-248e-77ef-9e39-680347842ebc","requestId":"r-1","action":{"reserve":
        {"lines":[],"commit":true,"leaseMs":0,"notAfter":"2099-01-01T12:00:00.000Z"}}}]}"#;
    let earlier = stack.send_as_service(Role::Product, RESERVATIONS, body, None).await;
    assert_eq!(earlier.status, 400, "a moment is not understood: {}", earlier.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_counted_and_begins_anew_with_the_service_whose_files_it_is_in() {
    let mut stack = Stack::start_on_files().await;
    let product = stack.a_product(10).await;
    let [short, long] = [(); 2].map(|()| OrderId::now());
    let turn = quiet().await;
    assert_eq!(state_of(&stack, reserve(short, &product, Terms::Hold { lease: 300 })).await, State::Held);
    assert_eq!(state_of(&stack, reserve(long, &product, Terms::Hold { lease: 2_500 })).await, State::Held);
    let held = stack.service().reservation_record(long).await.expect("reads");
    assert_eq!((held.lease_ms, held.overdue_ms), (Some(2_500), None));
    until_state(&stack, short, State::Expired).await;
    assert_eq!(stack.stock(&product).await, 8);
    drop(turn);
    stack.end(Role::Product).await;
    let restarted = Instant::now();
    stack.begin(Role::Product).await;
    until_state(&stack, long, State::Expired).await;
    assert!(restarted.elapsed() >= Duration::from_millis(2_500), "after {:?}", restarted.elapsed());
    let expired = stack.service().reservation_record(long).await.expect("reads");
    assert_eq!((expired.lease_ms, stack.stock(&product).await), (None, 10));
}

/// The stores as the version before left them: a stored clock a year ahead, a lease with its end, a pending order
/// with a deadline that is long over or far away.
#[tokio::test(flavor = "multi_thread")]
async fn stores_of_the_version_before_open_and_their_orders_are_driven_on() {
    let mut stack = Stack::start_on_files().await;
    let (user, product) = (stack.a_user().await, stack.a_product(10).await);
    let held = OrderId::now();
    assert_eq!(state_of(&stack, reserve(held, &product, Terms::Hold { lease: 60_000 })).await, State::Held);
    stack.end(Role::Product).await;
    let body =
        format!(r#"{{"userId":"{}","items":[{{"productId":"{}","quantity":1}}]}}"#, user.id, product.id);
    let mut pending = Vec::new();
    for _ in 0..2 {
        let accepted = stack.send(Role::Order, "POST", "/orders", Some(&body)).await;
        assert_eq!(accepted.status, 202, "{}", accepted.body);
        pending.push(accepted.body["id"].as_str().and_then(|id| id.parse::<OrderId>().ok()).expect("an id"));
    }
    stack.end(Role::Order).await;
    let earlier = format!(
        "DROP TABLE answered;
         DROP INDEX test_product;
         ALTER TABLE product DROP COLUMN test;
         ALTER TABLE product DROP COLUMN used;
         DROP INDEX refused;
         ALTER TABLE reservation DROP COLUMN short;
         DROP TABLE edition;
         DROP TABLE added;
         ALTER TABLE reservation RENAME COLUMN lease_ms TO lease_until;
         UPDATE reservation SET lease_until = {YEAR} WHERE lease_until IS NOT NULL;
         CREATE TABLE clock(one INTEGER PRIMARY KEY CHECK (one = 1), now INTEGER NOT NULL) STRICT;
         INSERT INTO clock VALUES (1, {});
         PRAGMA user_version = 1",
        100 * YEAR
    );
    change(&stack, Role::Product, &earlier);
    let deadlines = format!(
        "UPDATE placed SET deadline = CASE place WHEN (SELECT max(place) FROM placed) THEN 1 ELSE {} END",
        100 * YEAR
    );
    change(&stack, Role::Order, &deadlines);
    stack.begin(Role::Product).await;
    stack.begin(Role::Order).await;
    let began = Instant::now();
    for id in pending {
        while stack.admin().order(id).await.expect("reads").status != OrderState::Confirmed {
            assert!(began.elapsed() < LIMIT, "{id} is not confirmed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let lease = stack.service().reservation_record(held).await.expect("reads").lease_ms;
    assert_eq!(lease, Some(30_000), "it began anew");
    let placed = stack.send(Role::Order, "POST", "/orders", Some(&body)).await;
    assert_eq!((placed.status, stack.stock(&product).await), (201, 5), "{}", placed.body);
}

async fn readiness(stack: &Stack, role: Role) -> Readiness {
    let answer = stack.send(role, "GET", "/readyz", None).await;
    assert_eq!(answer.status, 200, "it goes on: {}", answer.body);
    serde_json::from_value(answer.body).expect("a readiness")
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_times_ahead_of_the_clock_are_named_and_stop_nothing() {
    let mut stack = Stack::start_on_files().await;
    let (user, product) = (stack.a_user().await, stack.a_product(10).await);
    let body =
        format!(r#"{{"userId":"{}","items":[{{"productId":"{}","quantity":1}}]}}"#, user.id, product.id);
    assert_eq!(stack.send(Role::Order, "POST", "/orders", Some(&body)).await.status, 201);
    for role in Role::ALL {
        assert!(!readiness(&stack, role).await.degraded, "{role}");
        stack.end(role).await;
    }
    change(&stack, Role::Order, &format!("UPDATE placed SET updated_at = updated_at + {YEAR}"));
    change(&stack, Role::Product, &format!("UPDATE product SET created_at = created_at + {YEAR}"));
    change(&stack, Role::User, &format!("UPDATE user SET created_at = created_at + {YEAR}"));
    for role in Role::ALL {
        stack.begin(role).await;
    }
    for role in Role::ALL {
        let said = readiness(&stack, role).await;
        let named = said.warnings.iter().any(|text| {
            text.contains(&format!("the newest time in the {role} store"))
                && text.contains("s ahead of the clock")
        });
        assert!(said.degraded && named, "{said:?}");
    }
    let placed = stack.send(Role::Order, "POST", "/orders", Some(&body)).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
}

#[test]
fn status_names_a_store_whose_times_lie_ahead_of_the_clock() {
    let project = Project::new("process");
    assert_eq!(project.up(&[]).code, Some(0));
    assert_eq!(project.run(&["down"]).code, Some(0));
    let file = found(project.state.path(), "product.db").expect("the data stays");
    let ahead = "UPDATE product SET created_at = created_at + ?1";
    Connection::open(file).expect("opens").execute(ahead, params![YEAR]).expect("changes");
    let up = project.up(&[]);
    assert_eq!(up.code, Some(0), "{}", up.said);
    let status = project.run(&["status"]).data;
    let services = status["services"].as_array().expect("services").iter();
    let product = services.clone().find(|service| service["name"] == "product").expect("is there");
    assert_eq!(product["state"], "degraded", "{status}");
    let warning = product["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains("the newest time in the product store"), "{status}");
    assert_eq!(services.filter(|service| service["state"] == "ready").count(), 2, "{status}");
    let mut status = Command::new(binary());
    status.args(["status", "--project", &project.name, "--state-dir"]).arg(project.state.path());
    let text = status.output().expect("runs").stdout;
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.contains("product is degraded: the newest time in the product store"), "{text}");
}

/// The file with this name below a directory.
fn found(dir: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(dir).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    entries.collect::<Vec<_>>().into_iter().find_map(|path| {
        if path.is_dir() { found(&path, name) } else { Some(path).filter(|path| path.ends_with(name)) }
    })
}
