//! Which orders this process drives: of those whose outcome is open, the others have to be taken up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ordersys_contract::OrderId;

/// How many drivers an order has; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Driving(Arc<Mutex<HashMap<OrderId, usize>>>);

/// An order has a driver as long as this is kept.
#[derive(Debug)]
pub(super) struct Driven(Driving, OrderId);

impl Driving {
    fn orders(&self) -> MutexGuard<'_, HashMap<OrderId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An order has one more driver.
    pub(super) fn enter(&self, id: OrderId) -> Driven {
        *self.orders().entry(id).or_default() += 1;
        Driven(self.clone(), id)
    }

    /// Whether an order has a driver.
    pub(super) fn holds(&self, id: OrderId) -> bool {
        self.orders().contains_key(&id)
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        let mut orders = self.0.orders();
        match orders.get_mut(&self.1) {
            Some(drivers) if *drivers > 1 => *drivers -= 1,
            _ => {
                orders.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_driven_until_its_last_driver_is_gone() {
        let (driving, id) = (Driving::default(), OrderId::now());
        assert!(!driving.holds(id));
        let [first, second] = [driving.enter(id), driving.enter(id)];
        drop(first);
        assert!(driving.holds(id));
        drop(second);
        assert!(!driving.holds(id));
    }
}
