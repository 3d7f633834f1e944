//! The rows of the store as they should be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::asked::{Ids, PRODUCTS, STOCK};
use crate::domain::inventory::{Inventory, Item, Stored};
use crate::domain::stock::Stock;
use crate::domain::transition::Event;
use crate::store::tests::*;

/// Products and reservations.
#[derive(Default)]
pub(super) struct Reference {
    pub(super) items: BTreeMap<ProductId, Item>,
    pub(super) reservations: BTreeMap<OrderId, Stored>,
}

impl Reference {
    pub(super) fn of(ids: &Ids) -> Self {
        let Product { name, price, currency, .. } = product("book", STOCK);
        let item = Item { name, price, currency, stock: Stock::new(STOCK) };
        let items = ids.products[..PRODUCTS].iter().map(|id| (*id, item.clone())).collect();
        Self { items, reservations: BTreeMap::new() }
    }

    fn changed<T>(&mut self, change: impl FnOnce(&mut Inventory) -> T) -> T {
        let mut inventory = Inventory::default();
        self.items.iter().for_each(|(id, item)| inventory.add_item(*id, item.clone()));
        self.reservations.iter().for_each(|(id, stored)| inventory.add_reservation(*id, stored.clone()));
        let made = change(&mut inventory);
        self.items.extend(inventory.changed_items().map(|(id, item)| (*id, item.clone())));
        for (id, stored, _) in inventory.changed_reservations() {
            let refused = stored.state == ReservationState::Rejected;
            let lines = if refused { Vec::new() } else { stored.lines.clone() };
            self.reservations.insert(*id, Stored { lines, ..stored.clone() });
        }
        made
    }

    pub(super) fn apply(&mut self, operations: &[Operation]) -> Vec<Answer> {
        let waited = Duration::from_millis(1);
        self.changed(|inventory| operations.iter().map(|asked| inventory.apply(asked, waited)).collect())
    }

    pub(super) fn end_leases(&mut self) {
        let over = self.reservations.iter().filter(|(_, stored)| stored.lease_ms == Some(0));
        let over: Vec<_> = over.map(|(id, _)| *id).collect();
        self.changed(|inventory| over.iter().for_each(|id| drop(inventory.advance(*id, Event::LeaseEnd))));
    }
}
