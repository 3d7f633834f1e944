//! One purchase of the protocol's model: an order, its reservation, and what the services told each other.

use ordersys_contract::order::OrderState as Order;
use ordersys_contract::reservation::ReservationState as Reservation;
use ordersys_order::domain::lifecycle::Event;

use super::driver::Driver;

/// One order with its reservation and everything the services ever told each other about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Purchase {
    pub(crate) order: Option<Order>,
    pub(crate) reservation: Option<Reservation>,
    /// What the driver before a crash asked: it may still arrive, and is answered to no one.
    pub(crate) asked_before: Set,
    /// Its drivers, one in each replica of the order service.
    pub(crate) drivers: [Driver; 2],
}

/// A set of up to eight things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Set(u8);

impl Set {
    pub(crate) const EMPTY: Self = Self(0);

    pub(crate) fn with(self, number: u8) -> Self {
        Self(self.0 | 1 << number)
    }

    pub(crate) fn has(self, number: u8) -> bool {
        self.0 & 1 << number != 0
    }
}

/// Which driver asked: the one before the crash, or one there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Before,
    Now(usize),
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
    /// A reserve came too late by the product service's count, whatever the driver's says.
    Late,
}

impl Answer {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Reservation::ALL.into_iter().map(Self::Is).chain([Self::Late])
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Is(state) => state as u8,
            Self::Late => 7,
        }
    }

    /// What an order may conclude; its own state decides which of it applies.
    pub(crate) fn proves(self) -> &'static [Event] {
        match self {
            Self::Is(Reservation::Held) | Self::Late => &[],
            Self::Is(Reservation::Committed) => &[Event::Committed],
            Self::Is(Reservation::Rejected) => &[Event::Refused, Event::NothingHeld],
            Self::Is(Reservation::Expired) => &[Event::TooLate, Event::NothingHeld],
            Self::Is(Reservation::Cancelled) => &[Event::NothingHeld],
            Self::Is(Reservation::Released) => &[Event::Released],
        }
    }
}

impl Purchase {
    pub(crate) const NEW: Self =
        Self { order: None, reservation: None, asked_before: Set::EMPTY, drivers: [Driver::NEW; 2] };

    /// After the order service came back from a crash: what is durable, and what is under way.
    pub(crate) fn recovered(self) -> Self {
        let driver = Driver { view: self.order, ..Driver::NEW };
        Self { asked_before: self.drivers[0].asked, ..self }.with(0, driver)
    }

    pub(crate) fn with(mut self, who: usize, driver: Driver) -> Self {
        self.drivers[who] = driver;
        self
    }

    /// After the product service stored `reservation`, if it did, and answered the driver, if it is still there.
    pub(crate) fn answering(self, asker: Asker, reservation: Option<Reservation>, answer: Answer) -> Self {
        let told = Self { reservation, ..self };
        let Asker::Now(who) = asker else { return told };
        let driver = self.drivers[who];
        told.with(who, Driver { answered: driver.answered.with(answer.number()), ..driver })
    }
}
