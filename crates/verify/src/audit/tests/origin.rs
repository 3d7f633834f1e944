//! I11 of orders and reservations, one thing at a time that does not agree.

use ordersys_contract::order::Reason;
use ordersys_contract::reservation::Shortage;

use super::case::{Case, short, shortages, unknown};
use super::*;
use crate::audit::origin::half;

#[test]
fn what_agrees_is_no_violation() {
    use OrderState::{Aborted, Aborting, Cancelled, Cancelling, Confirmed, Expired, Pending};
    let other = ProductId::now();
    let cases = [
        Case::confirmed(),
        Case::of(&[Pending], None),
        Case::of(&[Pending, Aborting, Aborted], Some(ReservationState::Cancelled))
            .after(|case| case.reservation().reservation.lines.clear()),
        Case::of(&[Pending, Expired], None),
        Case::of(&[Pending, Confirmed, Cancelling, Cancelled], Some(ReservationState::Released)),
        Case::refused(shortages(), Some(ReservationState::Rejected)),
        Case::refused(shortages(), Some(ReservationState::Rejected))
            .after(|case| case.reservation().reservation.lines.clear()),
        Case::refused(shortages(), None),
        Case::refused(unknown(other), None).after(|case| case.order().order.items[0].product_id = other),
        // A product that nothing is known of says nothing about its currency.
        Case::refused(Some(Reason::MixedCurrencies), None)
            .after(|case| case.order().order.items[0].product_id = other),
        Case::confirmed().after(|case| case.order().order.user_name = "Al".to_owned()),
        Case::confirmed().after(|case| {
            case.order().order.user_name = "Eve".to_owned();
            case.user.as_mut().expect("a user").former_names.insert(0, None);
        }),
        Case::unordered(ReservationState::Cancelled),
        Case::unordered(ReservationState::Held).after(|case| {
            let product = case.reservation().reservation.lines[0].product_id;
            (case.reservation().direct, case.reservation().direct_product) = (true, Some(product));
        }),
        Case::unordered(ReservationState::Held).after(|case| case.reservation().lease_ms = Some(9)),
    ];
    for (place, case) in cases.iter().enumerate() {
        assert_eq!(case.found(), [""; 0], "case {place}");
    }
}

