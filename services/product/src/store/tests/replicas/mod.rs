//! Two replicas on one database, whose batches are decided as if there were one inventory.

use futures_util::future::{join, join_all};
use ordersys_contract::reservation::Reservation;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

mod asked;
mod reference;

use asked::{Asked, Ids, rounds};
use reference::Reference;

/// Databases of a random test take time: cases of one share it, each with products and orders of its own.
const CASES: u32 = 48;

/// Asks a replica; what it answers to a batch.
async fn ask(tables: &Tables, ids: &Ids, asked: &Asked) -> Vec<Answer> {
    let Asked::Batch(happenings) = asked else {
        tables.end_leases(Instant::now()).await.expect("is done");
        return Vec::new();
    };
    let operations = happenings.iter().map(|happening| ids.operation(happening)).collect();
    tables.apply(operations, Instant::now(), Deadline(None)).await.expect("is done")
}

/// Units are where they are, and in the lines of the reservations that hold or sold them.
async fn check_sums(tables: &Tables, ids: &Ids) -> Result<(), TestCaseError> {
    let evidence: Vec<StockEvidence> = all(|page, add| tables.evidence(None, page, add)).await;
    for one in evidence.iter().filter(|one| ids.products.contains(&one.account.product_id)) {
        prop_assert!(one.account.is_balanced(), "{:?}", one);
        prop_assert_eq!(one.account.reserved, one.held_lines);
        prop_assert_eq!(one.account.sold, one.committed_lines);
    }
    Ok(())
}

async fn check_rows(tables: &Tables, reference: &Reference) -> Result<(), TestCaseError> {
    for (id, item) in &reference.items {
        let stock = tables.get(*id).await.expect("is read").map(|product| product.stock);
        prop_assert_eq!(stock, Some(item.stock.available));
    }
    for (id, expected) in &reference.reservations {
        let record = tables.reservation(*id).await.expect("is read").expect("is there");
        prop_assert_eq!(record.reservation.state, expected.state);
        prop_assert_eq!(&record.reservation.lines, &expected.lines);
        prop_assert_eq!(&record.reservation.shortages, &expected.shortages);
        prop_assert_eq!(record.lease_ms, expected.lease_ms);
    }
    Ok(())
}

/// One replica after the other: each answer is that of the one inventory.
async fn in_turn(replicas: [&Tables; 2], rounds: &[[Asked; 2]]) -> Result<(), TestCaseError> {
    let ids = Ids::made();
    ids.stored(replicas[0]).await;
    let mut reference = Reference::of(&ids);
    for (tables, asked) in rounds.iter().flat_map(|round| replicas.into_iter().zip(round)) {
        let answers = ask(tables, &ids, asked).await;
        if let Asked::Batch(happenings) = asked {
            let operations: Vec<_> = happenings.iter().map(|asked| ids.operation(asked)).collect();
            prop_assert_eq!(answers, reference.apply(&operations), "{:?}", asked);
        } else {
            reference.end_leases();
        }
    }
    check_rows(replicas[1], &reference).await?;
    check_sums(replicas[1], &ids).await
}

/// Both replicas at once, each with orders of its own, of which they share one in every other case.
async fn at_once(replicas: [&Tables; 2], rounds: &[[Asked; 2]]) -> Result<(), TestCaseError> {
    let [ids, mut other] = [Ids::made(), Ids::made()];
    other.products.clone_from(&ids.products);
    if rounds.len().is_multiple_of(2) {
        other.orders[0] = ids.orders[0];
    }
    ids.stored(replicas[0]).await;
    let mut answers = Vec::new();
    for [first, second] in rounds {
        let asked = join(ask(replicas[0], &ids, first), ask(replicas[1], &other, second)).await;
        answers.extend([asked.0, asked.1]);
    }
    for reservation in answers.iter().flatten().filter_map(stands) {
        let record = replicas[1].reservation(reservation.order_id).await.expect("is read").expect("is there");
        if !reservation.state.holds_stock() {
            prop_assert_eq!(&record.reservation, reservation, "what is final stays");
        }
    }
    check_sums(replicas[0], &ids).await
}

