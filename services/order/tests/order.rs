//! An order through any events: its history stays a path in the published graph.

use std::time::Duration;

use ordersys_contract::order::{OrderLine, OrderState as State};
use ordersys_contract::reservation::{Action, Answer, PricedLine, Reservation, ReservationState};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{Currency, Id, Money, OrderId, ProductId, Quantity, RequestId, Timestamp, UserId};
use ordersys_order::domain::access::Owner;
use ordersys_order::domain::lifecycle::{Event, step};
use ordersys_order::domain::order::{Evidence, Reason, StepContext, StoredOrder};
use ordersys_order::domain::saga::{Meaning, Want, meaning, next, reserve};
use proptest::prelude::*;

/// When orders are made, in milliseconds.
const START: i64 = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(30);

/// The way into each state, by the happiest path there is.
const WAYS: [&[Event]; 11] = [
    &[],
    &[Event::Committed],
    &[Event::Committed, Event::Pay],
    &[Event::Committed, Event::Pay, Event::Ship],
    &[Event::Committed, Event::Pay, Event::Ship, Event::Deliver],
    &[Event::Refused],
    &[Event::TooLate],
    &[Event::GiveUp],
    &[Event::GiveUp, Event::NothingHeld],
    &[Event::Committed, Event::Cancel],
    &[Event::Committed, Event::Cancel, Event::Released],
];

fn start() -> Timestamp {
    Timestamp::from_millis(START)
}

fn request() -> RequestId {
    RequestId::parse("test").expect("of the form")
}

fn context(at: Timestamp) -> StepContext {
    StepContext { at, request: request() }
}

/// A new order of lines with these units and prices, and what they would be reserved as.
fn order_of(lines: &[(u64, i64)]) -> (StoredOrder, Vec<PricedLine>) {
    let line = |(number, (units, minor)): (u8, &(u64, i64))| PricedLine {
        product_id: Id::from_bytes([number; 16]),
        name: format!("product {number}"),
        quantity: Quantity::new(*units).expect("in range"),
        unit_price: Money::from_minor(*minor).expect("not negative"),
        currency: Currency::USD,
    };
    let priced: Vec<_> = (0..).zip(lines).map(line).collect();
    let item = |line: &PricedLine| OrderLine {
        product_id: line.product_id,
        quantity: line.quantity,
        name: None,
        unit_price: None,
        line_total: None,
    };
    let items = priced.iter().map(item).collect();
    let who = Owner { id: UserId::now(), name: "Ada".to_owned(), kind: UserKindName::Guest };
    (StoredOrder::pending(who, items, start(), &request()), priced)
}

/// What an event comes with.
fn evidence(event: Event, priced: &[PricedLine]) -> Evidence {
    match event {
        Event::Committed => Evidence::Priced(priced.to_vec()),
        Event::Refused => Evidence::Reason(Reason::MixedCurrencies),
        _ => Evidence::None,
    }
}

/// Whether the graph has a way between the two.
fn is_published(from: State, to: State) -> bool {
    Event::ALL.into_iter().any(|event| step(from, event) == Some(to))
}

fn check(stored: &StoredOrder, lines: &[(u64, i64)]) -> Result<(), TestCaseError> {
    let order = &stored.order;
    let events = stored.events();
    let numbers: Vec<_> = events.iter().map(|event| event.seq).collect();
    prop_assert_eq!(numbers, (1..=order.version).collect::<Vec<_>>(), "numbered without gaps");
    prop_assert_eq!(events.first().map(|event| event.status), Some(State::Pending));
    prop_assert_eq!(
        events.last().map(|event| (event.status, event.at)),
        Some((order.status, order.updated_at))
    );
    for pair in events.windows(2) {
        prop_assert!(is_published(pair[0].status, pair[1].status), "{:?}", pair);
        prop_assert!(pair[0].at <= pair[1].at, "{:?}", pair);
    }
    let was_sold = events.iter().any(|event| event.status == State::Confirmed);
    let sum: i64 = lines.iter().map(|(units, price)| i64::try_from(*units).expect("few") * price).sum();
    prop_assert_eq!(order.total.minor(), if was_sold { sum } else { 0 });
    let line_totals = order.items.iter().filter_map(|item| item.line_total).map(Money::minor);
    prop_assert_eq!(line_totals.sum::<i64>(), order.total.minor());
    Ok(())
}

