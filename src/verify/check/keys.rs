//! I7: each idempotency key names one order that exists, and no order has two keys.

use std::collections::HashMap;

use ordersys_contract::order::{KeyRecord, Order};
use ordersys_contract::{OrderId, UserId};

use super::Invariant;
use super::report::Tally;
use crate::verify::finding::Witness;

/// The orders that keys name and that were not seen yet, with the user of the key.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<OrderId, UserId>);

impl Keys {
    /// A key was read.
    pub(super) fn key(&mut self, record: &KeyRecord, tally: &mut Tally) {
        tally.looked_at(Invariant::OneOrderPerKey);
        if self.0.insert(record.order_id, record.user_id).is_some() {
            let found = "a second one".to_owned();
            let (order_id, key) = (Some(record.order_id.to_string()), Some(record.key.clone()));
            let expected = "one key for the order".to_owned();
            let witness = Witness { order_id, key, expected, found, ..Witness::default() };
            tally.add((Invariant::OneOrderPerKey, witness));
        }
    }

    /// An order was read.
    pub(super) fn order(&mut self, order: &Order, tally: &mut Tally) {
        if let Some(user) = self.0.remove(&order.id)
            && user != order.user_id
        {
            let (expected, found) = (format!("an order of user {user}"), format!("one of {}", order.user_id));
            tally.add((Invariant::OneOrderPerKey, witness(order.id, expected, found)));
        }
    }

    /// All orders were read: what is left names nothing.
    pub(super) fn finish(self, tally: &mut Tally) {
        for (order, user) in self.0 {
            let expected = format!("the order that a key of user {user} names");
            let witness = witness(order, expected, "no such order".to_owned());
            tally.add((Invariant::OneOrderPerKey, witness));
        }
    }
}

fn witness(order: OrderId, expected: String, found: String) -> Witness {
    Witness { order_id: Some(order.to_string()), expected, found, ..Witness::default() }
}
