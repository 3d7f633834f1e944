//! The orders a thread's clients were lately told of, for requests that name one; a bounded number.

use ordersys_workload::evidence::ledger::OrderRef;

/// Orders remembered by each thread; older ones are forgotten.
const MAX_RECENT: usize = 256;

/// An order that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecentOrder {
    /// Its number in the plan.
    pub(crate) number: u64,
    /// Its name in the system.
    pub(crate) order: OrderRef,
}

/// Orders acknowledged lately.
#[derive(Debug, Default)]
pub(crate) struct RecentOrders {
    orders: Vec<RecentOrder>,
    next: usize,
}

impl RecentOrders {
    /// One more order; takes the place of the oldest.
    pub(crate) fn add(&mut self, known: RecentOrder) {
        if self.orders.len() < MAX_RECENT {
            self.orders.push(known);
        } else {
            self.orders[self.next % MAX_RECENT] = known;
        }
        self.next = (self.next + 1) % MAX_RECENT;
    }

    /// One of them, by a random number.
    pub(crate) fn one(&self, random: u64) -> Option<RecentOrder> {
        self.orders.get(self.place(random)?).cloned()
    }

    /// One of them, which no other request will get.
    pub(crate) fn take(&mut self, random: u64) -> Option<RecentOrder> {
        let place = self.place(random)?;
        Some(self.orders.swap_remove(place))
    }

    fn place(&self, random: u64) -> Option<usize> {
        let count = u64::try_from(self.orders.len()).ok().filter(|count| *count > 0)?;
        usize::try_from(random % count).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn known(number: u64) -> RecentOrder {
        RecentOrder { number, order: OrderRef::from(format!("o{number}").as_str()) }
    }

    #[test]
    fn the_latest_are_kept_and_each_is_taken_once() {
        let mut memory = RecentOrders::default();
        assert_eq!(memory.take(7), None);
        (0..1000).for_each(|number| memory.add(known(number)));
        assert!(memory.one(3).is_some_and(|known| known.number >= 1000 - MAX_RECENT as u64));
        let taken: Vec<_> = std::iter::from_fn(|| memory.take(12_345)).collect();
        let numbers: HashSet<_> = taken.iter().map(|known| known.number).collect();
        assert_eq!((taken.len(), numbers.len()), (MAX_RECENT, MAX_RECENT));
    }
}