#[test]
fn an_order_agrees_with_its_user_and_with_itself() {
    type Change = fn(&mut Case);
    let cases: [(&str, Change); 11] = [
        ("found something else in room", |case| case.order().odd = vec!["room".to_owned()]),
        ("a name, found ` `", |case| {
            case.order().order.items[0].name = Some(" ".to_owned());
            case.reservation().reservation.lines[0].name = " ".to_owned();
        }),
        ("who ordered, found no such user", |case| case.user = None),
        ("an order of a registered user, as user", |case| case.order().owner = UserKindName::Guest),
        ("as `Alice`, found `Eve`", |case| case.order().order.user_name = "Eve".to_owned()),
        ("a history that never goes back in time, found step 1 at", |case| {
            case.order().events[1].at = began().before(std::time::Duration::from_millis(1));
        }),
        ("as its history begins, found created", |case| {
            case.order().events[0].at = began().before(std::time::Duration::from_millis(1));
        }),
        ("as its history ends, found updated", |case| case.order().events[1].at = after(1)),
        ("as its id says, found created", |case| {
            let order = &mut case.order().order;
            (order.created_at, order.updated_at) = (after(90), after(90));
            case.order().events.iter_mut().for_each(|event| event.at = after(90));
        }),
        ("no time ahead of the clock, 2023-11-14T23:13:20.000Z, found updatedAt", |case| {
            case.order().order.updated_at = after(3_700);
            case.order().events[1].at = after(3_700);
        }),
        ("no reason of a refusal while confirmed, found one", |case| case.order().reason = shortages()),
    ];
    for (expected, change) in cases {
        let found = Case::confirmed().after(change).found();
        assert!(found.first().is_some_and(|found| found.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn how_an_order_ended_is_told_by_its_reservation() {
    use OrderState::{Cancelled, Cancelling, Confirmed, Pending};
    let product = catalog::record().id;
    let fewer = Shortage { available: 1, ..short() };
    let cancelled = |state| Case::of(&[Pending, Confirmed, Cancelling, Cancelled], state);
    let cases = [
        ("a reason of the refusal, found none", Case::refused(None, Some(ReservationState::Rejected))),
        (
            "found 1 of 3 x",
            Case::refused(shortages(), Some(ReservationState::Rejected))
                .after(|case| case.reservation().reservation.shortages = vec![fewer]),
        ),
        (
            "a reservation that is rejected, found a reservation that is cancelled",
            Case::refused(shortages(), Some(ReservationState::Cancelled)),
        ),
        (
            "no reservation, as nothing was written, found a reservation that is cancelled",
            Case::refused(unknown(product), Some(ReservationState::Cancelled)),
        ),
        ("to be ordered and unknown", Case::refused(unknown(product), None)),
        ("to be ordered and unknown", Case::refused(unknown(ProductId::now()), None)),
        (
            "products in more than one currency, found products in one",
            Case::refused(Some(Reason::MixedCurrencies), None),
        ),
        ("a reservation that is released, found no reservation", cancelled(None)),
        (
            "a reservation that is released, found a reservation that is committed",
            cancelled(Some(ReservationState::Committed)),
        ),
        ("the order it was sold to", Case::unordered(ReservationState::Released)),
        (
            "found the time in its id",
            Case::unordered(ReservationState::Cancelled).after(|case| {
                case.pair.id = id_of(after(3_700));
                case.reservation().reservation.order_id = case.pair.id;
            }),
        ),
    ];
    for (expected, case) in cases {
        let found = case.found();
        assert!(found.first().is_some_and(|found| found.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn an_order_and_its_reservation_are_of_the_same_lines() {
    type Change = fn(&mut Case);
    let cases: [(&str, Change); 8] = [
        ("a reservation made by its order, found a hold", |case| {
            case.reservation().direct_product = Some(catalog::record().id);
        }),
        ("no lease, as orders take none, found one of 9 ms", |case| case.reservation().lease_ms = Some(9)),
        ("2 lines reserved, found 1", |case| {
            let item = case.order().order.items[0].clone();
            case.order().order.items.push(item);
        }),
        ("3 x", |case| case.reservation().reservation.lines[0].quantity = Quantity::ONE),
        ("reserved, found 3 x", |case| case.order().order.items[0].product_id = ProductId::now()),
        ("a name in each line that has a price, found None", |case| case.order().order.items[0].name = None),
        ("`Thing`, the name when reserved, found `Old`", |case| {
            case.order().order.items[0].name = Some("Old".to_owned());
        }),
        ("name and price of a version of product", |case| {
            case.order().order.items[0].name = Some("Other".to_owned());
            case.reservation().reservation.lines[0].name = "Other".to_owned();
        }),
    ];
    for (expected, change) in cases {
        let found = Case::confirmed().after(change).found();
        assert!(found.first().is_some_and(|found| found.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn a_reservation_says_what_was_short_and_how_long_it_is_held() {
    let held = || Case::unordered(ReservationState::Held);
    let direct = |case: &mut Case| case.reservation().direct_product = Some(catalog::record().id);
    let rejected = |shortage: Shortage| {
        Case::unordered(ReservationState::Rejected)
            .after(|case| case.reservation().reservation.shortages = vec![shortage])
    };
    let cases = [
        ("what was short, as it is rejected, found nothing", Case::unordered(ReservationState::Rejected)),
        (
            "nothing short, as it is held, found 2 of 3",
            held().after(|case| case.reservation().reservation.shortages = vec![short()]),
        ),
        ("fewer than the 3 x", rejected(Shortage { requested: 4, ..short() })),
        ("fewer than the 3 x", rejected(Shortage { available: 3, ..short() })),
        ("fewer than the 0 x", rejected(Shortage { product_id: id_of(after(7)), ..short() })),
        (
            "no lease, as it is cancelled, found one of 9 ms",
            Case::unordered(ReservationState::Cancelled).after(|case| case.reservation().lease_ms = Some(9)),
        ),
        (
            "no lease, as it is a direct hold, found one of 9 ms",
            held().after(direct).after(|case| case.reservation().lease_ms = Some(9)),
        ),
        (
            "held directly, found 2 lines",
            held().after(direct).after(|case| {
                let line = case.reservation().reservation.lines[0].clone();
                case.reservation().reservation.lines.push(line);
            }),
        ),
        (
            "held directly, found 1 lines",
            held().after(|case| case.reservation().direct_product = Some(id_of(after(7)))),
        ),
    ];
    for (expected, case) in cases {
        let found = case.found();
        assert!(found.last().is_some_and(|found| found.contains(expected)), "{expected}: {found:?}");
    }
    assert_eq!(rejected(short()).found(), [""; 0]);
    let kept = rejected(short()).after(|case| case.reservation().lease_ms = Some(9));
    assert_eq!(kept.found(), [""; 0], "as it was asked for");
}

#[test]
fn one_half_without_the_other_may_have_been_forgotten() {
    use OrderState::{Aborted, Aborting, Expired, Pending};
    let leased = |case: &mut Case| case.reservation().lease_ms = Some(9);
    let direct = |case: &mut Case| case.reservation().direct = true;
    let cases = [
        (Case::refused(shortages(), None), Some("a reservation that is rejected, found no reservation")),
        (Case::refused(unknown(ProductId::now()), None), None),
        (
            Case::of(&[Pending, Aborting, Aborted], None),
            Some("a reservation that proves that nothing is held"),
        ),
        (Case::of(&[Pending, Expired], None), None),
        (Case::refused(shortages(), Some(ReservationState::Rejected)), None),
        (
            Case::unordered(ReservationState::Cancelled),
            Some("the order it was made for, found a reservation that is cancelled and no order"),
        ),
        (Case::unordered(ReservationState::Cancelled).after(leased), None),
        (Case::unordered(ReservationState::Cancelled).after(direct), None),
        (Case::unordered(ReservationState::Held), None),
    ];
    for (place, (case, expected)) in cases.into_iter().enumerate() {
        let found =
            half(&case.pair).map(|(_, witness)| format!("{}, found {}", witness.expected, witness.found));
        assert_eq!(found.is_some(), expected.is_some(), "case {place}: {found:?}");
        assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "case {place}");
    }
}
