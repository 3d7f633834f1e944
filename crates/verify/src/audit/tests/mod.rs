//! One seeded violation for each invariant, and none where all is well.

mod case;
mod catalog;
mod counts;
mod keys;
mod origin;
mod people;

use ordersys_contract::order::{KeyRecord, Order, OrderEvent, OrderLine, OrderRecord, OrderState};
use ordersys_contract::product::{StockAccount, StockEvidence};
use ordersys_contract::reservation::{PricedLine, Reservation, ReservationRecord, ReservationState};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{Currency, Id, Money, OrderId, ProductId, Quantity, RequestId, Timestamp, UserId};

use crate::audit::gather::read::Suspect;
use crate::audit::horizon::Horizon;
use crate::audit::keys::Keys;
use crate::audit::pair::Pair;
use crate::audit::report::{AuditCounts, Standing};
use crate::audit::{Invariant, stock};

/// When the orders of these tests were made.
fn began() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

/// So many seconds after that.
fn after(seconds: u64) -> Timestamp {
    began().after(std::time::Duration::from_secs(seconds))
}

/// An id that says it was made then.
fn id_of<K>(at: Timestamp) -> Id<K> {
    let millis = u128::try_from(at.as_millis()).expect("after 1970");
    Id::from_bytes(((millis << 80) + (7 << 76) + (2 << 62)).to_be_bytes())
}

fn money(minor: i64) -> Money {
    Money::from_minor(minor).expect("not negative")
}

fn history(id: OrderId, path: &[OrderState]) -> Vec<OrderEvent> {
    let event = |(status, seq): (&OrderState, u64)| OrderEvent {
        order_id: id,
        seq,
        status: *status,
        at: began(),
        request_id: RequestId::random(),
        rejection: None,
    };
    path.iter().zip(1..).map(event).collect()
}

/// An order of 3 x 1.99 that went this way, and a reservation in this state.
fn pair(path: &[OrderState], state: Option<ReservationState>) -> Pair {
    let (id, product_id, quantity) = (OrderId::now(), ProductId::now(), Quantity::new(3).expect("in range"));
    let status = *path.last().expect("a state");
    let priced = path.contains(&OrderState::Confirmed);
    let line = OrderLine {
        product_id,
        quantity,
        name: priced.then(|| "Thing".to_owned()),
        unit_price: priced.then(|| money(199)),
        line_total: priced.then(|| money(597)),
    };
    let order = Order {
        id,
        user_id: UserId::now(),
        user_name: "Alice".to_owned(),
        items: vec![line],
        total: if priced { money(597) } else { Money::ZERO },
        currency: Currency::USD,
        status,
        version: path.len() as u64,
        created_at: began(),
        updated_at: began(),
        rejection: None,
    };
    let line = PricedLine {
        product_id,
        name: "Thing".to_owned(),
        quantity,
        unit_price: money(199),
        currency: Currency::USD,
    };
    let reservation = state.map(|state| ReservationRecord {
        reservation: Reservation { order_id: id, state, lines: vec![line], shortages: Vec::new() },
        lease_ms: None,
        overdue_ms: None,
        direct: false,
        direct_product: None,
    });
    let (events, owner, reason, odd) = (history(id, path), UserKindName::Guest, None, Vec::new());
    let record = OrderRecord {
        order,
        overdue_ms: None,
        events,
        owner,
        reason,
        key_print: Some(0),
        in_place: true,
        odd,
    };
    Pair { id, order: Some(record), reservation }
}

fn confirmed() -> Pair {
    pair(&[OrderState::Pending, OrderState::Confirmed], Some(ReservationState::Committed))
}

/// The confirmed pair after a change of its order.
fn with_order(change: impl FnOnce(&mut OrderRecord)) -> Pair {
    let mut pair = confirmed();
    change(pair.order.as_mut().expect("an order"));
    pair
}

