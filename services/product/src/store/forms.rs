//! The forms in which both stores keep reservations.

use ordersys_contract::reservation::{ReservationState, Shortage};
use ordersys_contract::{OrderId, ProductId, WriteJson};
use ordersys_store::pack::{Packer, Unpacker};
use ordersys_store::retention::Id;

use crate::domain::inventory::Stored;

/// The longest lease that a column holds, in milliseconds.
const MOST_LEASE_MS: u64 = i64::MAX.unsigned_abs();
/// The stored form of no lines.
const NO_LINES: &str = "[]";

/// The stored form of a state.
pub(super) fn code(state: ReservationState) -> i16 {
    match state {
        ReservationState::Held => 0,
        ReservationState::Committed => 1,
        ReservationState::Rejected => 2,
        ReservationState::Cancelled => 3,
        ReservationState::Expired => 4,
        ReservationState::Released => 5,
    }
}

/// The state with this stored form.
pub(super) fn state(code: i64) -> Option<ReservationState> {
    ReservationState::ALL.into_iter().find(|state| i64::from(self::code(*state)) == code)
}

/// The lines of a reservation as JSON. Of a refused one they are not kept: they are with the order, and their names
/// and prices are not needed.
pub(super) fn lines(stored: &Stored) -> String {
    if is_rejected(stored) { NO_LINES.to_owned() } else { stored.lines.to_json() }
}

/// What was short, of a refused reservation.
pub(super) fn short(stored: &Stored) -> Option<Vec<u8>> {
    is_rejected(stored).then(|| packed(&stored.shortages))
}

fn is_rejected(stored: &Stored) -> bool {
    stored.state == ReservationState::Rejected
}

/// The length of a reservation's lease, as far as a column holds it.
pub(super) fn lease_ms(stored: &Stored) -> Option<i64> {
    stored.lease_ms.and_then(|length| i64::try_from(length.min(MOST_LEASE_MS)).ok())
}

/// Whether a reservation holds nothing, never did or gave it back, and has no order that stands.
pub(super) fn is_refused(state: ReservationState) -> bool {
    match state {
        ReservationState::Rejected | ReservationState::Cancelled | ReservationState::Expired => true,
        ReservationState::Held | ReservationState::Committed | ReservationState::Released => false,
    }
}

/// The id as a number: greater ones were made later.
pub(super) fn number(id: OrderId) -> Id {
    Id::from_be_bytes(*id.as_bytes())
}

/// What was short: how many products, then each with the units asked for and those there were.
fn packed(shortages: &[Shortage]) -> Vec<u8> {
    let mut packer = Packer::default();
    packer.count(shortages.len() as u64);
    for Shortage { product_id, requested, available } in shortages {
        packer.id(product_id.as_bytes()).count(*requested).count(*available);
    }
    packer.into_bytes()
}

/// What was short, out of its stored form.
pub(super) fn unpacked(bytes: &[u8]) -> Option<Vec<Shortage>> {
    let mut unpacker = Unpacker::new(bytes);
    let shortages = unpacker.list(|unpacker| {
        let product_id = ProductId::from_bytes(unpacker.id()?);
        Some(Shortage { product_id, requested: unpacker.count()?, available: unpacker.count()? })
    });
    shortages.filter(|_| unpacker.is_at_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        for stored in ReservationState::ALL {
            assert_eq!(state(code(stored).into()), Some(stored));
        }
        assert_eq!([-1, 6, i64::MAX].map(state), [None; 3]);
    }

    #[test]
    fn the_states_are_those_the_index_names() {
        for state in ReservationState::ALL {
            assert_eq!(is_refused(state), matches!(code(state), 2..=4), "{state:?}");
        }
    }

    #[test]
    fn a_hundred_short_products_take_two_kilobytes() {
        let short = |number| Shortage { product_id: ProductId::now(), requested: 10_000, available: number };
        let shortages: Vec<_> = (0..100).map(short).collect();
        let packed = packed(&shortages);
        assert!(packed.len() <= 2000, "{}", packed.len());
        assert_eq!(unpacked(&packed), Some(shortages));
        assert_eq!(unpacked(&packed[..99]), None);
        assert_eq!(unpacked(&[&packed[..], &[0]].concat()), None, "nothing may follow");
    }
}
