//! The reservation protocol as a graph of states: two orders compete for one unit, one is restocked.
//!
//! Whatever was sent once may arrive never, once, often, late and in any order, since what was sent
//! is only ever added to. Both services may crash anywhere: each step reads nothing but durable
//! state and answers given so far. The order service's crash is a happening of its own: the driver after it knows
//! no answer of the one before, whose calls may still arrive, and counts its deadline anew.
//!
//! Clocks differ without bound, and jump: a deadline passes, a lease ends, and a reserve comes too late by the
//! product service's count at any moment, each without regard to the others.
//!
//! Reservations and orders change state through the tables of the services themselves.

use ordersys_contract::order::OrderState as Order;
use ordersys_contract::reservation::ReservationState as Reservation;
use ordersys_order::domain::lifecycle::Event;
use ordersys_product::domain::stock::Place;
use ordersys_product::domain::transition::{self, Event as Change, Step};
use stateright::{Model, Property};

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
}

/// All that is durable or under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) available: i8,
    pub(crate) restocked: bool,
    pub(crate) crashed: bool,
    pub(crate) purchases: [Purchase; 2],
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    Restock,
    /// The order service dies and comes back.
    Crash,
    To(usize, Deed),
}

/// One thing that happens to a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The order service stores a new order.
    Accept,
    /// The order service sends a call for the first time.
    Send(Call),
    /// An answer reaches the order service.
    Learn(Answer),
    /// The order's deadline passes by the driver's count.
    Deadline,
    /// The driver gives the order up.
    GiveUp,
    /// The buyer cancels.
    BuyerCancels,
    /// A call reaches the product service, for the first time or again.
    Deliver(Asker, Call),
    /// A reserve reaches the product service and is too late by its count.
    FindLate,
    /// The lease of a hold ends.
    LeaseEnd,
    /// The product service forgets the reservation.
    Forget,
}

impl Protocol {
    /// What the order service does about `call` in this state: it repeats what may be unanswered.
    fn sends(self, call: Call, purchase: Purchase) -> bool {
        let held = purchase.knows(Answer::Is(Reservation::Held));
        match call {
            Call::Reserve => purchase.order == Some(Order::Pending) && !purchase.deadline_passed,
            Call::Confirm if self.without == Some(Rule::ProductDecides) => {
                purchase.order == Some(Order::Confirmed)
            }
            Call::Confirm => held && purchase.order == Some(Order::Pending),
            Call::Cancel => purchase.order == Some(Order::Aborting),
            Call::Release => purchase.order == Some(Order::Cancelling),
        }
    }

    fn learn(self, purchase: Purchase, answer: Answer) -> Option<Purchase> {
        if !purchase.knows(answer) {
            return None;
        }
        if answer == Answer::Late && self.without == Some(Rule::LateProvesNothing) {
            return purchase.order_after(Event::TooLate);
        }
        let held = answer == Answer::Is(Reservation::Held);
        if held && self.without == Some(Rule::ProductDecides) && purchase.order == Some(Order::Pending) {
            return purchase.order_after(Event::Committed);
        }
        answer.proves().iter().find_map(|event| purchase.order_after(*event))
    }

    fn give_up(self, purchase: Purchase) -> Option<Purchase> {
        if !purchase.deadline_passed {
            return None;
        }
        if self.without == Some(Rule::ProofBeforeEnd) && purchase.order == Some(Order::Pending) {
            return Some(Purchase { order: Some(Order::Aborted), ..purchase });
        }
        purchase.order_after(Event::GiveUp)
    }

    /// The product service's transaction for `call`.
    fn deliver(self, purchase: Purchase, asker: Asker, call: Call, available: i8) -> Option<Purchase> {
        let asked = match asker {
            Asker::Before => purchase.asked_before,
            Asker::Now => purchase.asked,
        };
        if !asked.has(call as u8) {
            return None;
        }
        let from = purchase.reservation;
        let event = match call {
            Call::Reserve if available < 1 => Change::Short,
            Call::Reserve if self.taking == Taking::AtOnce => Change::HoldAndCommit,
            Call::Reserve => Change::Hold,
            Call::Confirm => Change::Confirm,
            Call::Cancel => Change::Cancel,
            Call::Release => Change::Release,
        };
        match transition::step(from, event) {
            Step::To(to) if self.forgets_at_once(from, to) => {
                Some(purchase.answering(asker, from, Answer::Is(to)))
            }
            Step::To(to) => Some(purchase.answering(asker, Some(to), Answer::Is(to))),
            Step::Stay | Step::Refuse => Some(purchase.answering(asker, from, Answer::Is(from?))),
            Step::Missing => None,
        }
    }

    fn forgets_at_once(self, from: Option<Reservation>, to: Reservation) -> bool {
        let unrecorded = match self.without {
            Some(Rule::Tombstone) => Some(Reservation::Cancelled),
            Some(Rule::StickyRejection) => Some(Reservation::Rejected),
            Some(Rule::ProductDecides | Rule::ProofBeforeEnd | Rule::LateProvesNothing) | None => None,
        };
        from.is_none() && unrecorded == Some(to)
    }

    fn forget(self, purchase: Purchase) -> Option<Purchase> {
        let settled = [Reservation::Rejected, Reservation::Cancelled, Reservation::Expired];
        let may = match self.forgetting {
            Forgetting::Never => false,
            Forgetting::Freely => true,
        };
        let may = may && purchase.reservation.is_some_and(|state| settled.contains(&state));
        may.then_some(Purchase { reservation: None, ..purchase })
    }

    fn after(self, purchase: Purchase, deed: Deed, available: i8) -> Option<Purchase> {
        match deed {
            Deed::Accept if purchase.order.is_none() => {
                Some(Purchase { order: Some(Order::Pending), ..purchase })
            }
            Deed::Send(call) if self.sends(call, purchase) => {
                Some(Purchase { asked: purchase.asked.with(call as u8), ..purchase })
            }
            Deed::Accept | Deed::Send(_) => None,
            Deed::Learn(answer) => self.learn(purchase, answer),
            Deed::Deadline => {
                let waits = purchase.order == Some(Order::Pending);
                waits.then_some(Purchase { deadline_passed: true, ..purchase })
            }
            Deed::GiveUp => self.give_up(purchase),
            Deed::BuyerCancels => purchase.order_after(Event::Cancel),
            Deed::Deliver(asker, call) => self.deliver(purchase, asker, call, available),
            Deed::FindLate => {
                let finds = purchase.asked.has(Call::Reserve as u8) && purchase.reservation.is_none();
                finds.then(|| purchase.answering(Asker::Now, None, Answer::Late))
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
        vec![State { available: 1, restocked: false, crashed: false, purchases: [Purchase::NEW; 2] }]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Happening>) {
        use Deed::{
            Accept, BuyerCancels, Deadline, Deliver, FindLate, Forget, GiveUp, Learn, LeaseEnd, Send,
        };
        actions.extend([Happening::Restock, Happening::Crash]);
        for who in 0..2 {
            let alone = [Accept, Deadline, GiveUp, BuyerCancels, FindLate, LeaseEnd, Forget].into_iter();
            let calls = Call::ALL.into_iter();
            let calls =
                calls.flat_map(|call| [Send(call), Deliver(Asker::Before, call), Deliver(Asker::Now, call)]);
            let deeds = alone.chain(calls).chain(Answer::all().map(Learn));
            actions.extend(deeds.map(|deed| Happening::To(who, deed)));
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
