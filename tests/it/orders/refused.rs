//! What callers without an account leave behind: refused orders are kept short, and not for ever.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use ordersys_contract::Role;
use ordersys_contract::client::OrderFilter;
use ordersys_contract::order::{NewLine, NewOrder};
use ordersys_contract::product::Product;
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{ClientError, Code, IdempotencyKey, OrderId, Quantity};
use ordersys_order::Allowance;
use ordersys_store::retention::Retention;
use ordersys_store::rusqlite::Connection;
use ordersys_testkit::{LIMIT, Limits, Stack, order_of};
use ordersys_verify::audit::{Standing, check};

/// Bytes of a refused order of a hundred lines, all of them short, in the order service.
const ORDER_BYTES: u64 = 2_700;
/// The same in the product service.
const RESERVATION_BYTES: u64 = 2_000;

fn kept(most: u32, settle: Duration) -> Limits {
    let retention = Retention { keep: Duration::from_hours(24), most, settle };
    Limits { retention, ..Limits::default() }
}

fn database(stack: &Stack, role: Role) -> Connection {
    Connection::open(stack.data_dir().join(role.name()).join(format!("{}.db", role.name()))).expect("opens")
}

fn number(stack: &Stack, role: Role, query: &str) -> u64 {
    database(stack, role).query_row(query, [], |row| row.get(0)).expect("reads")
}

/// Waits until `reached`.
async fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < LIMIT, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> Code {
    let error = result.expect_err("is refused");
    error.problem().unwrap_or_else(|| panic!("{error}")).code
}

/// An order of a hundred lines of which none can be met.
async fn hopeless(stack: &Stack) -> NewOrder {
    let user = stack.a_user().await;
    let mut items = Vec::new();
    for _ in 0..100 {
        let product_id = stack.a_product(0).await.id.to_string();
        items.push(NewLine { product_id, quantity: Quantity::new(10_000).expect("in range") });
    }
    NewOrder { user_id: user.id.to_string(), items }
}

/// Posts an order so often, each time with a key of its own.
async fn flood(stack: &Stack, order: &NewOrder, times: usize, name: &str) {
    let client = stack.anyone();
    let posts = (0..times).map(|number| {
        let key = IdempotencyKey::parse(&format!("{name}-{number}")).expect("a key");
        let client = client.clone();
        async move { code(client.place(order, Some(&key)).await) }
    });
    let answers: Vec<_> = futures_util::stream::iter(posts).buffer_unordered(16).collect().await;
    assert!(answers.iter().all(|code| *code == Code::InsufficientStock), "{answers:?}");
}

const REFUSED: &str = "SELECT count(*) FROM placed WHERE state = 5";
const REJECTED: &str = "SELECT count(*) FROM reservation WHERE state = 2";
const PAGES: &str = "SELECT page_count FROM pragma_page_count()";

#[tokio::test(flavor = "multi_thread")]
async fn refused_orders_take_little_room_go_and_leave_it_to_the_next() {
    const MOST: u64 = 100;
    // So many refused orders would take more than is allowed, were none to go.
    const ROUNDS: usize = 5;
    const EACH: usize = 300;
    const PAGES_OF_EACH: u64 = 2;
    const PAGES_OF_ALL_ELSE: u64 = 200;
    let stack = Stack::start_limited_on_files(kept(100, Duration::from_millis(400))).await;
    let order = hopeless(&stack).await;
    let few = |stack: &Stack| {
        number(stack, Role::Order, REFUSED) <= MOST && number(stack, Role::Product, REJECTED) <= MOST
    };
    for round in 0..ROUNDS {
        flood(&stack, &order, EACH, &format!("round-{round}")).await;
        until("no more are kept than asked for", || few(&stack)).await;
    }
    for role in [Role::Order, Role::Product] {
        let pages = number(&stack, role, PAGES);
        let most = PAGES_OF_EACH * (MOST + EACH as u64) + PAGES_OF_ALL_ELSE;
        assert!(pages <= most, "{pages} pages after {ROUNDS} rounds in {role}: at most {most}");
    }

    let kept = number(&stack, Role::Order, REFUSED);
    assert!(kept >= MOST, "the newest {MOST} are kept, not {kept}");
    assert_eq!(number(&stack, Role::Order, "SELECT count(*) FROM keys"), kept, "keys go with their orders");
    let row = "SELECT max(length(items) + length(refused) + length(history) + length(user_name)
               + length(room) + ifnull(length(reason), 0) + 100) FROM placed WHERE state = 5";
    let bytes = number(&stack, Role::Order, row);
    assert!(bytes <= ORDER_BYTES, "a refused order takes {bytes} bytes");
    let row = "SELECT max(length(lines) + length(short) + ifnull(length(shortages), 0) + 50) FROM reservation
               WHERE state = 2";
    let bytes = number(&stack, Role::Product, row);
    assert!(bytes <= RESERVATION_BYTES, "its reservation takes {bytes} bytes");
}

