//! The reservation protocol as a graph of states: two orders compete for one unit, one is restocked.
//!
//! Whatever was sent once may arrive never, once, often, late and in any order, since what was sent
//! is only ever added to. Both services may crash anywhere: each step reads nothing but durable
//! state and answers given so far. The order service's crash is a happening of its own: the driver after it knows
//! no answer of the one before, whose calls may still arrive, and counts its deadline anew.
//!
//! With replicas, two drivers have an order at the same time. Each goes by what it last read of it, which may be long
//! out of date, and is answered on its own. Either may stop for ever at any moment: nothing has to happen. The other
//! order is a rival then that takes a unit and gives it back as it likes.
//!
//! Where commits are lost, a step may be committed without its driver being told. It runs the step again then, and
//! not before others had their time.
//!
//! Clocks differ without bound, and jump: a deadline passes, a lease ends, and a reserve comes too late by the
//! product service's count at any moment, each without regard to the others.
//!
//! Reservations and orders change state through the tables of the services themselves.

use ordersys_contract::order::OrderState as Order;
use ordersys_contract::reservation::ReservationState as Reservation;
use ordersys_product::domain::stock::Place;
use ordersys_product::domain::transition::{self, Event as Change, Step};
use stateright::{Model, Property};

use super::driver::{Act, Driver};
use super::purchase::{Answer, Asker, Call, Purchase};

/// The protocol, and what is left out of it to see that it is needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Protocol {
    /// How stock is taken.
    pub(crate) taking: Taking,
    /// When a settled reservation that binds nothing is forgotten.
    pub(crate) forgetting: Forgetting,
    /// Whether the order service may die and come back.
    pub(crate) crashing: Crashing,
    /// How many replicas of the order service drive an order.
    pub(crate) driving: Driving,
    /// Whether the outcome of each commit is known.
    pub(crate) commits: Commits,
    /// Which rule does not hold.
    pub(crate) without: Option<Rule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taking {
    HoldThenConfirm,
    AtOnce,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crashing {
    Never,
    Once,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driving {
    Alone,
    /// Another one takes the order over at any moment, whether or not the first one is gone.
    ByTwo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    Known,
    /// The answer to a commit gets lost at any moment, and what was committed is run again.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forgetting {
    Never,
    /// At any moment.
    Freely,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Cancelling an unknown id records it.
    Tombstone,
    /// A refused id stays refused.
    StickyRejection,
    /// An order is confirmed by COMMITTED, not by HELD.
    ProductDecides,
    /// A given-up order ends when nothing is proven to be held.
    ProofBeforeEnd,
    /// That one reserve came too late proves nothing about the others.
    LateProvesNothing,
    /// A step replaces the version that its driver knows, and no other.
    VersionDecides,
    /// A step that is run again finds that it was taken.
    OwnStepIsKnown,
    /// A restock that is run again adds nothing.
    RestockOnce,
}

/// All that is durable or under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) available: i8,
    pub(crate) restocked: bool,
    pub(crate) crashed: bool,
    /// Whether a rival has a unit.
    pub(crate) rival: bool,
    pub(crate) purchases: [Purchase; 2],
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    Restock,
    /// The restock is run again: its commit was not known.
    RestockAgain,
    /// The order service dies and comes back.
    Crash,
    /// A rival takes a unit, or gives it back.
    Rival,
    To(usize, Deed),
}

/// One thing that happens to a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The order service stores a new order.
    Accept,
    /// A driver of the order does something.
    Drive(usize, Act),
    /// A call reaches the product service, for the first time or again.
    Deliver(Asker, Call),
    /// A driver's reserve reaches the product service and is too late by its count.
    FindLate(usize),
    /// The lease of a hold ends.
    LeaseEnd,
    /// The product service forgets the reservation.
    Forget,
}

impl Protocol {
    /// How many orders there are.
    fn purchases(self) -> usize {
        match self.driving {
            Driving::Alone => 2,
            Driving::ByTwo => 1,
        }
    }

