//! Orders: all or nothing, once per key, through the absence of the other services.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use ordersys_contract::Role;
use ordersys_contract::order::{CANCEL, DELIVER, OrderState, PAY, SHIP};
use ordersys_contract::product::{Hold, ProductPatch, StockAccount};
use ordersys_contract::{Code, IdempotencyKey, Quantity};
use ordersys_testkit::{LIMIT, Stack, busy, order_of};

/// Rounds of two buyers for one unit.
const ROUNDS: usize = 10_000;

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

#[tokio::test(flavor = "multi_thread")]
async fn all_lines_or_none_and_every_shortage_is_named() {
    let stack = Stack::start().await;
    let (user, plenty, few, one) = (
        stack.a_user().await,
        stack.a_product(100).await,
        stack.a_product(3).await,
        stack.a_product(1).await,
    );
    let order = order_of(&user, &[(&plenty, 5), (&few, 2), (&one, 2), (&few, 2)]);
    let refused = stack.anyone().place(&order, None).await.expect_err("two products are short");
    let problem = refused.problem().expect("a problem");
    assert_eq!(problem.code, Code::InsufficientStock);
    let mut shortages: Vec<_> = problem.members["shortages"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|short| (short["productId"].as_str().expect("id").to_owned(), short["requested"].as_u64()))
        .collect();
    shortages.sort();
    let mut expected = vec![(few.id.to_string(), Some(4)), (one.id.to_string(), Some(2))];
    expected.sort();
    assert_eq!(shortages, expected, "lines of one product are added up");
    assert_eq!((stack.stock(&plenty).await, stack.stock(&few).await, stack.stock(&one).await), (100, 3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_order_however_often_it_is_posted() {
    let stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(1000).await);
    let (client, order, key) = (stack.anyone(), order_of(&user, &[(&product, 1)]), key("k-1"));
    let posts = join_all((0..1000).map(|_| client.place(&order, Some(&key)))).await;
    let placed: Vec<_> = posts.into_iter().map(|post| post.expect("answers")).collect();
    let ids: HashSet<_> = placed.iter().map(|placed| placed.order.id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(placed.iter().filter(|placed| !placed.replayed).count(), 1, "all others are replays");
    assert_eq!(stack.stock(&product).await, 999);
    let again = client.place(&order, Some(&key)).await.expect("replays");
    assert!(again.replayed);
    let other = client.place(&order_of(&user, &[(&product, 2)]), Some(&key)).await;
    assert_eq!(other.expect_err("another body").problem().map(|p| p.code), Some(Code::IdempotencyMismatch));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_replayed_even_after_a_restock() {
    let stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(1).await);
    let (client, order, key) = (stack.anyone(), order_of(&user, &[(&product, 2)]), key("short"));
    client.place(&order, Some(&key)).await.expect_err("short");
    stack.admin().restock(product.id, 10).await.expect("restocks");
    let again = client.place(&order, Some(&key)).await.expect_err("stays refused");
    assert_eq!(again.problem().map(|problem| problem.code), Some(Code::InsufficientStock));
    client.place(&order, None).await.expect("a new order gets it");
    assert_eq!(stack.stock(&product).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_buyers_for_one_unit_have_one_winner() {
    let _turn = busy().await;
    let stack = Stack::start().await;
    let (user, client) = (stack.a_user().await, stack.anyone());
    let next = AtomicUsize::new(0);
    let rounds = || async {
        while next.fetch_add(1, Ordering::Relaxed) < ROUNDS {
            let product = stack.a_product(1).await;
            let order = order_of(&user, &[(&product, 1)]);
            let (first, second) = tokio::join!(client.place(&order, None), client.place(&order, None));
            let loser = match (first, second) {
                (Ok(_), Err(loser)) | (Err(loser), Ok(_)) => loser,
                both => panic!("not one winner: {both:?}"),
            };
            assert_eq!(loser.problem().map(|problem| problem.code), Some(Code::InsufficientStock), "{loser}");
        }
    };
    join_all((0..32).map(|_| rounds())).await;
    let accounts = stack.admin().stock_accounts().await.expect("reads");
    let sold_out = |account: &&StockAccount| {
        (account.initial, account.available, account.reserved, account.sold) == (1, 0, 0, 1)
    };
    assert_eq!(accounts.iter().filter(sold_out).count(), ROUNDS, "each unit is sold once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_lives_and_its_history_has_no_gaps() {
    let stack = Stack::start().await;
    let (user, product, admin) = (stack.a_user().await, stack.a_product(10).await, stack.admin());
    let placed = admin.place(&order_of(&user, &[(&product, 4)]), None).await.expect("places");
    let id = placed.order.id;
    admin.step(id, SHIP).await.expect_err("is not paid yet");
    for (path, state) in
        [(PAY, OrderState::Paid), (SHIP, OrderState::Shipped), (DELIVER, OrderState::Delivered)]
    {
        assert_eq!(admin.step(id, path).await.expect("steps").status, state);
        assert_eq!(admin.step(id, path).await.expect("again changes nothing").status, state);
    }
    let refused = admin.step(id, CANCEL).await.expect_err("is delivered");
    assert_eq!(refused.problem().map(|problem| problem.code), Some(Code::IllegalTransition));
    let events = admin.events(id).await.expect("has a history");
    let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_gives_the_stock_back_once() {
    let stack = Stack::start().await;
    let (user, product, client) = (stack.a_user().await, stack.a_product(10).await, stack.anyone());
    let placed = client.place(&order_of(&user, &[(&product, 4)]), None).await.expect("places");
    assert_eq!(stack.stock(&product).await, 6);
    let cancels = join_all((0..20).map(|_| client.step(placed.order.id, CANCEL))).await;
    for cancelled in cancels {
        let status = cancelled.expect("cancels").status;
        assert!(matches!(status, OrderState::Cancelled | OrderState::Cancelling), "{status:?}");
    }
    let order = client.order(placed.order.id).await.expect("reads");
    assert_eq!((order.status, stack.stock(&product).await), (OrderState::Cancelled, 10));
    let accounts = stack.admin().stock_accounts().await.expect("reads");
    assert!(accounts.iter().all(ordersys_contract::product::StockAccount::is_balanced));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_user_service_nothing_is_written() {
    let mut stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(10).await);
    let (client, order, key) = (stack.anyone(), order_of(&user, &[(&product, 1)]), key("later"));
    stack.end(Role::User).await;
    let refused = client.place(&order, Some(&key)).await.expect_err("fails closed");
    let problem = refused.problem().expect("a problem");
    assert_eq!((problem.code, problem.retry_after.is_some()), (Code::DependencyDown, true));
    stack.begin(Role::User).await;
    let placed = client.place(&order, Some(&key)).await.expect("the key is not used up");
    assert!(!placed.replayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_product_service_an_order_waits_and_is_finished() {
    let mut stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(10).await);
    let client = stack.anyone();
    stack.end(Role::Product).await;
    let placed = client.place(&order_of(&user, &[(&product, 3)]), None).await.expect("is stored");
    assert_eq!(placed.order.status, OrderState::Pending);
    // A restart of the order service in between: recovery goes on with it.
    stack.end(Role::Order).await;
    stack.begin(Role::Order).await;
    stack.begin(Role::Product).await;
    let finished = tokio::time::timeout(LIMIT, async {
        loop {
            let order = client.order(placed.order.id).await.expect("reads");
            if order.status != OrderState::Pending {
                return order;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    let order = finished.await.expect("is finished in time");
    assert_eq!((order.status, order.total.minor()), (OrderState::Confirmed, 3 * 1999));
    assert_eq!(stack.stock(&product).await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn direct_holds_give_back_no_more_than_they_took() {
    let stack = Stack::start().await;
    let (product, admin) = (stack.a_product(10).await, stack.admin());
    let hold =
        |units, reservation_id| Hold { quantity: Quantity::new(units).expect("in range"), reservation_id };
    let first = admin.reserve(product.id, &hold(4, None)).await.expect("holds");
    assert_eq!((first.reserved, first.remaining_stock), (4, 6));
    let again = admin.reserve(product.id, &hold(4, Some(first.reservation_id))).await.expect("repeats");
    assert_eq!(again.remaining_stock, 6, "the same id takes once");
    let short = admin.reserve(product.id, &hold(7, None)).await.expect_err("is short");
    assert_eq!(short.problem().and_then(|problem| problem.members["available"].as_u64()), Some(6));
    let released = admin.release(product.id, &hold(3, None)).await.expect("gives back");
    assert_eq!((released.released, released.current_stock), (3, 9));
    admin.release(product.id, &hold(2, None)).await.expect_err("only one unit is held");
    admin.release(product.id, &hold(1, Some(first.reservation_id))).await.expect("gives back the last");
    assert_eq!(stack.stock(&product).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_needs_the_version_it_was_based_on() {
    let stack = Stack::start().await;
    let (product, admin) = (stack.a_product(10).await, stack.admin());
    let patch = |name: &str| ProductPatch { name: Some(name.to_owned()), price: None };
    let edited = admin.edit_product(product.id, &patch("New"), Some(1)).await.expect("edits");
    assert_eq!((edited.name.as_str(), edited.version), ("New", 2));
    let stale = admin.edit_product(product.id, &patch("Newer"), Some(1)).await.expect_err("is stale");
    assert_eq!(stale.problem().map(|problem| problem.code), Some(Code::PreconditionFailed));
    let path = format!("/products/{}", product.id);
    let read = stack.send(Role::Product, "GET", &path, None).await;
    let tag = read.header("etag").to_owned();
    let unchanged = stack.send_with(Role::Product, "GET", &path, &[("if-none-match", &tag)], None).await;
    assert_eq!(unchanged.status, 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_without_gaps_or_repeats() {
    let stack = Stack::start().await;
    let (user, product, admin) = (stack.a_user().await, stack.a_product(100).await, stack.admin());
    let order = order_of(&user, &[(&product, 1)]);
    let placed = join_all((0..25).map(|_| admin.place(&order, None))).await;
    let ids: HashSet<_> = placed.into_iter().map(|placed| placed.expect("places").order.id).collect();
    let filter =
        ordersys_contract::client::OrderFilter { user: Some(user.id), status: None, limit: Some(10) };
    let mut page = admin.orders(&filter).await.expect("lists");
    let mut listed: Vec<_> = page.items.iter().map(|order| order.id).collect();
    while let Some(next) = page.next {
        page = admin.more_orders(&next).await.expect("lists on");
        listed.extend(page.items.iter().map(|order| order.id));
    }
    assert!(listed.is_sorted_by(|a, b| a > b), "newest first");
    assert_eq!((listed.len(), listed.into_iter().collect::<HashSet<_>>()), (25, ids));
}
