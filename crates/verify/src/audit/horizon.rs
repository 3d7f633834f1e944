//! Failed orders, and reservations that never sold anything, are forgotten after a while, each service by its
//! own: the oldest first. So one without the other is only wrong if there are older ones of the other's kind.

use crate::audit::gather::read::Suspect;
use crate::audit::pair::Pair;

/// What lacks its other half, which may have been forgotten: what is older decides. Holds no more than the
/// services keep of such rows.
#[derive(Debug, Default)]
pub(crate) struct Horizon {
    without_order: Vec<Suspect>,
    without_reservation: Vec<Suspect>,
}

impl Horizon {
    /// A pair, the next older one, was read: what is no longer past the horizon.
    pub(crate) fn pass(&mut self, pair: &Pair) -> Vec<Suspect> {
        let mut suspects = Vec::new();
        if pair.has_failed_order() {
            suspects.append(&mut self.without_order);
        }
        if pair.has_refused_reservation() {
            suspects.append(&mut self.without_reservation);
        }
        suspects
    }

    /// Nothing is wrong with this pair but that it lacks its other half.
    pub(crate) fn add(&mut self, pair: &Pair, suspect: Suspect) {
        let list = if pair.order.is_none() { &mut self.without_order } else { &mut self.without_reservation };
        list.push(suspect);
    }
}