/// A pending pair whose outcome is overdue by so many milliseconds.
fn overdue_by(millis: u64) -> Pair {
    let mut pair = pair(&[OrderState::Pending], None);
    pair.order.as_mut().expect("an order").overdue_ms = Some(millis);
    pair
}

/// The confirmed pair after a change of its reservation.
fn with_reservation(change: impl FnOnce(&mut ReservationRecord)) -> Pair {
    let mut pair = confirmed();
    change(pair.reservation.as_mut().expect("a reservation"));
    pair
}

fn found(pair: &Pair) -> Vec<Invariant> {
    pair.judge().into_iter().map(|(invariant, _)| invariant).collect()
}

#[test]
fn what_a_correct_system_does_is_no_violation() {
    use OrderState::{Aborted, Aborting, Cancelled, Cancelling, Confirmed, Paid, Pending, Rejected};
    let cases: [(&[OrderState], Option<ReservationState>); 9] = [
        (&[Pending], None),
        (&[Pending], Some(ReservationState::Committed)),
        (&[Pending, Confirmed, Paid], Some(ReservationState::Committed)),
        (&[Pending, Rejected], None),
        (&[Pending, Rejected], Some(ReservationState::Rejected)),
        (&[Pending, Aborting], Some(ReservationState::Committed)),
        (&[Pending, Aborting, Aborted], Some(ReservationState::Cancelled)),
        (&[Pending, Confirmed, Cancelling], Some(ReservationState::Committed)),
        (&[Pending, Confirmed, Cancelling, Cancelled], Some(ReservationState::Released)),
    ];
    for (path, state) in cases {
        assert_eq!(found(&pair(path, state)), [], "{path:?} {state:?}");
    }
    let direct = |record: &mut ReservationRecord| {
        record.direct = true;
        record.reservation.state = ReservationState::Held;
    };
    assert_eq!(found(&Pair { order: None, ..with_reservation(direct) }), []);
    assert_eq!(found(&overdue_by(10_000)), [], "it may be about to have its outcome");
}

#[test]
fn each_violation_is_found_under_its_name() {
    use Invariant::{AtRest, FailedHoldNothing, HistoriesArePaths, SoldToOrders, TotalsAddUp};
    use OrderState::{Cancelled, Confirmed, Pending, Rejected, Shipped};
    let two = Quantity::new(2).expect("in range");
    let leased = |record: &mut ReservationRecord| {
        record.reservation.state = ReservationState::Held;
        record.lease_ms = Some(30_000);
        record.overdue_ms = Some(10_001);
    };
    let cases = [
        ("not reserved", Pair { reservation: None, ..confirmed() }, vec![SoldToOrders]),
        ("no order", Pair { order: None, ..confirmed() }, vec![SoldToOrders]),
        (
            "fewer units",
            with_reservation(|record| record.reservation.lines[0].quantity = two),
            vec![SoldToOrders],
        ),
        (
            "failed but sold",
            pair(&[Pending, Rejected], Some(ReservationState::Committed)),
            vec![FailedHoldNothing],
        ),
        ("stuck", overdue_by(10_001), vec![AtRest]),
        ("lease over", Pair { order: None, ..with_reservation(leased) }, vec![AtRest]),
        (
            "a step left out",
            pair(&[Pending, Confirmed, Shipped], Some(ReservationState::Committed)),
            vec![HistoriesArePaths],
        ),
        (
            "not cancelling first",
            pair(&[Pending, Confirmed, Cancelled], Some(ReservationState::Released)),
            vec![HistoriesArePaths],
        ),
        ("a gap", with_order(|record| record.events[1].seq = 3), vec![HistoriesArePaths]),
        ("no event", with_order(|record| record.order.version = 3), vec![HistoriesArePaths]),
        ("total", with_order(|record| record.order.total = money(598)), vec![TotalsAddUp, SoldToOrders]),
        ("line", with_order(|record| record.order.items[0].line_total = Some(money(1))), vec![TotalsAddUp]),
        (
            "price",
            with_reservation(|record| record.reservation.lines[0].unit_price = money(200)),
            vec![SoldToOrders, TotalsAddUp],
        ),
    ];
    for (name, pair, expected) in cases {
        assert_eq!(found(&pair), expected, "{name}");
    }
}

