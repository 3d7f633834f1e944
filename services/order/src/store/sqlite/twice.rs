//! Every write runs twice with the same arguments, as after a commit whose outcome is unknown: the answer is the
//! same, and nothing is written any more.

use std::fmt::Debug;
use std::future::Future;

use ordersys_contract::order::OrderLine;
use ordersys_contract::reservation::{PricedLine, Shortage};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{Currency, Money, ProductId, Quantity, RequestId};
use ordersys_store::Durability;
use ordersys_store::retention::Retention;
use rusqlite::types::Value;

use super::*;
use crate::domain::access::Owner;
use crate::domain::order::Reason;

fn open(dir: &tempfile::TempDir) -> Orders {
    let (dir, durability) = (dir.path().to_owned(), Durability::Memory);
    let store = Store::open(&Options { dir, durability, name: NAME, migrations: MIGRATIONS }).expect("opens");
    let recent = Recent::new(Retention::default(), Instant::now());
    Orders(store, recent)
}

fn product() -> ProductId {
    ProductId::from_bytes([7; 16])
}

fn pending() -> Arc<StoredOrder> {
    let owner = Owner { id: UserId::now(), name: "Ada".to_owned(), kind: UserKindName::Guest };
    let line = OrderLine {
        product_id: product(),
        quantity: Quantity::ONE,
        name: None,
        unit_price: None,
        line_total: None,
    };
    Arc::new(StoredOrder::pending(owner, vec![line], Timestamp::from_millis(1_000), &RequestId::random()))
}

fn context() -> StepContext {
    StepContext { at: Timestamp::from_millis(2_000), request: RequestId::random() }
}

fn sold() -> Evidence {
    let (product_id, name, currency) = (product(), "book".to_owned(), Currency::USD);
    let unit_price = Money::from_minor(500).expect("not negative");
    Evidence::Priced(vec![PricedLine { product_id, name, quantity: Quantity::ONE, unit_price, currency }])
}

fn short() -> Evidence {
    let shortage = Shortage { product_id: product(), requested: 1, available: 0 };
    Evidence::Reason(Reason::Shortages(vec![shortage]))
}

fn after(stored: &StoredOrder, event: Event, evidence: Evidence) -> Arc<StoredOrder> {
    Arc::new(stored.after(event, evidence, context()).expect("is a step of the graph"))
}

/// All rows of all tables.
async fn rows(orders: &Orders) -> Vec<String> {
    let read = |connection: &Connection| {
        let select = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let names = connection
            .prepare(select)?
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        let mut all = Vec::new();
        for name in names {
            let mut statement = connection.prepare(&format!("SELECT * FROM {name}"))?;
            let columns = 0..statement.column_count();
            let values = |row: &rusqlite::Row<'_>| columns.clone().map(|column| row.get(column)).collect();
            for row in statement.query_map([], values)? {
                let row: Vec<Value> = row?;
                all.push(format!("{name} {row:?}"));
            }
        }
        Ok(all)
    };
    orders.0.read(read).await.expect("reads")
}

/// Runs a command that writes twice.
async fn twice<T, Done>(orders: &Orders, what: &str, command: impl Fn() -> Done)
where
    T: Debug,
    Done: Future<Output = Result<T, StoreError>>,
{
    let run = async || {
        let answer = command().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        (format!("{answer:?}"), rows(orders).await)
    };
    let before = rows(orders).await;
    let (answer, written) = run().await;
    assert_ne!(before, written, "{what} writes nothing: {answer}");
    assert_eq!(run().await, (answer, written), "{what}");
}

#[tokio::test]
async fn new_orders_with_and_without_a_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let orders = open(&dir);
    let key = IdempotencyKey::parse("the-order");
    for key in [None, key.clone()] {
        let order = pending();
        twice(&orders, "a new order", || orders.insert(Arc::clone(&order), key.clone())).await;
        let confirmed = after(&order, Event::Committed, sold());
        orders.advance(confirmed).await.expect("is stored");
        let again = orders.insert(Arc::clone(&order), key.clone()).await.expect("is asked");
        assert!(matches!(again, Inserted::Done), "whatever became of it meanwhile");
        let other = Arc::new(StoredOrder { order: order.renamed(OrderId::now()).order, ..(*order).clone() });
        let other = orders.insert(other, key.clone()).await.expect("is asked");
        assert_eq!(matches!(other, Inserted::KeyTaken(_)), key.is_some(), "another order is no repeat");
    }
    let imported = pending();
    let all = vec![((*imported).clone(), IdempotencyKey::parse("imported").expect("a key"))];
    twice(&orders, "an import", || orders.import(all.clone())).await;
    let mut neighbour = *imported.order.id.as_bytes();
    neighbour[15] ^= 1;
    let neighbour = Arc::new(pending().renamed(OrderId::from_bytes(neighbour)));
    let taken = orders.insert(neighbour, None).await;
    assert!(matches!(taken, Err(StoreError::Taken)), "an order of the same place is no repeat: {taken:?}");
}

#[tokio::test]
async fn steps_of_drivers() {
    let dir = tempfile::tempdir().expect("a directory");
    let orders = open(&dir);
    for ways in [
        vec![(Event::Committed, sold()), (Event::Cancel, Evidence::None), (Event::Released, Evidence::None)],
        vec![(Event::GiveUp, Evidence::None), (Event::Committed, sold())],
        vec![(Event::GiveUp, Evidence::None), (Event::NothingHeld, Evidence::None)],
        vec![(Event::Refused, short())],
        vec![(Event::TooLate, Evidence::None)],
    ] {
        let (first, key) = (pending(), IdempotencyKey::parse("a-key"));
        orders.insert(Arc::clone(&first), key).await.expect("is stored");
        let (mut stored, mut earlier) = (first, Vec::new());
        for (event, evidence) in ways {
            let rival = after(&stored, event, evidence.clone());
            stored = after(&stored, event, evidence);
            let what = format!("{:?} of {event:?}", stored.order.status);
            twice(&orders, &what, || orders.advance(Arc::clone(&stored))).await;
            assert!(
                !orders.advance(rival).await.expect("is asked"),
                "{what}: another driver's step is no repeat"
            );
            earlier.push(Arc::clone(&stored));
        }
        let before = rows(&orders).await;
        for step in earlier {
            assert!(orders.advance(step).await.expect("is asked"), "it was stored, whatever came of it");
        }
        assert_eq!(rows(&orders).await, before);
    }
}

#[tokio::test]
async fn steps_of_people() {
    let dir = tempfile::tempdir().expect("a directory");
    let orders = open(&dir);
    for events in [vec![Event::Pay, Event::Ship, Event::Deliver], vec![Event::Cancel]] {
        let order = pending();
        orders.insert(Arc::clone(&order), None).await.expect("is stored");
        orders.advance(after(&order, Event::Committed, sold())).await.expect("is stored");
        let id = order.order.id;
        for event in events {
            let context = context();
            twice(&orders, "a step", || orders.change(id, Reach::All, event, context.clone())).await;
            let other = StepContext { request: RequestId::random(), ..context };
            let other = orders.change(id, Reach::All, event, other).await.expect("is asked");
            assert!(matches!(other, Changed::Illegal(_)), "another request is no repeat: {other:?}");
        }
    }
}
