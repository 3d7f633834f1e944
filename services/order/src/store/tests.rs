//! What both stores have to do: the same cases run on SQLite and on PostgreSQL.

use std::time::Duration;

use ordersys_contract::order::OrderLine;
use ordersys_contract::reservation::{PricedLine, Shortage};
use ordersys_contract::settings::Durability;
use ordersys_contract::user::UserKindName;
use ordersys_contract::{Currency, Money, ProductId, Quantity, RequestId, Timestamp};
use ordersys_postgres::Temporary;
use ordersys_store::retention::Retention;

use super::*;
use crate::domain::access::Owner;
use crate::domain::order::{Evidence, Reason};

/// A store of either kind, and what it lives on.
struct Opened {
    orders: Orders,
    location: Location,
    retention: Retention,
    _dir: Option<tempfile::TempDir>,
}

impl Opened {
    /// Another instance on the same data.
    async fn again(&self) -> Orders {
        open(self.location.clone(), self.retention).await
    }
}

async fn open(location: Location, retention: Retention) -> Orders {
    let backend = match location {
        Location::Directory { dir, durability } => {
            Backend::Sqlite(sqlite::Orders::open(dir, durability, retention).expect("opens"))
        }
        Location::Database { address, password } => {
            Backend::Postgres(postgres::Orders::open(address, password, retention).await.expect("opens"))
        }
    };
    Orders { backend, steps: Steps::default(), newest: ClockSkew::of("test") }
}

/// Both stores, if there is a server for the second.
async fn both(retention: Retention) -> Vec<Opened> {
    let mut both = vec![on_sqlite(retention).await];
    if ordersys_postgres::is_here() {
        both.push(on_postgres(retention).await);
    }
    both
}

async fn on_sqlite(retention: Retention) -> Opened {
    let dir = tempfile::tempdir().expect("a directory");
    let location = Location::Directory { dir: dir.path().to_owned(), durability: Durability::Full };
    Opened { orders: open(location.clone(), retention).await, location, retention, _dir: Some(dir) }
}

async fn on_postgres(retention: Retention) -> Opened {
    let server = Temporary::shared();
    let address = server.database().expect("a database");
    let location = Location::Database { address, password: Some(server.password().clone()) };
    Opened { orders: open(location.clone(), retention).await, location, retention, _dir: None }
}

fn line(units: u64) -> OrderLine {
    OrderLine {
        product_id: ProductId::now(),
        quantity: Quantity::new(units).expect("in range"),
        name: None,
        unit_price: None,
        line_total: None,
    }
}

fn pending() -> Arc<StoredOrder> {
    let owner =
        Owner { id: UserId::now(), name: "Ada Łovelace 'x'".to_owned(), kind: UserKindName::Registered };
    Arc::new(StoredOrder::pending(owner, vec![line(3)], Timestamp::now(), &RequestId::random()))
}

fn now() -> StepContext {
    StepContext::now(&RequestId::random())
}

fn confirmed(stored: &StoredOrder) -> Arc<StoredOrder> {
    let currency = Currency::USD;
    let priced = stored.order.items.iter().map(|item| PricedLine {
        product_id: item.product_id,
        name: "a \"book\"".to_owned(),
        quantity: item.quantity,
        unit_price: Money::of(1999, currency).expect("an amount"),
        currency,
    });
    let evidence = Evidence::Priced(priced.collect());
    Arc::new(stored.after(Event::Committed, evidence, now()).expect("may be confirmed"))
}

