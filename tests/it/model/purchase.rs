//! One purchase of the protocol's model: an order, its reservation, and what the services told each other.

use ordersys_contract::order::OrderState as Order;
use ordersys_contract::reservation::ReservationState as Reservation;
use ordersys_order::domain::lifecycle::{self, Event};

/// One order with its reservation and everything the services ever told each other about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Purchase {
    pub(crate) order: Option<Order>,
    pub(crate) reservation: Option<Reservation>,
    pub(crate) asked: Set,
    pub(crate) answered: Set,
    pub(crate) not_after_passed: bool,
}

/// A set of up to eight things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Set(u8);

impl Set {
    pub(crate) fn with(self, number: u8) -> Self {
        Self(self.0 | 1 << number)
    }

    pub(crate) fn has(self, number: u8) -> bool {
        self.0 & 1 << number != 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Reserve,
    Confirm,
    Cancel,
    Release,
}

impl Call {
    pub(crate) const ALL: [Self; 4] = [Self::Reserve, Self::Confirm, Self::Cancel, Self::Release];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Is(Reservation),
    Gone,
}

impl Answer {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Reservation::ALL.into_iter().map(Self::Is).chain([Self::Gone])
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Is(state) => state as u8,
            Self::Gone => 7,
        }
    }

    /// What an order may conclude; its own state decides which of it applies.
    pub(crate) fn proves(self) -> &'static [Event] {
        match self {
            Self::Is(Reservation::Held) => &[],
            Self::Is(Reservation::Committed) => &[Event::Committed],
            Self::Is(Reservation::Rejected) => &[Event::Refused, Event::NothingHeld],
            Self::Is(Reservation::Expired) | Self::Gone => &[Event::TooLate, Event::NothingHeld],
            Self::Is(Reservation::Cancelled) => &[Event::NothingHeld],
            Self::Is(Reservation::Released) => &[Event::Released],
        }
    }
}

impl Purchase {
    pub(crate) const NEW: Self =
        Self { order: None, reservation: None, asked: Set(0), answered: Set(0), not_after_passed: false };

    pub(crate) fn knows(self, answer: Answer) -> bool {
        self.answered.has(answer.number())
    }

    /// The order after an event, if its table allows that.
    pub(crate) fn order_after(self, event: Event) -> Option<Self> {
        Some(Self { order: Some(lifecycle::step(self.order?, event)?), ..self })
    }

    /// After the product service stored `reservation`, if it did, and answered.
    pub(crate) fn answering(self, reservation: Option<Reservation>, answer: Answer) -> Self {
        Self { reservation, answered: self.answered.with(answer.number()), ..self }
    }
}
