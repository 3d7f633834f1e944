//! Reservations: what batches, holds and leases do to them, and what stays of those that were refused.

use std::time::Duration;

use ordersys_contract::reservation::ReservationState as State;
use ordersys_store::answers::CommandId;

use super::*;

cases!(
    a_batch_is_decided_in_order,
    a_late_batch_does_nothing,
    a_refusal_is_final_and_says_what_was_short,
    a_hold_is_made_once_and_given_back_in_parts,
    holds_of_orders_are_not_given_back_unless_named,
    leases_end,
    answers_are_kept_for_a_while,
);

async fn stock(tables: &Tables, id: ProductId) -> u64 {
    tables.get(id).await.expect("is read").expect("is there").stock
}

async fn a_batch_is_decided_in_order(tables: &Tables) {
    let (book, other) = (stored(tables, "book", 3).await, stored(tables, "other", 9).await);
    let [sold, short, cancelled, unknown] = [(); 4].map(|()| OrderId::now());
    let nothing = ProductId::now();
    let operations = vec![
        operation(sold, reserve(vec![line(book, 2), line(other, 1)], false)),
        operation(short, reserve(vec![line(book, 2)], true)),
        operation(sold, Action::Confirm),
        operation(cancelled, Action::Cancel),
        operation(cancelled, reserve(vec![line(book, 1)], true)),
        operation(unknown, Action::Release),
        operation(unknown, reserve(vec![line(nothing, 1)], true)),
        operation(sold, reserve(vec![line(book, 1)], true)),
        operation(short, Action::Confirm),
    ];
    let answers = tables.apply(operations, Instant::now(), Deadline(None)).await.expect("is done");
    let states: Vec<_> = answers[..5].iter().map(state).collect();
    let expected = [State::Held, State::Rejected, State::Committed, State::Cancelled, State::Cancelled];
    assert_eq!(states, expected.map(Some));
    let rest = [Answer::NotFound, Answer::UnknownProducts(vec![nothing]), Answer::Mismatch];
    assert_eq!(answers[5..8], rest);
    assert_eq!(answers[8], Answer::Illegal(State::Rejected));
    assert_eq!((stock(tables, book).await, stock(tables, other).await), (1, 8));

    let again = apply(tables, sold, reserve(vec![line(book, 2), line(other, 1)], false)).await;
    assert_eq!(again, answers[2], "it stands as it was left");
    assert_eq!(state(&apply(tables, sold, Action::Release).await), Some(State::Released));
    assert_eq!((stock(tables, book).await, stock(tables, other).await), (3, 9));
}

async fn a_late_batch_does_nothing(tables: &Tables) {
    let book = stored(tables, "book", 3).await;
    let [late, waited] = [(); 2].map(|()| OrderId::now());
    let lines = vec![line(book, 1)];
    let asked = vec![operation(late, reserve(lines.clone(), true))];
    let now = Instant::now();
    let passed = tables.apply(asked, now, Deadline(Some(now))).await;
    assert!(matches!(passed, Err(StoreError::Late)), "{passed:?}");
    let action = Action::Reserve { lines, commit: true, lease_ms: 0, time_left_ms: 0 };
    assert_eq!(apply(tables, waited, action).await, Answer::Late);
    for order in [late, waited] {
        assert_eq!(tables.reservation(order).await.expect("is read"), None);
    }
    assert_eq!(stock(tables, book).await, 3);
}

async fn a_refusal_is_final_and_says_what_was_short(tables: &Tables) {
    let (book, order) = (stored(tables, "book", 3).await, OrderId::now());
    let refused = apply(tables, order, reserve(vec![line(book, 5)], true)).await;
    let addition = Addition { command: CommandId::now(), units: 9 };
    tables.restock(book, addition).await.expect("is done");
    assert_eq!(apply(tables, order, reserve(vec![line(book, 5)], true)).await, refused);
    let record = tables.reservation(order).await.expect("is read").expect("is there");
    assert_eq!(Answer::Stands(record.reservation.clone()), refused);
    let shortages: Vec<_> = record.reservation.shortages.iter().map(|short| short.available).collect();
    assert_eq!((record.reservation.state, shortages), (State::Rejected, vec![3]));
}