    /// How many drivers each may have.
    fn drivers(self) -> usize {
        match self.driving {
            Driving::Alone => 1,
            Driving::ByTwo => 2,
        }
    }

    fn after(self, purchase: Purchase, deed: Deed, available: i8) -> Option<Purchase> {
        match deed {
            Deed::Accept => {
                let is_new = purchase.order.is_none();
                let driver = Driver { view: Some(Order::Pending), ..purchase.drivers[0] };
                is_new.then(|| Purchase { order: driver.view, ..purchase }.with(0, driver))
            }
            Deed::Drive(who, act) => self.drive(purchase, who, act),
            Deed::Deliver(asker, call) => self.deliver(purchase, asker, call, available),
            Deed::FindLate(who) => {
                // It proves nothing: where there are many states it is looked at only if it does.
                let matters = self.driving == Driving::Alone || self.without == Some(Rule::LateProvesNothing);
                let asked = matters && purchase.drivers[who].asked.has(Call::Reserve as u8);
                let finds = asked && purchase.reservation.is_none();
                finds.then(|| purchase.answering(Asker::Now(who), None, Answer::Late))
            }
            Deed::LeaseEnd => match transition::step(purchase.reservation, Change::LeaseEnd) {
                Step::To(to) => Some(Purchase { reservation: Some(to), ..purchase }),
                Step::Stay | Step::Refuse | Step::Missing => None,
            },
            Deed::Forget => self.forget(purchase),
        }
    }
}

/// Units of the one there is that left the shelf for a reservation in this state.
fn off_shelf(reservation: Option<Reservation>) -> i8 {
    i8::from(Place::of(reservation) != Place::Available)
}

impl Model for Protocol {
    type State = State;
    type Action = Happening;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            available: 1,
            restocked: false,
            crashed: false,
            rival: false,
            purchases: [Purchase::NEW; 2],
        }]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Happening>) {
        actions.extend([Happening::Restock, Happening::RestockAgain, Happening::Crash, Happening::Rival]);
        let acts = self.acts();
        for purchase in 0..self.purchases() {
            let mut deeds = vec![Deed::Accept, Deed::LeaseEnd, Deed::Forget];
            for who in 0..self.drivers() {
                deeds.extend(acts.iter().map(|act| Deed::Drive(who, *act)));
                deeds.extend(Call::ALL.map(|call| Deed::Deliver(Asker::Now(who), call)));
                deeds.push(Deed::FindLate(who));
            }
            if self.crashing == Crashing::Once {
                deeds.extend(Call::ALL.map(|call| Deed::Deliver(Asker::Before, call)));
            }
            actions.extend(deeds.into_iter().map(|deed| Happening::To(purchase, deed)));
        }
    }

    fn next_state(&self, last: &State, happening: Happening) -> Option<State> {
        let mut next = *last;
        match happening {
            Happening::Restock if last.restocked => return None,
            Happening::Restock => {
                next.restocked = true;
                next.available += 1;
            }
            Happening::RestockAgain => {
                let once = self.without != Some(Rule::RestockOnce);
                if once || !last.restocked || self.commits == Commits::Known {
                    return None;
                }
                next.available += 1;
            }
            Happening::Rival if self.driving == Driving::Alone || !last.rival && last.available < 1 => {
                return None;
            }
            Happening::Rival => {
                next.rival = !last.rival;
                next.available += i8::from(last.rival) - i8::from(next.rival);
            }
            Happening::Crash if last.crashed || self.crashing == Crashing::Never => return None,
            Happening::Crash => {
                next.crashed = true;
                next.purchases = last.purchases.map(Purchase::recovered);
            }
            Happening::To(who, deed) => {
                let before = last.purchases[who];
                let after = self.after(before, deed, last.available)?;
                next.available += off_shelf(before.reservation) - off_shelf(after.reservation);
                next.purchases[who] = after;
            }
        }
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        super::properties()
    }
}
