//! What is counted, and what a report says.

use super::*;
use crate::audit::report::Finding;
use crate::finding::Witness;

fn witness(found: &str) -> Witness {
    Witness { expected: "a".to_owned(), found: found.to_owned(), ..Witness::default() }
}

fn finding(counts: AuditCounts, id: &str) -> Finding {
    counts.into_report().findings.into_iter().find(|finding| finding.id == id).expect(id)
}

#[test]
fn a_report_has_the_first_case_the_number_of_all_and_of_those_not_read_again() {
    let mut counts = AuditCounts::default();
    for found in ["b", "c"] {
        counts.looked_at(Invariant::AtRest);
        counts.add((Invariant::AtRest, witness(found)));
    }
    counts.looked_at(Invariant::AtRest);
    assert_eq!((counts.cases(Invariant::AtRest), counts.cases(Invariant::NothingLost)), (2, 0));
    let one = finding(counts, "I5");
    assert_eq!((one.checked, one.unconfirmed, one.result), (3, 0, Standing::Fail));
    assert_eq!(one.detail(), "expected a, found b (2 cases)");

    let mut counts = AuditCounts::default();
    counts.add((Invariant::AtRest, witness("b")));
    (0..3).for_each(|_| counts.leave(Invariant::AtRest));
    let report = counts.into_report();
    assert_eq!(
        report.failure().map(|finding| (finding.id, finding.detail())),
        Some(("I5", "expected a, found b; 3 more suspected".to_owned()))
    );
    let skipped = finding(AuditCounts::default(), "I6");
    assert_eq!((skipped.result, skipped.reason), (Standing::Skip, Invariant::NothingLost.out_of_reach()));
    assert!(skipped.detail().contains("`ordersys bench` checks it"));
    assert_eq!(finding(AuditCounts::default(), "I5").detail(), "");
}

#[test]
fn invariants_and_standings_have_names() {
    assert_eq!(
        [Standing::Pass, Standing::Fail, Standing::Skip].map(Standing::word),
        ["PASS", "FAIL", "SKIP"]
    );
    let statements: std::collections::HashSet<_> = Invariant::ALL.map(Invariant::statement).into();
    assert_eq!(statements.len(), Invariant::ALL.len());
    let out_of_reach = Invariant::ALL.into_iter().filter(|invariant| invariant.out_of_reach().is_some());
    assert_eq!(out_of_reach.map(Invariant::id).collect::<Vec<_>>(), ["I6", "I10"]);
}

#[test]
fn a_pair_counts_for_what_can_be_said_of_it() {
    use OrderState::{Aborting, Confirmed, Pending, Rejected};
    let alone = |state| Pair { order: None, ..with_reservation(|record| record.reservation.state = state) };
    for (pair, expected) in [
        (confirmed(), "I3 I5 I8 I9 I11"),
        (pair(&[Pending, Rejected], None), "I4 I5 I8 I9 I11"),
        (pair(&[Pending, Aborting], Some(ReservationState::Committed)), "I5 I8 I9 I11"),
        (pair(&[Pending, Confirmed], None), "I3 I5 I8 I9 I11"),
        (alone(ReservationState::Committed), "I3 I5 I11"),
        (alone(ReservationState::Cancelled), "I5 I11"),
    ] {
        let mut counts = AuditCounts::default();
        pair.count(&mut counts);
        let counted = counts.into_report().findings.into_iter().filter(|finding| finding.checked == 1);
        assert_eq!(counted.map(|finding| finding.id).collect::<Vec<_>>().join(" "), expected);
    }
}

