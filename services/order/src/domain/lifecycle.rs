//! The states of an order and every way between them.

use ordersys_contract::order::OrderState as State;

/// What may happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The product service sold the stock.
    Committed,
    /// The product service refused for good.
    Refused,
    /// It was too late to take stock, and nothing was taken.
    TooLate,
    /// The deadline passed.
    GiveUp,
    /// The product service answered that nothing is held.
    NothingHeld,
    /// The buyer or the admin wants it undone.
    Cancel,
    /// The product service took the stock back.
    Released,
    /// Payment arrived.
    Pay,
    /// It left.
    Ship,
    /// It arrived.
    Deliver,
}

impl Event {
    /// Every event there is.
    pub const ALL: [Self; 10] = [
        Self::Committed,
        Self::Refused,
        Self::TooLate,
        Self::GiveUp,
        Self::NothingHeld,
        Self::Cancel,
        Self::Released,
        Self::Pay,
        Self::Ship,
        Self::Deliver,
    ];
}

/// The state that `event` leads to, from whichever state allows it.
#[must_use]
pub fn reached(event: Event) -> State {
    match event {
        Event::Committed => State::Confirmed,
        Event::Refused => State::Rejected,
        Event::TooLate => State::Expired,
        Event::GiveUp => State::Aborting,
        Event::NothingHeld => State::Aborted,
        Event::Cancel => State::Cancelling,
        Event::Released => State::Cancelled,
        Event::Pay => State::Paid,
        Event::Ship => State::Shipped,
        Event::Deliver => State::Delivered,
    }
}

/// The state after `event`, or `None` if the order does not allow it.
///
/// A failed final state is only reached through an answer of the product service that proves
/// that nothing is held.
#[must_use]
pub fn step(from: State, event: Event) -> Option<State> {
    match from {
        State::Pending => match event {
            Event::Committed => Some(State::Confirmed),
            Event::Refused => Some(State::Rejected),
            Event::TooLate => Some(State::Expired),
            Event::GiveUp => Some(State::Aborting),
            Event::NothingHeld
            | Event::Cancel
            | Event::Released
            | Event::Pay
            | Event::Ship
            | Event::Deliver => None,
        },
        State::Aborting => match event {
            Event::Committed => Some(State::Confirmed),
            Event::NothingHeld => Some(State::Aborted),
            Event::Refused
            | Event::TooLate
            | Event::GiveUp
            | Event::Cancel
            | Event::Released
            | Event::Pay
            | Event::Ship
            | Event::Deliver => None,
        },
        State::Confirmed => match event {
            Event::Pay => Some(State::Paid),
            Event::Cancel => Some(State::Cancelling),
            Event::Committed
            | Event::Refused
            | Event::TooLate
            | Event::GiveUp
            | Event::NothingHeld
            | Event::Released
            | Event::Ship
            | Event::Deliver => None,
        },
        State::Paid => match event {
            Event::Ship => Some(State::Shipped),
            Event::Cancel => Some(State::Cancelling),
            Event::Committed
            | Event::Refused
            | Event::TooLate
            | Event::GiveUp
            | Event::NothingHeld
            | Event::Released
            | Event::Pay
            | Event::Deliver => None,
        },
        State::Shipped => (event == Event::Deliver).then_some(State::Delivered),
        State::Cancelling => (event == Event::Released).then_some(State::Cancelled),
        State::Delivered | State::Rejected | State::Expired | State::Aborted | State::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_graph_and_nothing_else() {
        let graph: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|from| Event::ALL.into_iter().filter_map(move |event| Some((from, step(from, event)?))))
            .map(|(from, to)| format!("{} -> {}", from.as_str(), to.as_str()))
            .collect();
        let published = [
            "pending -> confirmed",
            "pending -> rejected",
            "pending -> expired",
            "pending -> aborting",
            "confirmed -> cancelling",
            "confirmed -> paid",
            "paid -> cancelling",
            "paid -> shipped",
            "shipped -> delivered",
            "aborting -> confirmed",
            "aborting -> aborted",
            "cancelling -> cancelled",
        ];
        assert_eq!(graph, published);
        for (from, event) in State::ALL.into_iter().flat_map(|from| Event::ALL.map(|event| (from, event))) {
            assert!(step(from, event).is_none_or(|to| to == reached(event)), "{event:?} of {from:?}");
        }
    }
}