async fn refuse(stack: &Stack, order: &NewOrder, key: &str) -> OrderId {
    let key = IdempotencyKey::parse(key).expect("a key");
    assert_eq!(code(stack.anyone().place(order, Some(&key)).await), Code::InsufficientStock);
    let filter = OrderFilter { limit: Some(1), ..OrderFilter::default() };
    stack.admin().orders(&filter).await.expect("lists").items[0].id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_order_is_read_and_repeated_in_its_time_and_then_its_key_is_free() {
    let stack = Stack::start_limited(kept(2, Duration::from_millis(400))).await;
    let (user, product) = (stack.a_user().await, stack.a_product(5).await);
    let order = order_of(&user, &[(&product, 6), (&product, 1)]);
    let first = refuse(&stack, &order, "first").await;
    let read = stack.anyone().order(first).await.expect("is kept");
    let lines: Vec<_> = read.items.iter().map(|item| (item.product_id, item.quantity.get())).collect();
    assert_eq!(lines, [(product.id, 6), (product.id, 1)]);
    let body = serde_json::to_string(&order).expect("writes");
    let headers = [("content-type", "application/json"), ("idempotency-key", "first")];
    let again = stack.send_with(Role::Order, "POST", "/orders", &headers, Some(body)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (409, "true"));
    let short = &again.body["shortages"][0];
    assert_eq!((&short["requested"], &short["available"]), (&7.into(), &5.into()), "{}", again.body);

    let second = refuse(&stack, &order, "second").await;
    let third = refuse(&stack, &order, "third").await;
    let began = Instant::now();
    while stack.anyone().order(first).await.is_ok() {
        assert!(began.elapsed() < LIMIT, "the oldest of three goes");
        let report = check(&stack.admin(), |_| {}).await.expect("reads");
        let failed: Vec<_> =
            report.findings.iter().filter(|finding| finding.result == Standing::Fail).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
    for kept in [second, third] {
        assert!(stack.anyone().order(kept).await.is_ok(), "the newest two stay");
    }
    stack.admin().restock(product.id, 5).await.expect("restocks");
    let key = IdempotencyKey::parse("first").expect("a key");
    let placed = stack.anyone().place(&order, Some(&key)).await.expect("the key is free").order;
    assert_ne!(placed.id, first);
    let replayed = stack.anyone().place(&order, Some(&key)).await.expect("replays").order;
    assert_eq!(replayed.id, placed.id);
    let report = check(&stack.admin(), |_| {}).await.expect("reads");
    assert!(report.failure().is_none(), "{report:?}");
}

async fn reserve(stack: &Stack, product: &Product, id: OrderId, units: u32) -> (u16, String) {
    let body = format!(r#"{{"quantity":{units},"reservationId":"{id}"}}"#);
    let path = format!("/products/{}/reserve", product.id);
    let answer = stack.send_as_admin(Role::Product, "POST", &path, Some(&body)).await;
    (answer.status, answer.code().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_stays_one_while_late_calls_may_come_however_old_its_id_looks() {
    let settle = Duration::from_secs(1);
    let retention = Retention { keep: Duration::from_hours(1), most: 1000, settle };
    let mut stack = Stack::start_limited_on_files(Limits { retention, ..Limits::default() }).await;
    let product = stack.a_product(5).await;
    let newest = OrderId::now();
    assert_eq!(reserve(&stack, &product, newest, 6).await.0, 409);
    // As if a clock had jumped by weeks between the two.
    let mut bytes = *newest.as_bytes();
    bytes[1] -= 1;
    let old = OrderId::from_bytes(bytes);
    // What was there before the start has gone by now, were it not new.
    tokio::time::sleep(settle).await;
    let began = Instant::now();
    assert_eq!(reserve(&stack, &product, old, 6).await.0, 409);
    stack.admin().restock(product.id, 50).await.expect("restocks");
    while number(&stack, Role::Product, REJECTED) == 2 {
        let again = reserve(&stack, &product, old, 6).await;
        let gone = number(&stack, Role::Product, REJECTED) < 2;
        assert!(gone || again == (409, "insufficient-stock".to_owned()), "{again:?}");
        assert!(began.elapsed() < LIMIT, "it goes in the end");
    }
    assert!(began.elapsed() >= settle, "late calls need it for a while: {:?}", began.elapsed());

    for restarted in [false, true] {
        if restarted {
            stack.end(Role::Product).await;
            stack.begin(Role::Product).await;
        }
        assert_eq!(reserve(&stack, &product, newest, 6).await, (409, "insufficient-stock".to_owned()));
        assert_eq!(reserve(&stack, &product, newest, 5).await, (422, "reservation-mismatch".to_owned()));
    }
}

fn at_most(most: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(most)
}

async fn guest(stack: &Stack, name: &str) -> User {
    let new = NewUser::guest(name, format!("{name}@example.com"));
    stack.anyone().create_user(&new).await.expect("makes a guest")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_may_do_is_limited_if_asked_for_and_a_refusal_writes_nothing() {
    let allowance = Allowance {
        orders_per_address: at_most(7),
        orders_per_guest: at_most(3),
        units_per_guest: at_most(10),
    };
    let limits = Limits { allowance, guests_per_address: at_most(3), ..Limits::default() };
    let stack = Stack::start_limited(limits).await;
    let product = stack.a_product(100).await;
    let (ada, bob, eve) =
        (guest(&stack, "ada").await, guest(&stack, "bob").await, guest(&stack, "eve").await);
    let new = r#"{"name":"Mallory","email":"mallory@example.com"}"#;
    let refused = stack.send(Role::User, "POST", "/users", Some(new)).await;
    assert_eq!((refused.status, refused.code()), (429, "too-many-requests"), "three guests for each address");
    assert!((1..=20).contains(&refused.header("retry-after").parse::<u32>().expect("seconds")));

    let place = async |user: &User, units| {
        let order = order_of(user, &[(&product, units)]);
        let body = serde_json::to_string(&order).expect("writes");
        stack.send(Role::Order, "POST", "/orders", Some(&body)).await
    };
    let greedy = place(&ada, 11).await;
    assert_eq!((greedy.status, greedy.code()), (400, "invalid-field"), "{}", greedy.body);
    assert_eq!(place(&bob, 7).await.status, 201);
    let much = place(&bob, 7).await;
    assert_eq!((much.status, much.code()), (429, "too-many-requests"), "{}", much.body);
    assert!((1..=60).contains(&much.header("retry-after").parse::<u32>().expect("seconds")));
    for _ in 0..3 {
        assert_eq!(place(&eve, 1).await.status, 201);
    }
    let often = place(&eve, 1).await;
    assert_eq!((often.status, often.code()), (429, "too-many-requests"), "three orders for each guest");
    let address = place(&ada, 1).await;
    assert_eq!(address.status, 429, "seven posts for each address: {}", address.body);

    let stored = stack.admin().orders(&OrderFilter::default()).await.expect("lists").items;
    assert_eq!((stored.len(), stack.stock(&product).await), (4, 90), "nothing of the refused ones is there");
    let by_admin = stack.admin().place(&order_of(&ada, &[(&product, 50)]), None).await;
    assert!(by_admin.is_ok(), "the admin is no stranger");
}
