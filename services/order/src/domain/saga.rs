//! What to do next to bring an order to its outcome, and what an answer means for it.

use std::time::Duration;

use ordersys_contract::order::OrderState;
use ordersys_contract::reservation::{Action, Answer, Reservation, ReservationState};

use super::lifecycle::Event;
use super::order::{Evidence, Reason, StoredOrder};

/// How long an order may stay pending before it is given up: by the count of the instance that stored it, or
/// that recovered it after a restart. No clock that can be set has a say.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// Ask the product service for this.
    Ask(Action),
    /// Take a step of its own.
    Step(Event),
    /// Nothing: the outcome is known.
    Nothing,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The order takes this step.
    Step(Event, Evidence),
    /// The stock is sold after all: fetch the prices by asking to reserve once more.
    FetchPrices,
    /// Nothing: it came too late to be done. Ask again, or give up once the deadline has passed.
    Undecided,
    /// The answer fits no state either service can be in: keep asking, and tell a person.
    Contradiction,
}

/// What to do next with an order of whose deadline so much is left.
#[must_use]
pub fn next(stored: &StoredOrder, left: Duration) -> Want {
    match stored.order.status {
        OrderState::Pending if !left.is_zero() => Want::Ask(reserve(stored, left)),
        OrderState::Pending => Want::Step(Event::GiveUp),
        OrderState::Aborting => Want::Ask(Action::Cancel),
        OrderState::Cancelling => Want::Ask(Action::Release),
        OrderState::Confirmed
        | OrderState::Paid
        | OrderState::Shipped
        | OrderState::Delivered
        | OrderState::Rejected
        | OrderState::Expired
        | OrderState::Aborted
        | OrderState::Cancelled => Want::Nothing,
    }
}

/// The reserve call of an order, with the time that is left for it. With none left it finds out what is
/// stored, and takes nothing.
#[must_use]
pub fn reserve(stored: &StoredOrder, left: Duration) -> Action {
    Action::Reserve {
        lines: stored.lines(),
        commit: true,
        lease_ms: 0,
        time_left_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
    }
}

/// What the answer to `asked` means for an order in state `status`.
#[must_use]
pub fn meaning(status: OrderState, asked: &Action, answer: Answer) -> Meaning {
    match asked {
        Action::Reserve { .. } => of_reserve(status, answer),
        Action::Cancel => of_cancel(answer),
        Action::Release => of_release(&answer),
        Action::Confirm => Meaning::Contradiction,
    }
}

fn of_reserve(status: OrderState, answer: Answer) -> Meaning {
    let refused = |reason| Meaning::Step(Event::Refused, Evidence::Reason(reason));
    match answer {
        Answer::Stands(Reservation { state: ReservationState::Committed, lines, .. }) => {
            Meaning::Step(Event::Committed, Evidence::Priced(lines))
        }
        // Only the search for prices asks again while aborting, and only after COMMITTED.
        _ if status == OrderState::Aborting => Meaning::Contradiction,
        Answer::Stands(Reservation { state, shortages, .. }) => match state {
            ReservationState::Rejected => refused(Reason::Shortages(shortages)),
            ReservationState::Expired => Meaning::Step(Event::TooLate, Evidence::None),
            // Another caller decided on this id. Giving up asks for proof before it ends.
            ReservationState::Held
            | ReservationState::Cancelled
            | ReservationState::Released
            | ReservationState::Committed => Meaning::Step(Event::GiveUp, Evidence::None),
        },
        Answer::Late => Meaning::Undecided,
        // Ids of products are made by the product service and never reused: unknown stays unknown.
        Answer::UnknownProducts(unknown) => refused(Reason::UnknownProducts(unknown)),
        // A product's currency never changes: mixed stays mixed.
        Answer::MixedCurrencies => refused(Reason::MixedCurrencies),
        Answer::Mismatch | Answer::Illegal(_) | Answer::NotFound => Meaning::Contradiction,
    }
}

fn of_cancel(answer: Answer) -> Meaning {
    match answer {
        Answer::Stands(reservation) if !reservation.state.holds_stock() => {
            Meaning::Step(Event::NothingHeld, Evidence::None)
        }
        Answer::Illegal(ReservationState::Committed) => Meaning::FetchPrices,
        Answer::Stands(_)
        | Answer::Illegal(_)
        | Answer::Late
        | Answer::UnknownProducts(_)
        | Answer::MixedCurrencies
        | Answer::Mismatch
        | Answer::NotFound => Meaning::Contradiction,
    }
}

fn of_release(answer: &Answer) -> Meaning {
    match answer {
        Answer::Stands(Reservation { state: ReservationState::Released, .. }) => {
            Meaning::Step(Event::Released, Evidence::None)
        }
        Answer::Stands(_)
        | Answer::Illegal(_)
        | Answer::Late
        | Answer::UnknownProducts(_)
        | Answer::MixedCurrencies
        | Answer::Mismatch
        | Answer::NotFound => Meaning::Contradiction,
    }
}