async fn a_hold_is_made_once_and_given_back_in_parts(tables: &Tables) {
    let book = stored(tables, "book", 10).await;
    let [first, second, none] = [(); 3].map(|()| OrderId::now());
    let part = |number, of| Part { command: CommandId::now(), quantity: units(number), of };
    let done = |available| HoldOutcome::Done { available };
    for _ in 0..2 {
        assert_eq!(tables.hold(first, book, units(4)).await.expect("is done"), done(6));
    }
    let other = tables.hold(first, book, units(5)).await.expect("is asked");
    assert_eq!(other, HoldOutcome::Answer(Answer::Mismatch));
    assert_eq!(tables.hold(second, book, units(3)).await.expect("is done"), done(3));
    let refused = tables.hold(none, book, units(4)).await.expect("is asked");
    assert!(matches!(&refused, HoldOutcome::Answer(answer) if state(answer) == Some(State::Rejected)));
    let missing = tables.hold(none, ProductId::now(), units(1)).await.expect("is asked");
    assert_eq!(missing, HoldOutcome::NotFound);

    let give_back = async |part| tables.give_back(book, part).await.expect("is asked");
    assert_eq!(give_back(part(8, None)).await, HoldOutcome::NothingHeld, "all of them or none");
    assert_eq!(give_back(part(5, Some(first))).await, HoldOutcome::NothingHeld);
    assert_eq!(give_back(part(5, None)).await, done(8), "four of the first, one of the second");
    let left = async |order| {
        let record = tables.reservation(order).await.expect("is read").expect("is there");
        let lines = record.reservation.lines.iter().map(|line| line.quantity.get()).collect::<Vec<_>>();
        (record.reservation.state, lines, record.direct_product)
    };
    assert_eq!(left(first).await, (State::Cancelled, vec![4], Some(book)));
    assert_eq!(left(second).await, (State::Held, vec![2], Some(book)));
    let missing = tables.give_back(ProductId::now(), part(1, None)).await.expect("is asked");
    assert_eq!(missing, HoldOutcome::NotFound);
}

async fn holds_of_orders_are_not_given_back_unless_named(tables: &Tables) {
    let (book, order) = (stored(tables, "book", 10).await, OrderId::now());
    apply(tables, order, reserve(vec![line(book, 4)], false)).await;
    let part = |of| Part { command: CommandId::now(), quantity: units(1), of };
    let unnamed = tables.give_back(book, part(None)).await.expect("is asked");
    assert_eq!(unnamed, HoldOutcome::NothingHeld);
    let named = tables.give_back(book, part(Some(order))).await.expect("is asked");
    assert_eq!(named, HoldOutcome::Done { available: 7 });
}

async fn leases_end(tables: &Tables) {
    let book = stored(tables, "book", 10).await;
    let [over, open, endless] = [(); 3].map(|()| OrderId::now());
    for (order, lease_ms) in [(over, 0), (open, 3_600_000), (endless, u64::MAX)] {
        let lines = vec![line(book, 1)];
        let action = Action::Reserve { lines, commit: false, lease_ms, time_left_ms: 60_000 };
        apply(tables, order, action).await;
    }
    let record = async |order| tables.reservation(order).await.expect("is read").expect("is there");
    let told = async |order| {
        let record = record(order).await;
        (record.lease_ms, record.overdue_ms.is_some())
    };
    assert_eq!(told(over).await, (Some(0), true));
    assert_eq!(told(open).await, (Some(3_600_000), false));
    assert_eq!(told(endless).await, (Some(i64::MAX.unsigned_abs()), false));

    assert_eq!(tables.end_leases(Instant::now()).await.expect("is done"), 1);
    assert_eq!(tables.end_leases(Instant::now()).await.expect("is done"), 0);
    let states = [record(over).await, record(open).await, record(endless).await];
    let states = states.map(|record| record.reservation.state);
    assert_eq!(states, [State::Expired, State::Held, State::Held]);
    assert_eq!(told(over).await, (None, false));
    assert_eq!(stock(tables, book).await, 8);
}

