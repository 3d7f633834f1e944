//! Since when orders stand without an outcome, by this instance's own count: how old an order is must not
//! depend on a clock that can be set. After a restart the count begins anew.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ordersys_contract::OrderId;
use ordersys_contract::order::OrderState;

use crate::domain::saga::DEADLINE;

/// Orders that are watched at most, about 100 kB; the rest have their turn when these are finished.
pub(super) const MAX_WATCHED: u32 = 1000;

/// The orders without an outcome that were seen at the last look.
#[derive(Debug, Default)]
pub(super) struct Unfinished(Mutex<HashMap<OrderId, Seen>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    first: Instant,
    state: OrderState,
    since: Instant,
}

impl Unfinished {
    /// Takes the orders that are without an outcome now; how long ago the first of them was seen.
    pub(super) fn see(&self, orders: &[(OrderId, OrderState)], now: Instant) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let look = |(id, state): &(OrderId, OrderState)| {
            let before = seen.get(id).copied();
            let first = before.map_or(now, |before| before.first);
            let since = before.filter(|before| before.state == *state).map_or(now, |before| before.since);
            (*id, Seen { first, state: *state, since })
        };
        *seen = orders.iter().map(look).collect();
        let oldest = seen.values().map(|seen| seen.first).min();
        oldest.map_or(Duration::ZERO, |first| now.saturating_duration_since(first))
    }

    /// How long the outcome of an order in this state is overdue, if it is.
    pub(super) fn overdue(&self, id: OrderId, state: OrderState, now: Instant) -> Option<Duration> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = seen.get(&id).filter(|seen| seen.state == state)?.since;
        let allowed = if state == OrderState::Pending { DEADLINE } else { Duration::ZERO };
        now.saturating_duration_since(since).checked_sub(allowed).filter(|overdue| !overdue.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_age_from_when_they_are_first_seen_and_each_step_has_its_own_time() {
        use OrderState::{Aborting, Pending};
        let (unfinished, start) = (Unfinished::default(), Instant::now());
        let [first, second] = [(); 2].map(|()| OrderId::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let s = Duration::from_secs;
        assert_eq!(unfinished.see(&[], start), Duration::ZERO);
        assert_eq!(unfinished.see(&[(first, Pending)], after(1)), Duration::ZERO);
        assert_eq!(unfinished.see(&[(first, Pending), (second, Pending)], after(21)), s(20));
        assert_eq!(unfinished.overdue(first, Pending, after(31)), None, "it has 30 s");
        assert_eq!(unfinished.overdue(first, Pending, after(41)), Some(s(10)));
        assert_eq!(unfinished.overdue(second, Pending, after(41)), None);
        assert_eq!(unfinished.see(&[(first, Aborting), (second, Pending)], after(41)), s(40));
        assert_eq!(unfinished.overdue(first, Aborting, after(44)), Some(s(3)));
        assert_eq!(unfinished.overdue(first, Pending, after(44)), None, "as it was read before");
        assert_eq!(unfinished.see(&[(second, Pending)], after(45)), s(24), "the first is finished");
    }
}