fn event() -> impl Strategy<Value = Event> {
    prop::sample::select(Event::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn its_history_is_a_path_in_the_graph_and_its_total_a_sum(
        lines in prop::collection::vec((1..=10_000_u64, 0..=1_000_000_000_000_i64), 1..4),
        events in prop::collection::vec((event(), -500..2_000_i64), 0..60),
    ) {
        let (mut stored, priced) = order_of(&lines);
        let mut now = START;
        for (event, passed) in events {
            now += passed; // clocks are set back, too
            let at = context(Timestamp::from_millis(now));
            let after = stored.after(event, evidence(event, &priced), at);
            let to = step(stored.order.status, event);
            prop_assert_eq!(after.as_ref().map(|after| after.order.status), to);
            if let Some(after) = after {
                prop_assert_eq!(after.order.version, stored.order.version + 1);
                prop_assert_eq!(&after.history[..stored.history.len()], &stored.history[..]);
                stored = after;
            }
            check(&stored, &lines)?;
        }
    }

    #[test]
    fn prices_of_other_lines_are_no_evidence(
        lines in prop::collection::vec((1..=9_999_u64, 0..=1_000_i64), 1..4),
        changed in any::<prop::sample::Index>(),
        how in 0..3,
    ) {
        let (stored, mut priced) = order_of(&lines);
        let line = changed.index(priced.len());
        match how {
            0 => priced[line].quantity = Quantity::new(lines[line].0 + 1).expect("in range"),
            1 => priced[line].product_id = ProductId::now(),
            _ => { priced.remove(line); }
        }
        let after = stored.after(Event::Committed, Evidence::Priced(priced), context(start()));
        prop_assert_eq!(after, None);
    }
}

/// Every answer the product service could give, fitting or not.
fn answers(order_id: OrderId, lines: &[PricedLine]) -> Vec<Answer> {
    let stands = |state| {
        let (lines, shortages) = (lines.to_vec(), Vec::new());
        Answer::Stands(Reservation { order_id, state, lines, shortages })
    };
    let others = [
        Answer::Late,
        Answer::UnknownProducts(vec![ProductId::now()]),
        Answer::MixedCurrencies,
        Answer::Mismatch,
        Answer::NotFound,
    ];
    let states = ReservationState::ALL;
    others.into_iter().chain(states.map(stands)).chain(states.map(Answer::Illegal)).collect()
}

#[test]
fn no_wish_and_no_answer_asks_for_a_step_the_graph_does_not_have() {
    let (new, priced) = order_of(&[(2, 100), (1, 50)]);
    let mut asked_in = Vec::new();
    for (way, status) in WAYS.into_iter().zip(State::ALL) {
        let follow = |stored: StoredOrder, event: &Event| {
            stored.after(*event, evidence(*event, &priced), context(start()))
        };
        let stored = way.iter().try_fold(new.clone(), follow).expect("is a way");
        assert_eq!(stored.order.status, status, "{way:?}");
        for left in [PATIENCE, Duration::ZERO] {
            match next(&stored, left) {
                Want::Nothing => assert!(!status.needs_driver(), "{status:?} is left alone"),
                Want::Step(event) => {
                    assert!(stored.after(event, Evidence::None, context(start())).is_some(), "{event:?}");
                }
                Want::Ask(action) => {
                    asked_in.push(status);
                    fits(&stored, &action, &priced);
                }
            }
        }
    }
    asked_in.dedup();
    assert_eq!(asked_in, [State::Pending, State::Aborting, State::Cancelling]);
}

/// Each answer to `action` means a step that can be taken, or none.
fn fits(stored: &StoredOrder, action: &Action, priced: &[PricedLine]) {
    let status = stored.order.status;
    for answer in answers(stored.order.id, priced) {
        match meaning(status, action, answer.clone()) {
            Meaning::Step(event, evidence) => {
                let after = stored.after(event, evidence, context(start()));
                let to = after.map(|after| after.order.status);
                let case = format!("{status:?} goes to {to:?} by {event:?} after {action:?}: {answer:?}");
                let binds = match &answer {
                    Answer::Stands(Reservation { state, .. }) | Answer::Illegal(state) => state.holds_stock(),
                    _ => false,
                };
                match to {
                    Some(State::Confirmed) => assert!(binds, "{case}"),
                    Some(State::Aborting) => {}
                    Some(State::Rejected | State::Expired | State::Aborted | State::Cancelled) => {
                        assert!(!binds, "nothing proves that nothing is held: {case}");
                    }
                    _ => panic!("{case}"),
                }
            }
            Meaning::FetchPrices => {
                assert_eq!(*action, Action::Cancel, "prices are fetched once");
                fits(stored, &reserve(stored, Duration::ZERO), priced);
            }
            Meaning::Undecided => {
                assert_eq!(answer, Answer::Late);
                assert_eq!(status, State::Pending, "only while pending can it be asked again");
            }
            Meaning::Contradiction => {}
        }
    }
}
