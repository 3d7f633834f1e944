//! The states of a reservation and every way between them.

use ordersys_contract::reservation::ReservationState as State;

/// What may happen to a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Stock suffices; it is to be held.
    Hold,
    /// Stock suffices; it is to be sold at once.
    HoldAndCommit,
    /// Stock does not suffice.
    Short,
    /// Sell what is held.
    Confirm,
    /// Give back what is held, or make sure that nothing ever is.
    Cancel,
    /// Take back what was sold.
    Release,
    /// The lease is over.
    LeaseEnd,
}

impl Event {
    /// Every event there is.
    pub const ALL: [Self; 7] = [
        Self::Hold,
        Self::HoldAndCommit,
        Self::Short,
        Self::Confirm,
        Self::Cancel,
        Self::Release,
        Self::LeaseEnd,
    ];
}

/// What an event does to a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// It goes to this state.
    To(State),
    /// It stays as it is, and that is the answer: the event was seen before or is settled.
    Stay,
    /// Its state does not allow the event.
    Refuse,
    /// There is nothing the event could apply to.
    Missing,
}

/// The one table of the protocol. `None` is an order id never seen.
///
/// A known id answers a repeated reserve with its stored state, whatever the stock is by then:
/// rejections are sticky, and a cancelled id (a tombstone) takes nothing.
#[must_use]
#[expect(clippy::match_same_arms, reason = "a table reads by its rows")]
pub fn step(from: Option<State>, event: Event) -> Step {
    use Step::{Missing, Refuse, Stay, To};
    match (from, event) {
        (None, Event::Hold) => To(State::Held),
        (None, Event::HoldAndCommit) => To(State::Committed),
        (None, Event::Short) => To(State::Rejected),
        (None, Event::Cancel) => To(State::Cancelled),
        (None, Event::Confirm | Event::Release | Event::LeaseEnd) => Missing,

        (Some(_), Event::Hold | Event::HoldAndCommit | Event::Short) => Stay,

        (Some(State::Held), Event::Confirm) => To(State::Committed),
        (Some(State::Held), Event::Cancel) => To(State::Cancelled),
        (Some(State::Held), Event::LeaseEnd) => To(State::Expired),
        (Some(State::Held), Event::Release) => Refuse,

        (Some(State::Committed), Event::Release) => To(State::Released),
        (Some(State::Committed), Event::Confirm | Event::LeaseEnd) => Stay,
        (Some(State::Committed), Event::Cancel) => Refuse,

        (Some(State::Released), Event::Release) => Stay,
        (
            Some(State::Rejected | State::Cancelled | State::Expired | State::Released),
            Event::Cancel | Event::LeaseEnd,
        ) => Stay,
        (Some(State::Rejected | State::Cancelled | State::Expired | State::Released), Event::Confirm)
        | (Some(State::Rejected | State::Cancelled | State::Expired), Event::Release) => Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_state_is_never_left() {
        for state in [State::Rejected, State::Cancelled, State::Expired, State::Released] {
            for event in Event::ALL {
                assert!(!matches!(step(Some(state), event), Step::To(_)), "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn doing_it_again_changes_nothing() {
        let starts = State::ALL.into_iter().map(Some).chain([None]);
        for (from, event) in starts.flat_map(|from| Event::ALL.map(|event| (from, event))) {
            if let Step::To(to) = step(from, event) {
                assert_eq!(step(Some(to), event), Step::Stay, "{from:?} {event:?} {to:?}");
            }
        }
    }
}
