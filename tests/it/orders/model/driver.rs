//! The drivers of an order, one in each replica of the order service: what each last read or wrote of the order, what
//! it asked and was answered, and the steps it takes. None of what it knows is durable.

use ordersys_contract::order::OrderState as Order;
use ordersys_contract::reservation::ReservationState as Reservation;
use ordersys_order::domain::lifecycle::{self, Event};

use super::protocol::{Commits, Driving, Protocol, Rule};
use super::purchase::{Answer, Call, Purchase, Set};

/// A replica's driver of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Driver {
    /// The order as it last read or wrote it: the version that its next step replaces.
    pub(crate) view: Option<Order>,
    /// What it asked.
    pub(crate) asked: Set,
    /// What it was answered.
    pub(crate) answered: Set,
    /// Whether the deadline has passed by its count.
    pub(crate) deadline_passed: bool,
    /// The step whose outcome it does not know: until that ran again, the driver does nothing else.
    pub(crate) unsure: Option<Unsure>,
}

/// A step that was run, and whether it was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Unsure {
    step: Taken,
    committed: bool,
}

/// A step: who takes it, and where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Taken {
    /// The driver, from the version it knows.
    ByDriver(Order),
    /// The buyer, from whatever version is stored.
    ByBuyer(Order),
}

/// What a driver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// It sends a call for the first time.
    Send(Call),
    /// It takes a step.
    Step(Cause, Told),
    /// It runs a step again whose outcome it does not know.
    Again,
    /// The order's deadline passes by its count.
    Deadline,
    /// It reads the order as it is stored, and drives it on from there.
    Read,
}

/// Why a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// An answer reached the driver.
    Answer(Answer),
    /// The driver gives the order up.
    GivenUp,
    /// The buyer cancels.
    Buyer,
}

/// Whether a driver is told that its step was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Yes,
    No,
}

impl Driver {
    pub(crate) const NEW: Self =
        Self { view: None, asked: Set::EMPTY, answered: Set::EMPTY, deadline_passed: false, unsure: None };

    fn knows(self, answer: Answer) -> bool {
        self.answered.has(answer.number())
    }

    /// After it learned that the order is this.
    fn seeing(self, order: Option<Order>) -> Self {
        Self { view: order, unsure: None, ..self }
    }

    /// The order after an event, as far as the driver knows it, if the table of orders allows that.
    fn after(self, event: Event) -> Option<Order> {
        lifecycle::step(self.view?, event)
    }
}

impl Protocol {
    /// All that a driver may ever do.
    pub(super) fn acts(self) -> Vec<Act> {
        let (told, more): (&[Told], &[Act]) = match (self.commits, self.driving) {
            (Commits::Known, Driving::Alone) => (&[Told::Yes], &[]),
            (Commits::Known, Driving::ByTwo) => (&[Told::Yes], &[Act::Read]),
            (Commits::Lost, Driving::Alone) => (&[Told::Yes, Told::No], &[Act::Again]),
            (Commits::Lost, Driving::ByTwo) => (&[Told::Yes, Told::No], &[Act::Again, Act::Read]),
        };
        let causes = Answer::all().map(Cause::Answer).chain([Cause::GivenUp, Cause::Buyer]);
        let steps = causes.flat_map(|cause| told.iter().map(move |told| Act::Step(cause, *told)));
        let calls = Call::ALL.into_iter().map(Act::Send);
        calls.chain(steps).chain([Act::Deadline]).chain(more.iter().copied()).collect()
    }

    /// A purchase after one of its drivers did something.
    pub(super) fn drive(self, purchase: Purchase, who: usize, act: Act) -> Option<Purchase> {
        let driver = purchase.drivers[who];
        if driver.unsure.is_some() && act != Act::Again {
            return None;
        }
        match act {
            Act::Send(call) if self.sends(call, driver) => {
                Some(purchase.with(who, Driver { asked: driver.asked.with(call as u8), ..driver }))
            }
            Act::Send(_) => None,
            Act::Step(cause, told) => {
                let step = self.step(purchase, driver, cause)?;
                Some(self.write(purchase, who, step, told))
            }
            Act::Again => Some(self.again(purchase, who, driver.unsure?)),
            Act::Deadline => {
                let waits = driver.view == Some(Order::Pending);
                waits.then(|| purchase.with(who, Driver { deadline_passed: true, ..driver }))
            }
            Act::Read => purchase.order.map(|order| purchase.with(who, driver.seeing(Some(order)))),
        }
    }

