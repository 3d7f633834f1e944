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