#[test]
fn the_published_graph_is_known_a_second_time() {
    use OrderState::{
        Aborted, Aborting, Cancelled, Cancelling, Confirmed, Delivered, Expired, Paid, Pending, Rejected,
        Shipped,
    };
    let graph = [
        (Pending, vec![Confirmed, Rejected, Expired, Aborting]),
        (Aborting, vec![Aborted, Confirmed]),
        (Confirmed, vec![Paid, Cancelling]),
        (Paid, vec![Shipped, Cancelling]),
        (Shipped, vec![Delivered]),
        (Cancelling, vec![Cancelled]),
    ];
    let way: [(OrderState, &[OrderState]); 11] = [
        (Pending, &[Pending]),
        (Aborting, &[Pending, Aborting]),
        (Confirmed, &[Pending, Confirmed]),
        (Paid, &[Pending, Confirmed, Paid]),
        (Shipped, &[Pending, Confirmed, Paid, Shipped]),
        (Delivered, &[Pending, Confirmed, Paid, Shipped, Delivered]),
        (Rejected, &[Pending, Rejected]),
        (Expired, &[Pending, Expired]),
        (Aborted, &[Pending, Aborting, Aborted]),
        (Cancelling, &[Pending, Confirmed, Cancelling]),
        (Cancelled, &[Pending, Confirmed, Cancelling, Cancelled]),
    ];
    for (from, path) in way {
        for to in OrderState::ALL {
            let path = [path, &[to]].concat();
            let follows = graph.iter().any(|(state, next)| *state == from && next.contains(&to));
            let found = found(&pair(&path, None)).contains(&Invariant::HistoriesArePaths);
            assert_eq!(!found, follows, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn amounts_are_there_once_stock_was_sold_and_not_before() {
    type Change = fn(&mut OrderRecord);
    let pending = |change: Change| {
        let mut pair = pair(&[OrderState::Pending], None);
        change(pair.order.as_mut().expect("an order"));
        pair
    };
    let euros = |record: &mut OrderRecord| record.order.currency = "EUR".parse().expect("a code");
    let cases: [(&str, Pair); 7] = [
        (
            "prices in every line, found none in line 1",
            with_order(|record| record.order.items[0].unit_price = None),
        ),
        (
            "prices in every line, found none in line 1",
            with_order(|record| record.order.items[0].line_total = None),
        ),
        (
            "3 x 1.99 in line 1, found 5.98",
            with_order(|record| record.order.items[0].line_total = Some(money(598))),
        ),
        (
            "a total of 597 minor units, found 598 minor units",
            with_order(|record| record.order.total = money(598)),
        ),
        (
            "no prices while pending, found some in line 1",
            pending(|record| record.order.items[0].unit_price = Some(money(1))),
        ),
        ("USD while there are no prices, found EUR", pending(euros)),
        ("a total of 0 minor units, found 1 minor units", pending(|record| record.order.total = money(1))),
    ];
    for (expected, pair) in cases {
        let said = pair.judge().into_iter().find(|(invariant, _)| *invariant == Invariant::TotalsAddUp);
        let said = said.map(|(_, witness)| format!("{}, found {}", witness.expected, witness.found));
        assert_eq!(said.as_deref(), Some(expected));
    }
    let foreign = with_order(|record| record.order.items[0].line_total = Some(money(597)));
    assert_eq!(found(&foreign), []);
}

#[test]
fn a_history_is_of_its_order_and_ends_where_that_stands() {
    for (expected, pair) in [
        ("numbered from 1 without gaps, found [1, 3]", with_order(|record| record.events[1].seq = 3)),
        (
            "numbered from 1 without gaps, found [1, 2]",
            with_order(|record| record.events[1].order_id = OrderId::now()),
        ),
        (
            "from pending on, found confirmed",
            with_order(|record| {
                record.events.remove(0);
                record.events[0].seq = 1;
            }),
        ),
        ("from pending on, found ", with_order(|record| record.events.clear())),
        (
            "ends where the order stands, one event for each version, found pending -> confirmed, while the order is confirmed version 3",
            with_order(|record| record.order.version = 3),
        ),
    ] {
        let said = pair.judge().into_iter().find(|(invariant, _)| *invariant == Invariant::HistoriesArePaths);
        let said = said
            .map(|(_, witness)| format!("{}, found {}", witness.expected, witness.found))
            .expect(expected);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn what_is_sold_belongs_to_an_order_and_at_its_prices() {
    type Change = fn(&mut ReservationRecord);
    let alone = |change: Change| Pair { order: None, ..with_reservation(change) };
    for (expected, pair) in [
        (
            "a committed reservation for an order that is confirmed, found no reservation",
            Pair { reservation: None, ..confirmed() },
        ),
        (
            "for an order that is confirmed, found a reservation that is held",
            with_reservation(|record| record.reservation.state = ReservationState::Held),
        ),
        ("a reservation of 3 x", with_reservation(|record| record.reservation.lines.clear())),
        (
            "the total of the reservation, 600 minor units, found 597 minor units",
            with_reservation(|record| record.reservation.lines[0].unit_price = money(200)),
        ),
        (
            "an order to which the stock was sold, found a reservation that is committed and no order",
            alone(|_| {}),
        ),
        (
            "found a reservation that is held and no order",
            alone(|record| record.reservation.state = ReservationState::Held),
        ),
    ] {
        let said = pair.judge().into_iter().find(|(invariant, _)| *invariant == Invariant::SoldToOrders);
        let said = said
            .map(|(_, witness)| format!("{}, found {}", witness.expected, witness.found))
            .expect(expected);
        assert!(said.contains(expected), "{said}");
    }
    let none: [Change; 3] = [
        |record| record.reservation.state = ReservationState::Released,
        |record| (record.reservation.state, record.direct) = (ReservationState::Held, true),
        |record| (record.reservation.state, record.lease_ms) = (ReservationState::Held, Some(9)),
    ];
    for change in none {
        assert_eq!(found(&alone(change)), []);
    }
}

#[test]
fn orders_of_earlier_versions_may_be_finer_than_their_currency() {
    let pair = with_order(|record| {
        let price: Money = "1.990".parse().expect("an amount");
        record.order.items[0].unit_price = Some(price);
        let total = price.times(record.order.items[0].quantity).expect("small");
        (record.order.items[0].line_total, record.order.total) = (Some(total), total);
    });
    assert_eq!(found(&pair), [], "1.990 is the price of 1.99");
}