fn rejected(stored: &StoredOrder) -> Arc<StoredOrder> {
    let product_id = stored.order.items[0].product_id;
    let reason = Reason::Shortages(vec![Shortage { product_id, requested: 3, available: 1 }]);
    Arc::new(stored.after(Event::Refused, Evidence::Reason(reason), now()).expect("may be rejected"))
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

async fn get(orders: &Orders, id: OrderId) -> StoredOrder {
    orders.get(id, Reach::All).await.expect("reads").expect("is there")
}

#[tokio::test]
async fn an_order_is_read_as_it_was_stored_and_stored_again_without_a_second() {
    for Opened { orders, .. } in &both(Retention::default()).await {
        for key in [None, Some(key("k-1"))] {
            let stored = pending();
            for _ in 0..2 {
                let inserted = orders.insert(Arc::clone(&stored), key.clone()).await.expect("stores");
                assert!(matches!(inserted, Inserted::Done), "{inserted:?}");
            }
            let mut found = get(orders, stored.order.id).await;
            assert_eq!(found.key_print, Some(key.as_ref().map_or(0, IdempotencyKey::print)));
            found.key_print = stored.key_print;
            assert_eq!(found, *stored);
            assert!(
                orders.get(stored.order.id, Reach::Guests).await.expect("reads").is_none(),
                "not for guests"
            );
        }
    }
}

#[tokio::test]
async fn a_key_has_one_order_also_when_many_ask_at_once() {
    for opened in &both(Retention::default()).await {
        let orders = &opened.orders;
        let first = pending();
        let again = |_: usize| {
            let other = Arc::new(first.renamed(OrderId::now()));
            let orders = orders.clone();
            tokio::spawn(async move { orders.insert(other, Some(key("once"))).await.expect("decides") })
        };
        let tasks: Vec<_> = (0..20).map(again).collect();
        let mut stored = 0;
        for task in tasks {
            stored += usize::from(matches!(task.await.expect("runs"), Inserted::Done));
        }
        assert_eq!(stored, 1);
        let of_key = orders.by_key(first.order.user_id, key("once")).await.expect("reads").expect("is there");
        let late = orders.insert(pending_of(&first), Some(key("once"))).await.expect("decides");
        assert!(matches!(late, Inserted::KeyTaken(earlier) if earlier.order.id == of_key.order.id));
        let page = orders.keys(KeyFilter { after: KeyCursor::Start, limit: 10 }, Vec::new(), add()).await;
        let page: Vec<KeyRecord> = page.expect("lists");
        assert_eq!(page.iter().map(|record| record.order_id).collect::<Vec<_>>(), [of_key.order.id]);
        let after = KeyCursor::After(first.order.user_id, "once".to_owned());
        let page: Vec<KeyRecord> =
            orders.keys(KeyFilter { after, limit: 10 }, Vec::new(), add()).await.expect("lists");
        assert!(page.is_empty());
    }
}

fn pending_of(stored: &StoredOrder) -> Arc<StoredOrder> {
    Arc::new(stored.renamed(OrderId::now()))
}

fn add<T>() -> Add<Vec<T>, T> {
    Box::new(|page, row| {
        page.push(row);
        std::ops::ControlFlow::Continue(())
    })
}

#[tokio::test]
async fn a_step_replaces_the_version_before_it_and_only_that() {
    for Opened { orders, .. } in &both(Retention::default()).await {
        let stored = pending();
        orders.insert(Arc::clone(&stored), None).await.expect("stores");
        let (one, other) = (confirmed(&stored), rejected(&stored));
        let (first, second) =
            tokio::join!(orders.advance(Arc::clone(&one)), orders.advance(Arc::clone(&other)));
        let done = (first.expect("decides"), second.expect("decides"));
        assert!(done.0 != done.1, "one of two drivers stores its step: {done:?}");
        let (winner, loser) = if done.0 { (one, other) } else { (other, one) };
        let found = get(orders, stored.order.id).await;
        assert_eq!((found.order.clone(), &found.reason), (winner.order.clone(), &winner.reason));
        assert_eq!(found.history, winner.history);
        assert_eq!(found.odd, winner.odd);
        assert!(!orders.advance(loser).await.expect("decides"));
    }
}

#[tokio::test]
async fn steps_that_were_stored_by_an_earlier_try_are_stored() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let postgres = on_postgres(Retention::default()).await;
    let stored = pending();
    postgres.orders.insert(Arc::clone(&stored), Some(key("k"))).await.expect("stores");
    let next = confirmed(&stored);
    for _ in 0..2 {
        assert!(postgres.orders.advance(Arc::clone(&next)).await.expect("decides"), "the same step");
    }
    let pay = now();
    for _ in 0..2 {
        let changed = postgres.orders.change(stored.order.id, Reach::All, Event::Pay, pay.clone()).await;
        assert!(matches!(changed.expect("decides"), Changed::Done(paid) if paid.order.version == 3));
    }
    let changed =
        postgres.orders.change(stored.order.id, Reach::All, Event::Pay, now()).await.expect("decides");
    assert!(matches!(changed, Changed::Illegal(OrderState::Paid)), "another request: {changed:?}");
    let unknown =
        postgres.orders.change(OrderId::now(), Reach::All, Event::Pay, now()).await.expect("decides");
    assert!(matches!(unknown, Changed::NotFound));
}

