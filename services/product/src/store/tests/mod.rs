//! The same cases for the store on SQLite and that on PostgreSQL.

use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_contract::product::Product;
use ordersys_contract::reservation::{Action, Answer, Line, Operation, ReservationState};
use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::{Currency, Money, OrderId, ProductId, Quantity, RequestId, Timestamp};
use ordersys_postgres::Temporary;
use ordersys_store::Durability;
use ordersys_store::retention::Retention;

use super::*;

mod catalog;
mod evidence;
mod replicas;
mod reservations;
mod twice;

/// A store of a test alone.
struct Opened {
    tables: Tables,
    /// Of the store on SQLite.
    _dir: Option<tempfile::TempDir>,
}

/// Each case twice: on SQLite and on PostgreSQL.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $case() {
                let opened = crate::store::tests::on_sqlite(Default::default());
                super::$case(&opened.tables).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $case() {
                if !ordersys_postgres::is_here() {
                    return;
                }
                let opened = crate::store::tests::on_postgres(Default::default()).await;
                super::$case(&opened.tables).await;
            })*
        }
    };
}
use cases;

fn on_sqlite(retention: Retention) -> Opened {
    let dir = tempfile::tempdir().expect("a directory");
    let tables = sqlite::Tables::open(dir.path(), Durability::Memory, retention).expect("opens");
    Opened { tables: Tables(Backend::Sqlite(tables)), _dir: Some(dir) }
}

async fn on_postgres(retention: Retention) -> Opened {
    Opened { tables: replica(&database(), retention).await, _dir: None }
}

/// Both stores, if there is a server for the second.
async fn both(retention: Retention) -> Vec<Opened> {
    let mut both = vec![on_sqlite(retention)];
    if ordersys_postgres::is_here() {
        both.push(on_postgres(retention).await);
    }
    both
}

/// A database of this test alone.
fn database() -> DatabaseAddress {
    Temporary::shared().database().expect("a database")
}

/// One of the stores that share a database.
async fn replica(address: &DatabaseAddress, retention: Retention) -> Tables {
    let password = Temporary::shared().password();
    let tables = postgres::Tables::open(address, Some(password), retention).await;
    Tables(Backend::Postgres(tables.expect("opens")))
}

fn product(name: &str, stock: u64) -> Product {
    Product {
        id: ProductId::now(),
        name: name.to_owned(),
        price: Money::from_minor(500).expect("not negative"),
        currency: Currency::USD,
        stock,
        version: 1,
        created_at: Timestamp::from_millis(1_000),
        test: false,
    }
}

async fn stored(tables: &Tables, name: &str, stock: u64) -> ProductId {
    let product = product(name, stock);
    tables.insert(product.clone()).await.expect("is stored");
    product.id
}

fn units(number: u64) -> Quantity {
    Quantity::new(number).expect("in range")
}

fn line(product_id: ProductId, number: u64) -> Line {
    Line { product_id, quantity: units(number) }
}

fn operation(order_id: OrderId, action: Action) -> Operation {
    let request_id = RequestId::parse("test").expect("of the form");
    Operation { order_id, request_id, trace_parent: None, action }
}

/// A reserve that is in time. A hold ends by itself after an hour.
fn reserve(lines: Vec<Line>, commit: bool) -> Action {
    Action::Reserve { lines, commit, lease_ms: 3_600_000, time_left_ms: 60_000 }
}

/// Does one operation.
async fn apply(tables: &Tables, order: OrderId, action: Action) -> Answer {
    let answers = tables.apply(vec![operation(order, action)], Instant::now(), Deadline(None)).await;
    answers.expect("is done").pop().expect("an answer")
}

/// Where the reservation of an answer stands.
fn state(answer: &Answer) -> Option<ReservationState> {
    if let Answer::Stands(reservation) = answer { Some(reservation.state) } else { None }
}

/// All that a list adds.
async fn all<T, P, Listed>(list: impl FnOnce(Vec<T>, Add<Vec<T>, T>) -> Listed) -> P
where
    T: 'static,
    Listed: Future<Output = Result<P, StoreError>>,
{
    let add = |page: &mut Vec<T>, item: T| {
        page.push(item);
        std::ops::ControlFlow::Continue(())
    };
    list(Vec::new(), Box::new(add)).await.expect("is read")
}