fn stands(answer: &Answer) -> Option<&Reservation> {
    if let Answer::Stands(reservation) = answer { Some(reservation) } else { None }
}

/// Runs a random test on two stores.
fn run<'a, Tested>(
    replicas: &'a [Tables; 2],
    runtime: &tokio::runtime::Runtime,
    test: impl Fn([&'a Tables; 2], Vec<[Asked; 2]>) -> Tested,
) where
    Tested: Future<Output = Result<(), TestCaseError>> + 'a,
{
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let tested = TestRunner::new(config)
        .run(&rounds(), |rounds| runtime.block_on(test([&replicas[0], &replicas[1]], rounds)));
    tested.unwrap_or_else(|error| panic!("{error}"));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn replicas() -> [Tables; 2] {
    let (address, retention) = (database(), Retention::default());
    [replica(&address, retention).await, replica(&address, retention).await]
}

#[test]
fn one_after_the_other_answers_as_one_inventory_on_sqlite() {
    let runtime = runtime();
    let opened = runtime.block_on(async { on_sqlite(Retention::default()) });
    let both = [opened.tables.clone(), opened.tables.clone()];
    run(&both, &runtime, |both, rounds| async move { in_turn(both, &rounds).await });
}

#[test]
fn one_after_the_other_answers_as_one_inventory_on_postgres() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let runtime = runtime();
    let both = runtime.block_on(replicas());
    run(&both, &runtime, |both, rounds| async move { in_turn(both, &rounds).await });
}

#[test]
fn no_unit_is_lost_or_made_by_two_at_once() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let runtime = runtime();
    let both = runtime.block_on(replicas());
    run(&both, &runtime, |both, rounds| async move { at_once(both, &rounds).await });
}

#[tokio::test]
async fn replicas_that_start_at_once_seed_once() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let address = database();
    let starts = (0..4).map(async |_| {
        let tables = replica(&address, Retention::default()).await;
        tables.seed_once(vec![product("first", 1), product("second", 2)]).await.expect("is done");
        tables
    });
    let replicas = join_all(starts).await;
    let accounts: Vec<StockAccount> = all(|page, add| replicas[0].accounts(None, page, add)).await;
    assert_eq!(accounts.len(), 2);
}

#[tokio::test]
async fn of_two_replicas_one_decides_and_the_other_repeats() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let [one, other] = replicas().await;
    let book = stored(&one, "book", 1_000).await;
    for _ in 0..20 {
        let (order, cancelled) = (OrderId::now(), OrderId::now());
        let sale = || apply_in(&one, &other, order, reserve(vec![line(book, 3)], true));
        let (first, second) = sale().await;
        assert_eq!(first, second);
        assert_eq!(state(&first), Some(ReservationState::Committed));
        let (sold, given_up) = join(
            apply(&one, cancelled, reserve(vec![line(book, 3)], true)),
            apply(&other, cancelled, Action::Cancel),
        )
        .await;
        let outcome = (state(&sold), given_up);
        match outcome {
            (Some(ReservationState::Committed), Answer::Illegal(ReservationState::Committed)) => {
                apply(&one, cancelled, Action::Release).await;
            }
            (Some(ReservationState::Cancelled), Answer::Stands(_)) => {}
            odd => panic!("{odd:?}"),
        }
    }
    let left = one.get(book).await.expect("is read").expect("is there").stock;
    assert_eq!(left, 1_000 - 20 * 3);
}

/// Asks both replicas for the same, at once.
async fn apply_in(one: &Tables, other: &Tables, order: OrderId, action: Action) -> (Answer, Answer) {
    join(apply(one, order, action.clone()), apply(other, order, action)).await
}