async fn answers_are_kept_for_a_while(tables: &Tables) {
    let book = stored(tables, "book", 10).await;
    let addition = Addition { command: CommandId::now(), units: 5 };
    tables.restock(book, addition).await.expect("is done");
    assert_eq!(tables.forget_answers().await.expect("is done"), 0);
    tables.restock(book, addition).await.expect("is done");
    assert_eq!(stock(tables, book).await, 15);
    if let Backend::Postgres(rows) = &tables.0 {
        rows.run("UPDATE products.answered SET written = written - interval '3 minutes'").await;
        assert_eq!(tables.forget_answers().await.expect("is done"), 1);
    }
}

#[tokio::test]
async fn rows_that_contradict_each_other_fail_alone_on_postgres() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let Opened { tables, .. } = on_postgres(Retention::default()).await;
    let [book, other] = [stored(&tables, "book", 3).await, stored(&tables, "other", 3).await];
    let [odd, sound] = [(); 2].map(|()| OrderId::now());
    for (order, product) in [(odd, book), (sound, other)] {
        apply(&tables, order, reserve(vec![line(product, 2)], false)).await;
    }
    let Backend::Postgres(rows) = &tables.0 else { panic!("it is on PostgreSQL") };
    rows.run("UPDATE products.product SET reserved = 0, available = 3 WHERE name = 'book'").await;
    let cancel = |order| tables.apply(vec![operation(order, Action::Cancel)], Instant::now(), Deadline(None));
    let (failed, done) = futures_util::future::join(cancel(odd), cancel(sound)).await;
    assert!(matches!(failed, Err(StoreError::Statement(_))), "{failed:?}");
    assert_eq!(done.expect("is done").first().map(state), Some(Some(State::Cancelled)));
    let record = tables.reservation(odd).await.expect("is read").expect("is there");
    assert_eq!(record.reservation.state, State::Held);
}

#[tokio::test]
async fn what_was_refused_goes_in_time_and_nothing_else() {
    let retention = Retention { keep: Duration::ZERO, most: 1, settle: Duration::ZERO };
    for Opened { tables, .. } in &both(retention).await {
        let book = stored(tables, "book", 3).await;
        let [refused, cancelled, sold, released, held, last] = [(); 6].map(|()| OrderId::now());
        apply(tables, refused, reserve(vec![line(book, 9)], true)).await;
        apply(tables, cancelled, Action::Cancel).await;
        apply(tables, sold, reserve(vec![line(book, 1)], true)).await;
        apply(tables, released, reserve(vec![line(book, 1)], true)).await;
        apply(tables, released, Action::Release).await;
        apply(tables, held, reserve(vec![line(book, 1)], false)).await;
        apply(tables, last, Action::Cancel).await;
        assert_eq!(tables.forget_refused().await.expect("is done"), 2);
        assert_eq!(tables.forget_refused().await.expect("is done"), 0);
        let filter = ReservationFilter { before: None, limit: 9 };
        let left: Vec<ReservationRecord> = all(|page, add| tables.reservations(filter, page, add)).await;
        let left: Vec<_> = left.iter().map(|record| record.reservation.order_id).collect();
        assert_eq!(left, [last, held, released, sold], "the newest first");
    }
}

#[tokio::test]
async fn what_was_refused_just_now_stays() {
    let retention = Retention { keep: Duration::ZERO, most: 0, settle: Duration::from_hours(1) };
    for Opened { tables, .. } in &both(retention).await {
        for _ in 0..3 {
            apply(tables, OrderId::now(), Action::Cancel).await;
        }
        assert_eq!(tables.forget_refused().await.expect("is done"), 0);
        if let Backend::Postgres(rows) = &tables.0 {
            rows.run("UPDATE products.reservation SET written = written - interval '2 hours'").await;
            assert_eq!(tables.forget_refused().await.expect("is done"), 3, "none is kept by number");
        }
    }
}
