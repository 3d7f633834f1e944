//! I7: each idempotency key names one order that exists, no order has two keys, and one that was made with
//! a key still has it.

use std::collections::{HashMap, HashSet};

use ordersys_contract::order::{KeyRecord, OrderRecord};
use ordersys_contract::{IdempotencyKey, OrderId, UserId};

use crate::audit::Invariant;
use crate::audit::report::AuditCounts;
use crate::finding::Witness;

/// What keys and orders say of each other and was not seen from the other side yet.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// The orders that keys name, with the user of the key and its print.
    named: HashMap<OrderId, (UserId, u32)>,
    /// Orders that were made with a key of this print, which no key named.
    bare: HashMap<OrderId, u32>,
}

impl Keys {
    /// A key was read.
    pub(crate) fn key(&mut self, record: &KeyRecord, counts: &mut AuditCounts) {
        counts.looked_at(Invariant::OneOrderPerKey);
        if self.named.insert(record.order_id, (record.user_id, print(record))).is_some() {
            let found = "a second one".to_owned();
            let (order_id, key) = (Some(record.order_id.to_string()), Some(record.key.clone()));
            let expected = "one key for the order".to_owned();
            let witness = Witness { order_id, key, expected, found, ..Witness::default() };
            counts.add((Invariant::OneOrderPerKey, witness));
        }
    }

    /// An order was read.
    pub(crate) fn order(&mut self, record: &OrderRecord, counts: &mut AuditCounts) {
        let order = &record.order;
        let Some((user, named)) = self.named.remove(&order.id) else {
            if let Some(print) = record.key_print.filter(|print| *print != 0) {
                self.bare.insert(order.id, print);
            }
            return;
        };
        if user != order.user_id {
            let (expected, found) = (format!("an order of user {user}"), format!("one of {}", order.user_id));
            counts.add((Invariant::OneOrderPerKey, witness(order.id, expected, found)));
        }
        if let Some(made_with) = record.key_print.filter(|print| *print != named) {
            let expected = if made_with == 0 {
                "no key, as it was made without one"
            } else {
                "the key it was made with"
            };
            let witness = witness(order.id, expected.to_owned(), "another key that names it".to_owned());
            counts.add((Invariant::OneOrderPerKey, witness));
        }
    }

    /// Whether everything was seen from both sides.
    pub(crate) fn is_settled(&self) -> bool {
        self.named.is_empty() && self.bare.is_empty()
    }

    /// Orders that no key names in a second reading either.
    pub(crate) fn unnamed(&self, again: &[KeyRecord]) -> Vec<OrderId> {
        let named: HashSet<_> = again.iter().map(|record| record.order_id).collect();
        self.bare.keys().filter(|order| !named.contains(order)).copied().collect()
    }

    /// An order went.
    pub(crate) fn forget(&mut self, order: OrderId) {
        self.bare.remove(&order);
    }

    /// All keys were read a second time, after all orders: what is left is no matter of time.
    pub(crate) fn finish(self, again: &[KeyRecord], counts: &mut AuditCounts) {
        let Self { named, mut bare } = self;
        for record in again {
            if bare.get(&record.order_id) == Some(&print(record)) {
                bare.remove(&record.order_id);
            } else if let Some((user, _)) = named.get(&record.order_id) {
                let expected = format!("the order that a key of user {user} names");
                let witness = witness(record.order_id, expected, "no such order".to_owned());
                counts.add((Invariant::OneOrderPerKey, Witness { key: Some(record.key.clone()), ..witness }));
            }
        }
        for order in bare.into_keys() {
            let expected = "the key it was made with, so that a repeated post finds it".to_owned();
            counts.add((
                Invariant::OneOrderPerKey,
                witness(order, expected, "no key that names it".to_owned()),
            ));
        }
    }

    /// Whether a key that is read a second time matters.
    pub(crate) fn is_about(&self, order: OrderId) -> bool {
        self.named.contains_key(&order) || self.bare.contains_key(&order)
    }
}

fn print(record: &KeyRecord) -> u32 {
    IdempotencyKey::parse(&record.key).map_or(0, |key| key.print())
}

fn witness(order: OrderId, expected: String, found: String) -> Witness {
    Witness { order_id: Some(order.to_string()), expected, found, ..Witness::default() }
}