#[tokio::test]
async fn lists_are_filtered_and_go_on_where_they_ended() {
    for Opened { orders, .. } in &both(Retention::default()).await {
        let mut all: Vec<_> = (0..600).map(|_| pending()).collect();
        for stored in &all {
            orders.insert(Arc::clone(stored), None).await.expect("stores");
        }
        let done = confirmed(&all[7]);
        orders.advance(Arc::clone(&done)).await.expect("stores");
        all.reverse();
        let list = async |filter: Filter| {
            let (page, next) = orders.list(filter, Vec::new(), add()).await.expect("lists");
            assert_eq!(next, None);
            page.iter().map(|stored: &StoredOrder| stored.order.id).collect::<Vec<_>>()
        };
        let ids: Vec<_> = all.iter().map(|stored| stored.order.id).collect();
        let listed = list(Filter::default()).await;
        let sorted = |ids: &[OrderId]| ids.iter().copied().collect::<std::collections::BTreeSet<_>>();
        assert!(listed.len() == ids.len() && sorted(&listed) == sorted(&ids));
        assert!(list(Filter { before: Some(listed[9]), ..Filter::default() }).await == listed[10..]);
        assert_eq!(list(Filter { user: Some(all[3].order.user_id), ..Filter::default() }).await, [ids[3]]);
        let filter = Filter { state: Some(OrderState::Confirmed), ..Filter::default() };
        assert_eq!(list(filter).await, [done.order.id]);
        let filter = Filter { changed_before: Some(Timestamp::from_millis(5)), ..Filter::default() };
        assert!(list(filter).await.is_empty());
        let states = orders.unfinished_states(3).await.expect("reads");
        assert_eq!(states.len(), 3);
    }
}

#[tokio::test]
async fn refused_orders_and_their_keys_go_when_their_time_is_over() {
    let retention = Retention { keep: Duration::from_hours(1), most: 1, settle: Duration::from_millis(80) };
    for Opened { orders, .. } in &both(retention).await {
        let mut user = None;
        for number in 0..4 {
            let stored = pending();
            user = Some(stored.order.user_id);
            orders.insert(Arc::clone(&stored), Some(key(&format!("k{number}")))).await.expect("stores");
            let next = if number == 0 { confirmed(&stored) } else { rejected(&stored) };
            orders.advance(next).await.expect("stores");
        }
        let mut gone = 0;
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while gone < 2 && std::time::Instant::now() < until {
            gone += orders.forget_refused().await.expect("forgets");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(gone, 2, "all refused ones but the newest");
        let keys: Vec<KeyRecord> = orders
            .keys(KeyFilter { after: KeyCursor::Start, limit: 10 }, Vec::new(), add())
            .await
            .expect("lists");
        assert_eq!(keys.iter().map(|record| record.key.as_str()).collect::<Vec<_>>(), ["k0", "k3"]);
        assert!(orders.by_key(user.expect("set"), key("k3")).await.expect("reads").is_some());
    }
}

#[tokio::test]
async fn what_an_instance_leaves_another_takes_over_once() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let postgres = on_postgres(Retention::default()).await;
    let (first, second) = (&postgres.orders, postgres.again().await);
    for orders in [first, &second] {
        assert!(orders.take_over().await.expect("takes").is_empty());
    }
    let stored = pending();
    first.insert(Arc::clone(&stored), None).await.expect("stores");
    assert!(second.take_over().await.expect("takes").is_empty(), "its instance has a lease");
    first.close().await;
    assert!(matches!(first.insert(pending(), None).await, Err(StoreError::Stopped)));
    let taken = second.take_over().await.expect("takes");
    assert_eq!(taken.iter().map(|stored| stored.order.id).collect::<Vec<_>>(), [stored.order.id]);
    assert!(second.take_over().await.expect("takes").is_empty(), "it is its own by now");
}