    /// What a driver does about `call`: it repeats what may be unanswered.
    fn sends(self, call: Call, driver: Driver) -> bool {
        let held = driver.knows(Answer::Is(Reservation::Held));
        match call {
            Call::Reserve => driver.view == Some(Order::Pending) && !driver.deadline_passed,
            Call::Confirm if self.without == Some(Rule::ProductDecides) => {
                driver.view == Some(Order::Confirmed)
            }
            Call::Confirm => held && driver.view == Some(Order::Pending),
            Call::Cancel => driver.view == Some(Order::Aborting),
            Call::Release => driver.view == Some(Order::Cancelling),
        }
    }

    fn step(self, purchase: Purchase, driver: Driver, cause: Cause) -> Option<Taken> {
        match cause {
            Cause::Answer(answer) => self.learn(driver, answer).map(Taken::ByDriver),
            Cause::GivenUp => self.give_up(driver).map(Taken::ByDriver),
            Cause::Buyer => lifecycle::step(purchase.order?, Event::Cancel).map(Taken::ByBuyer),
        }
    }

    fn learn(self, driver: Driver, answer: Answer) -> Option<Order> {
        if !driver.knows(answer) {
            return None;
        }
        if answer == Answer::Late && self.without == Some(Rule::LateProvesNothing) {
            return driver.after(Event::TooLate);
        }
        let held = answer == Answer::Is(Reservation::Held);
        if held && self.without == Some(Rule::ProductDecides) && driver.view == Some(Order::Pending) {
            return driver.after(Event::Committed);
        }
        answer.proves().iter().find_map(|event| driver.after(*event))
    }

    fn give_up(self, driver: Driver) -> Option<Order> {
        if !driver.deadline_passed {
            return None;
        }
        if self.without == Some(Rule::ProofBeforeEnd) && driver.view == Some(Order::Pending) {
            return Some(Order::Aborted);
        }
        driver.after(Event::GiveUp)
    }

    /// A step is run. A driver whose step does not fit goes on from what is stored.
    fn write(self, purchase: Purchase, who: usize, step: Taken, told: Told) -> Purchase {
        let (driver, written) = (purchase.drivers[who], self.written(purchase, who, step));
        let order = written.or(purchase.order);
        let driver = match told {
            Told::Yes => driver.seeing(order),
            Told::No => Driver { unsure: Some(Unsure { step, committed: written.is_some() }), ..driver },
        };
        Purchase { order, ..purchase }.with(who, driver)
    }

    /// A step is run again.
    fn again(self, purchase: Purchase, who: usize, Unsure { step, committed }: Unsure) -> Purchase {
        let driver = purchase.drivers[who];
        let is_known = committed && self.without != Some(Rule::OwnStepIsKnown);
        match step {
            Taken::ByBuyer(_) if is_known => purchase.with(who, driver.seeing(purchase.order)),
            // The order is cancelled already: another one drives it, for all that is known.
            Taken::ByBuyer(_) => purchase.with(who, driver.seeing(driver.view)),
            Taken::ByDriver(to) => {
                let written = self.written(purchase, who, step);
                let known = is_known.then_some(to);
                let order = written.or(purchase.order);
                Purchase { order, ..purchase }.with(who, driver.seeing(written.or(known).or(order)))
            }
        }
    }

    /// What a step stores, if it fits what is stored.
    fn written(self, purchase: Purchase, who: usize, step: Taken) -> Option<Order> {
        let is_current = purchase.drivers[who].view == purchase.order;
        match step {
            Taken::ByBuyer(to) => Some(to),
            Taken::ByDriver(to) => (is_current || self.without == Some(Rule::VersionDecides)).then_some(to),
        }
    }
}