#[test]
fn stock_keys_and_the_report() {
    use Standing::{Fail, Pass, Skip};
    let account = StockAccount {
        product_id: ProductId::now(),
        initial: 5,
        restocked: 1,
        available: 3,
        reserved: 1,
        sold: 2,
    };
    let mut counts = AuditCounts::default();
    stock::judge(&StockEvidence { account: account.clone(), held_lines: 1, committed_lines: 2 }, &mut counts);
    assert_eq!(counts.into_report().failure(), None);

    let mut counts = AuditCounts::default();
    let lost = StockAccount { available: 2, ..account };
    stock::judge(&StockEvidence { account: lost, held_lines: 1, committed_lines: 3 }, &mut counts);
    let (record, user_id) = (confirmed().order.expect("an order"), UserId::now());
    let mut keys = Keys::default();
    let names = [("a", record.order.id), ("b", record.order.id), ("c", OrderId::now())];
    let all = names.map(|(key, order_id)| KeyRecord { user_id, key: key.to_owned(), order_id });
    for key in &all {
        keys.key(key, &mut counts);
    }
    keys.order(&record, &mut counts);
    let bare = with_order(|record| record.key_print = Some(9)).order.expect("an order");
    keys.order(&bare, &mut counts);
    assert!(!keys.is_settled());
    keys.finish(&all, &mut counts);
    let cases = "two keys, another user, made without a key, no order, no key";
    assert_eq!(counts.cases(Invariant::OneOrderPerKey), 5, "{cases}");

    let report = counts.into_report();
    let standings: Vec<_> = report.findings.iter().map(|finding| (finding.id, finding.result)).collect();
    let expected = [Fail, Fail, Pass, Pass, Pass, Skip, Fail, Pass, Pass, Skip, Pass];
    assert_eq!(standings, Invariant::ALL.map(Invariant::id).into_iter().zip(expected).collect::<Vec<_>>());
}

/// A failed order or a refused reservation alone, or both.
fn failed(order: bool, reservation: bool) -> Pair {
    use OrderState::{Aborted, Aborting, Pending};
    let both = pair(&[Pending, Aborting, Aborted], Some(ReservationState::Cancelled));
    Pair {
        order: both.order.filter(|_| order),
        reservation: both.reservation.filter(|_| reservation),
        id: both.id,
    }
}

/// The ids that are suspect for a missing half, of pairs from the newest to the oldest.
fn missing(pairs: &[&Pair]) -> Vec<OrderId> {
    let mut horizon = Horizon::default();
    let mut suspects = Vec::new();
    for pair in pairs {
        suspects.extend(horizon.pass(pair));
        if let Some((invariant, _)) = crate::audit::origin::half(pair) {
            horizon.add(pair, Suspect { id: pair.id, of: vec![invariant] });
        }
    }
    suspects.into_iter().map(|suspect| suspect.id).collect()
}

#[test]
fn what_failed_may_be_forgotten_but_only_the_oldest_first() {
    let [both, older] = [failed(true, true), failed(true, true)];
    let [order, reservation] = [failed(true, false), failed(false, true)];
    assert_eq!(missing(&[&both, &order, &order]), [], "older reservations are forgotten");
    assert_eq!(missing(&[&both, &reservation, &reservation]), [], "older orders are forgotten");
    assert_eq!(missing(&[&both, &order, &older]), [order.id], "an older one is still there");
    assert_eq!(missing(&[&both, &reservation, &older]), [reservation.id]);
    assert_eq!(missing(&[&order, &reservation]), [order.id], "the reservation is older than the one missing");
    assert_eq!(missing(&[&confirmed(), &both]), []);
}