#[cfg(test)]
mod tests {
    use ordersys_contract::reservation::{PricedLine, Shortage};
    use ordersys_contract::user::UserKindName;
    use ordersys_contract::{Currency, Money, OrderId, ProductId, Quantity, RequestId, Timestamp, UserId};

    use super::*;
    use crate::domain::access::Owner;

    fn order_in(status: OrderState) -> StoredOrder {
        let owner = Owner { id: UserId::now(), name: "Ada".to_owned(), kind: UserKindName::Guest };
        let mut stored =
            StoredOrder::pending(owner, Vec::new(), Timestamp::from_millis(0), &RequestId::random());
        stored.order.status = status;
        stored
    }

    #[test]
    fn an_order_asks_while_there_is_time_and_is_given_up_then() {
        let left = Duration::from_millis(7);
        let ask = Action::Reserve { lines: Vec::new(), commit: true, lease_ms: 0, time_left_ms: 7 };
        for (status, in_time, too_late) in [
            (OrderState::Pending, Want::Ask(ask), Want::Step(Event::GiveUp)),
            (OrderState::Aborting, Want::Ask(Action::Cancel), Want::Ask(Action::Cancel)),
            (OrderState::Cancelling, Want::Ask(Action::Release), Want::Ask(Action::Release)),
            (OrderState::Confirmed, Want::Nothing, Want::Nothing),
            (OrderState::Aborted, Want::Nothing, Want::Nothing),
        ] {
            let stored = order_in(status);
            assert_eq!((next(&stored, left), next(&stored, Duration::ZERO)), (in_time, too_late));
        }
    }

    fn line() -> PricedLine {
        PricedLine {
            product_id: ProductId::from_bytes([7; 16]),
            name: "book".to_owned(),
            quantity: Quantity::ONE,
            unit_price: Money::ZERO,
            currency: Currency::USD,
        }
    }

    fn shortage() -> Shortage {
        Shortage { product_id: ProductId::from_bytes([7; 16]), requested: 2, available: 1 }
    }

    fn stands(state: ReservationState) -> Answer {
        let order_id = OrderId::from_bytes([1; 16]);
        Answer::Stands(Reservation { order_id, state, lines: vec![line()], shortages: vec![shortage()] })
    }

    fn step(event: Event) -> Meaning {
        Meaning::Step(event, Evidence::None)
    }

    fn refused(reason: Reason) -> Meaning {
        Meaning::Step(Event::Refused, Evidence::Reason(reason))
    }

    /// Every answer, with what it means after a reserve of a pending order, and after a cancellation.
    fn answers() -> Vec<(Answer, Meaning, Meaning)> {
        use Meaning::{Contradiction, FetchPrices, Undecided};
        use ReservationState as State;
        let sold = Meaning::Step(Event::Committed, Evidence::Priced(vec![line()]));
        let unknown = vec![ProductId::from_bytes([9; 16])];
        vec![
            (stands(State::Committed), sold, Contradiction),
            (stands(State::Held), step(Event::GiveUp), Contradiction),
            (stands(State::Cancelled), step(Event::GiveUp), step(Event::NothingHeld)),
            (stands(State::Released), step(Event::GiveUp), step(Event::NothingHeld)),
            (stands(State::Expired), step(Event::TooLate), step(Event::NothingHeld)),
            (stands(State::Rejected), refused(Reason::Shortages(vec![shortage()])), step(Event::NothingHeld)),
            (Answer::Late, Undecided, Contradiction),
            (
                Answer::UnknownProducts(unknown.clone()),
                refused(Reason::UnknownProducts(unknown)),
                Contradiction,
            ),
            (Answer::MixedCurrencies, refused(Reason::MixedCurrencies), Contradiction),
            (Answer::Mismatch, Contradiction, Contradiction),
            (Answer::NotFound, Contradiction, Contradiction),
            (Answer::Illegal(State::Committed), Contradiction, FetchPrices),
            (Answer::Illegal(State::Held), Contradiction, Contradiction),
        ]
    }

    #[test]
    fn each_answer_means_one_thing() {
        let ask = reserve(&order_in(OrderState::Pending), Duration::ZERO);
        for (answer, reserved, cancelled) in answers() {
            let after = |status, asked| meaning(status, asked, answer.clone());
            assert_eq!(after(OrderState::Pending, &ask), reserved, "{answer:?}");
            let is_sold = answer == stands(ReservationState::Committed);
            let fetched = if is_sold { reserved } else { Meaning::Contradiction };
            assert_eq!(after(OrderState::Aborting, &ask), fetched, "prices are fetched: {answer:?}");
            assert_eq!(after(OrderState::Aborting, &Action::Cancel), cancelled, "{answer:?}");
            let is_released = answer == stands(ReservationState::Released);
            let released = if is_released { step(Event::Released) } else { Meaning::Contradiction };
            assert_eq!(after(OrderState::Cancelling, &Action::Release), released, "{answer:?}");
            assert_eq!(after(OrderState::Pending, &Action::Confirm), Meaning::Contradiction);
        }
    }
}
