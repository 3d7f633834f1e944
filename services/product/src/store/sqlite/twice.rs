//! Every write runs twice with the same arguments, as after a commit whose outcome is unknown: the answer is the
//! same, and nothing is written any more.

use std::fmt::Debug;
use std::future::Future;

use http::HeaderMap;
use ordersys_chassis::Deadline;
use ordersys_chassis::http::conditional::Condition;
use ordersys_contract::product::Product;
use ordersys_contract::reservation::{Action, Line, Operation};
use ordersys_contract::test_data::Cleanup;
use ordersys_contract::{Currency, Money, OrderId, ProductId, Quantity, RequestId, Timestamp};
use ordersys_store::Durability;
use ordersys_store::answers::CommandId;
use ordersys_store::retention::Retention;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;

fn open(dir: &tempfile::TempDir) -> Tables {
    let (dir, durability) = (dir.path().to_owned(), Durability::Memory);
    let store = Store::open(&Options { dir, durability, name: NAME, migrations: MIGRATIONS }).expect("opens");
    let now = Instant::now();
    Tables(store, Leases::default(), Recent::new(Retention::default(), now), Answers::new(now))
}

fn product(test: bool) -> Product {
    Product {
        id: ProductId::now(),
        name: "book".to_owned(),
        price: Money::from_minor(500).expect("not negative"),
        currency: Currency::USD,
        stock: 30,
        version: 1,
        created_at: Timestamp::from_millis(1_000),
        test,
    }
}

fn units(number: u64) -> Quantity {
    Quantity::new(number).expect("in range")
}

fn operation(order_id: OrderId, action: Action) -> Vec<Operation> {
    let request_id = RequestId::parse("test").expect("of the form");
    vec![Operation { order_id, request_id, trace_parent: None, action }]
}

fn reserve(product_id: ProductId, quantity: u64, commit: bool) -> Action {
    let lines = vec![Line { product_id, quantity: units(quantity) }];
    Action::Reserve { lines, commit, lease_ms: 60_000, time_left_ms: 60_000 }
}

/// All rows of all tables.
async fn rows(tables: &Tables) -> Vec<String> {
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
    tables.0.read(read).await.expect("reads")
}

/// Runs a command that writes twice.
async fn twice<T, Done>(tables: &Tables, what: &str, command: impl Fn() -> Done)
where
    T: Debug,
    Done: Future<Output = Result<T, StoreError>>,
{
    let run = async || {
        let answer = command().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        (format!("{answer:?}"), rows(tables).await)
    };
    let before = rows(tables).await;
    let (answer, written) = run().await;
    assert_ne!(before, written, "{what} writes nothing: {answer}");
    assert_eq!(run().await, (answer, written), "{what}");
}

#[tokio::test]
async fn changes_of_the_catalog() {
    let dir = tempfile::tempdir().expect("a directory");
    let tables = open(&dir);
    let (book, removable) =
        (product(false), Product { created_at: Timestamp::from_millis(0), ..product(true) });
    let id = book.id;
    twice(&tables, "first products", || tables.seed_once(vec![product(false)])).await;
    twice(&tables, "a new product", || tables.insert(book.clone())).await;
    twice(&tables, "test data", || tables.insert(removable.clone())).await;
    for units in [3, 4] {
        let addition = Addition { command: CommandId::now(), units };
        twice(&tables, "a restock", || tables.restock(id, addition)).await;
    }
    let mut headers = HeaderMap::new();
    headers.insert(http::header::IF_MATCH, "\"1.37\"".parse().expect("a tag"));
    let edit = Edit {
        command: CommandId::now(),
        name: Some("Book".to_owned()),
        price: None,
        condition: Condition::of(&headers).expect("a condition"),
        now: Timestamp::from_millis(2_000),
    };
    twice(&tables, "an edit", || tables.edit(id, edit.clone())).await;
    let (command, step) = (CommandId::now(), Cleanup { older_than: 1, after: None });
    twice(&tables, "a cleanup", || tables.clean_up(command, step)).await;

    let found = tables.get(id).await.expect("reads").expect("is there");
    assert_eq!((found.stock, found.version), (37, 2));
    let other = Edit { command: CommandId::now(), ..edit };
    let other = tables.edit(id, other).await.expect("is asked");
    assert!(matches!(other, Edited::Changed { current: 2 }), "another edit is no repeat: {other:?}");
}

#[tokio::test]
async fn changes_of_reservations() {
    let dir = tempfile::tempdir().expect("a directory");
    let tables = open(&dir);
    let book = product(false);
    let id = book.id;
    tables.insert(book).await.expect("is stored");
    let [sold, held, leased, unseen, short] = [(); 5].map(|()| OrderId::now());
    for (what, order, action) in [
        ("a sale", sold, reserve(id, 2, true)),
        ("a refusal", short, reserve(id, 99, true)),
        ("a hold", held, reserve(id, 3, false)),
        ("a hold that ends by itself", leased, reserve(id, 4, false)),
        ("a confirmation", held, Action::Confirm),
        ("a tombstone", unseen, Action::Cancel),
        ("a release", sold, Action::Release),
    ] {
        let apply = || tables.apply(operation(order, action.clone()), Instant::now(), Deadline(None));
        twice(&tables, what, apply).await;
    }
    twice(&tables, "the end of a lease", || {
        tables.1.begin(leased, 0, Instant::now());
        tables.end_leases(Instant::now())
    })
    .await;
    let [named, other] = [(); 2].map(|()| OrderId::now());
    twice(&tables, "a direct hold", || tables.hold(named, id, units(5))).await;
    twice(&tables, "another one", || tables.hold(other, id, units(5))).await;
    for (what, of, number) in [("a part of a hold", Some(named), 2), ("a part of any hold", None, 4)] {
        let part = Part { command: CommandId::now(), quantity: units(number), of };
        twice(&tables, what, || tables.give_back(id, part)).await;
    }
    let found = tables.get(id).await.expect("reads").expect("is there");
    assert_eq!(found.stock, 30 - 3 - 10 + 2 + 4);
}
