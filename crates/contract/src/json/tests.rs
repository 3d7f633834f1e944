//! What is written here is what serde writes.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::order::{OrderRejection, OrderState, Short};
use crate::reservation::{ReservationState, Shortage};
use crate::{Code, Quantity, TraceParent};

fn id<K: std::fmt::Debug>() -> impl Strategy<Value = Id<K>> {
    any::<[u8; 16]>().prop_map(Id::from_bytes)
}

fn quantity() -> impl Strategy<Value = Quantity> {
    (1..=u64::from(Quantity::MAX)).prop_filter_map("in range", Quantity::new)
}

fn money() -> impl Strategy<Value = Money> {
    prop_oneof![0..1000_i64, 0..=i64::MAX].prop_filter_map("not negative", Money::from_minor)
}

fn currency() -> impl Strategy<Value = Currency> {
    "[A-Z]{3}".prop_filter_map("a code", |text| text.parse().ok())
}

/// Names with what has to be escaped, and what must not be.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,20}", ".{0,20}", "[\u{0}-\u{20}\"\\\\/\u{7f}-\u{a0}\u{2028}]{0,8}"]
}

/// Also those that RFC 3339 cannot tell.
fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![0..4_000_000_000_000_i64, any::<i64>()].prop_map(Timestamp::from_millis)
}

fn request() -> impl Strategy<Value = RequestId> {
    "[A-Za-z0-9._-]{1,128}".prop_filter_map("of the form", |text| RequestId::parse(&text))
}

prop_compose! {
    fn order_line()(
        product_id in id(), quantity in quantity(),
        name in option::of(name()), unit_price in option::of(money()), line_total in option::of(money()),
    ) -> OrderLine {
        OrderLine { product_id, quantity, name, unit_price, line_total }
    }
}

prop_compose! {
    fn short()(
        product_id in id(), name in option::of(name()), requested in any::<u64>(), available in any::<u64>(),
    ) -> Short {
        Short { product_id, name, requested, available }
    }
}

prop_compose! {
    fn rejection()(shortages in vec(short(), 0..3), products in vec(id(), 0..3)) -> OrderRejection {
        OrderRejection { code: Code::InsufficientStock, shortages, products }
    }
}

prop_compose! {
    fn order()(
        (id, user_id) in (id(), id()), user_name in name(), items in vec(order_line(), 0..4), total in money(),
        currency in currency(), status in proptest::sample::select(&OrderState::ALL[..]), version in any::<u64>(),
        (created_at, updated_at) in (time(), time()), rejection in option::of(rejection().prop_map(Box::new)),
    ) -> Order {
        Order {
            id, user_id, user_name, items, total, currency, status, version, created_at, updated_at, rejection,
        }
    }
}

prop_compose! {
    fn line()(product_id in id(), quantity in quantity()) -> Line {
        Line { product_id, quantity }
    }
}

fn action() -> impl Strategy<Value = Action> {
    let reserve = (vec(line(), 0..4), any::<bool>(), any::<u64>(), any::<u64>());
    let reserve = reserve.prop_map(|(lines, commit, lease_ms, time_left_ms)| Action::Reserve {
        lines,
        commit,
        lease_ms,
        time_left_ms,
    });
    let others = [Action::Confirm, Action::Cancel, Action::Release];
    prop_oneof![4 => reserve, 1 => proptest::sample::select(others.to_vec())]
}

prop_compose! {
    fn operation()(
        order_id in id(), request_id in request(), action in action(),
        trace_parent in option::of(Just(TraceParent::begin())),
    ) -> Operation {
        Operation { order_id, request_id, trace_parent, action }
    }
}

prop_compose! {
    fn priced_line()(
        product_id in id(), name in name(), quantity in quantity(), unit_price in money(), currency in currency(),
    ) -> PricedLine {
        PricedLine { product_id, name, quantity, unit_price, currency }
    }
}

prop_compose! {
    fn reservation()(
        order_id in id(), state in proptest::sample::select(&ReservationState::ALL[..]),
        lines in vec(priced_line(), 0..4),
        shortages in vec((id(), any::<u64>(), any::<u64>()), 0..3),
    ) -> Reservation {
        let short = |(product_id, requested, available)| Shortage { product_id, requested, available };
        Reservation { order_id, state, lines, shortages: shortages.into_iter().map(short).collect() }
    }
}

fn answer() -> impl Strategy<Value = Answer> {
    let others = [Answer::Late, Answer::MixedCurrencies, Answer::Mismatch, Answer::NotFound];
    prop_oneof![
        4 => reservation().prop_map(Answer::Stands),
        1 => proptest::sample::select(others.to_vec()),
        1 => vec(id(), 0..3).prop_map(Answer::UnknownProducts),
        1 => proptest::sample::select(&ReservationState::ALL[..]).prop_map(Answer::Illegal),
    ]
}

fn is_that_of_serde<T: WriteJson + Serialize + ?Sized>(value: &T) -> Result<(), TestCaseError> {
    let of_serde = serde_json::to_string(value).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(value.to_json(), of_serde);
    Ok(())
}

proptest! {
    #[test]
    fn an_order_is_written_as_serde_writes_it(order in order()) {
        is_that_of_serde(&order)?;
        is_that_of_serde(order.items.as_slice())?;
    }

    #[test]
    fn a_call_for_many_orders_is_written_as_serde_writes_it(operations in vec(operation(), 0..4)) {
        is_that_of_serde(&Batch { operations })?;
    }

    #[test]
    fn its_answers_are_written_as_serde_writes_them(answers in vec(answer(), 0..4)) {
        is_that_of_serde(answers.as_slice())?;
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let refusal = read::<Vec<String>>(b"[\"a\",\n \"\xff\"]").expect_err("no text");
    assert_eq!((refusal.line(), refusal.is_syntax()), (2, true), "{refusal}");
    assert_eq!(read::<Vec<&str>>("[\"ü\"]".as_bytes()).expect("text"), ["ü"]);
}
