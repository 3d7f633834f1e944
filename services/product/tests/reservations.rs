//! What is stored of a reservation, and what its answer says: cases that the random ones do not look at.

use std::time::Duration;

use ordersys_contract::reservation::{
    Action, Answer, Line, Operation, Reservation, ReservationState as State, Shortage,
};
use ordersys_contract::{Currency, Money, OrderId, ProductId, Quantity, RequestId};
use ordersys_product::domain::inventory::{Inventory, Item, Stored};
use ordersys_product::domain::stock::Stock;
use ordersys_product::domain::transition::Event;

const LEASE_MS: u64 = 5_000;

fn order() -> OrderId {
    OrderId::from_bytes([1; 16])
}

fn product() -> ProductId {
    ProductId::from_bytes([2; 16])
}

fn line(units: u64) -> Line {
    Line { product_id: product(), quantity: Quantity::new(units).expect("in range") }
}

/// One product, of which there are two.
fn inventory() -> Inventory {
    let mut inventory = Inventory::default();
    let price = Money::from_minor(100).expect("not negative");
    let stock = Stock::new(2);
    inventory.add_item(product(), Item { name: "book".to_owned(), price, currency: Currency::USD, stock });
    inventory
}

fn reserve(inventory: &mut Inventory, lines: &[Line], action: impl Fn(Vec<Line>) -> Action) -> Answer {
    let request_id = RequestId::parse("test").expect("of the form");
    let action = action(lines.to_vec());
    let operation = Operation { order_id: order(), request_id, trace_parent: None, action };
    inventory.apply(&operation, Duration::ZERO)
}

fn hold(lines: Vec<Line>) -> Action {
    Action::Reserve { lines, commit: false, lease_ms: LEASE_MS, time_left_ms: 1_000 }
}

fn sell(lines: Vec<Line>) -> Action {
    Action::Reserve { lines, commit: true, lease_ms: LEASE_MS, time_left_ms: 1_000 }
}

fn lease(inventory: &Inventory) -> Option<u64> {
    inventory.reservation(order()).expect("stored").lease_ms
}

#[test]
fn only_what_is_held_has_a_lease() {
    for (action, units, state, expected) in [
        (hold as fn(Vec<Line>) -> Action, 2, State::Held, Some(LEASE_MS)),
        (hold, 3, State::Rejected, None),
        (sell, 2, State::Committed, None),
        (sell, 3, State::Rejected, None),
    ] {
        let mut inventory = inventory();
        let answer = reserve(&mut inventory, &[line(units)], action);
        assert!(matches!(answer, Answer::Stands(Reservation { state: got, .. }) if got == state));
        assert_eq!(lease(&inventory), expected, "{units} units, {state:?}");
    }
    for event in [Event::Confirm, Event::Cancel, Event::LeaseEnd] {
        let mut inventory = inventory();
        reserve(&mut inventory, &[line(2)], hold);
        inventory.advance(order(), event);
        assert_eq!(lease(&inventory), None, "{event:?}");
    }
}

#[test]
fn a_refusal_says_what_all_lines_of_a_product_ask_for_together() {
    let answer = reserve(&mut inventory(), &[line(1), line(2)], sell);
    let Answer::Stands(Reservation { shortages, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(shortages, [Shortage { product_id: product(), requested: 3, available: 2 }]);
}

#[test]
fn a_refused_order_is_known_by_what_was_short() {
    let shortage = Shortage { product_id: product(), requested: 3, available: 2 };
    for (asked, is_known) in
        [(&[line(3)][..], true), (&[line(1), line(2)], true), (&[line(2)], false), (&[line(4)], false)]
    {
        let mut inventory = inventory();
        // As it is read: the lines of what was refused are not kept.
        let (lines, shortages) = (Vec::new(), vec![shortage]);
        inventory
            .add_reservation(order(), Stored { state: State::Rejected, lines, shortages, lease_ms: None });
        let answer = reserve(&mut inventory, asked, sell);
        let stands = matches!(answer, Answer::Stands(Reservation { state: State::Rejected, .. }));
        assert_eq!((stands, answer == Answer::Mismatch), (is_known, !is_known), "{asked:?}");
    }
}
