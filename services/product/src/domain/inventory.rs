//! Operations on reservations, decided on a working set of the rows they touch.
//!
//! The store gathers the rows, each operation is decided here in turn, and what changed is
//! written back in the same transaction.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::hash_map::HashMap;
use std::time::Duration;

use ordersys_contract::reservation::{
    Action, Answer, Line, Operation, PricedLine, Reservation, ReservationState, Shortage,
};
use ordersys_contract::{Currency, Money, OrderId, ProductId};

use super::stock::{Place, Stock};
use super::transition::{Event, Step, step};

/// A product as far as reservations need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// The price of one unit.
    pub price: Money,
    /// The currency of the price.
    pub currency: Currency,
    /// Where its units are.
    pub stock: Stock,
}

/// A stored reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it stands.
    pub state: ReservationState,
    /// What was asked for, with name and price as of then; empty for a tombstone, and for a refused one
    /// that was read.
    pub lines: Vec<PricedLine>,
    /// What was short, for a rejected one.
    pub shortages: Vec<Shortage>,
    /// How long its hold lasts, in milliseconds, if it ends by itself.
    pub lease_ms: Option<u64>,
}

/// The rows that a batch of operations touches.
#[derive(Debug, Default)]
pub struct Inventory {
    items: HashMap<ProductId, (Item, Change)>,
    /// In the order of their rows: those of new orders are written one after the other, at the end.
    reservations: BTreeMap<OrderId, (Stored, Change)>,
}

/// Whether a row has to be written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// As it was read.
    None,
    /// Read and changed.
    Updated,
    /// Not there before.
    Inserted,
}

impl Inventory {
    /// Adds a row that was read. The first reading of a row counts.
    pub fn add_item(&mut self, id: ProductId, item: Item) {
        self.items.entry(id).or_insert((item, Change::None));
    }

    /// Adds a row that was read. The first reading of a row counts.
    pub fn add_reservation(&mut self, id: OrderId, stored: Stored) {
        self.reservations.entry(id).or_insert((stored, Change::None));
    }

    /// The product, if it was gathered.
    #[must_use]
    pub fn item(&self, id: ProductId) -> Option<&Item> {
        self.items.get(&id).map(|(item, _)| item)
    }

    /// The reservation, if there is one.
    #[must_use]
    pub fn reservation(&self, id: OrderId) -> Option<&Stored> {
        self.reservations.get(&id).map(|(stored, _)| stored)
    }

    /// Products to write back.
    pub fn changed_items(&self) -> impl Iterator<Item = (&ProductId, &Item)> {
        let changed = self.items.iter().filter(|(_, (_, change))| *change != Change::None);
        changed.map(|(id, (item, _))| (id, item))
    }

    /// Reservations to write back, in the order of their ids.
    pub fn changed_reservations(&self) -> impl Iterator<Item = (&OrderId, &Stored, Change)> {
        let changed = self.reservations.iter().filter(|(_, (_, change))| *change != Change::None);
        changed.map(|(id, (stored, change))| (id, stored, *change))
    }

    /// Decides one operation, which `waited` so long since it arrived, and changes the working set
    /// accordingly.
    pub fn apply(&mut self, operation: &Operation, waited: Duration) -> Answer {
        let id = operation.order_id;
        match &operation.action {
            Action::Reserve { lines, commit, lease_ms, time_left_ms } => {
                if self.reservations.contains_key(&id) {
                    return self.repeat(id, lines);
                }
                if waited >= Duration::from_millis(*time_left_ms) {
                    return Answer::Late;
                }
                let lease = (!commit).then_some(*lease_ms);
                self.reserve(id, lines, if *commit { Event::HoldAndCommit } else { Event::Hold }, lease)
            }
            Action::Confirm => self.advance(id, Event::Confirm),
            Action::Cancel => self.advance(id, Event::Cancel),
            Action::Release => self.advance(id, Event::Release),
        }
    }

    /// Answers a reserve of a known id with what is stored.
    fn repeat(&self, id: OrderId, lines: &[Line]) -> Answer {
        let Some(stored) = self.reservation(id) else { return Answer::NotFound };
        let same_lines = stored.lines.is_empty() && fits(&stored.shortages, lines)
            || stored.lines.len() == lines.len()
                && stored.lines.iter().zip(lines).all(|(stored, line)| {
                    stored.product_id == line.product_id && stored.quantity == line.quantity
                });
        if same_lines { stands(id, stored) } else { Answer::Mismatch }
    }

    /// Takes the units of all lines of a new id, or none.
    pub fn reserve(&mut self, id: OrderId, lines: &[Line], enough: Event, lease_ms: Option<u64>) -> Answer {
        let priced: Vec<_> = lines.iter().map(|line| self.price(line)).collect();
        let Some(priced) = priced.into_iter().collect::<Option<Vec<_>>>() else {
            let unknown = lines.iter().map(|line| line.product_id);
            let unknown = unknown.filter(|id| !self.items.contains_key(id)).collect();
            return Answer::UnknownProducts(unknown);
        };
        if priced.windows(2).any(|pair| pair[0].currency != pair[1].currency) {
            return Answer::MixedCurrencies;
        }
        let shortages = self.shortages(lines);
        let event = if shortages.is_empty() { enough } else { Event::Short };
        let Step::To(state) = step(None, event) else { return Answer::NotFound };
        let lease_ms = lease_ms.filter(|_| state == ReservationState::Held);
        let stored = Stored { state, lines: priced, shortages, lease_ms };
        self.shift(&stored.lines, Place::of(None), Place::of(Some(state)));
        let answer = stands(id, &stored);
        self.reservations.insert(id, (stored, Change::Inserted));
        answer
    }

    fn price(&self, line: &Line) -> Option<PricedLine> {
        let item = self.item(line.product_id)?;
        Some(PricedLine {
            product_id: line.product_id,
            name: item.name.clone(),
            quantity: line.quantity,
            unit_price: item.price,
            currency: item.currency,
        })
    }

    /// Every product of which all lines together ask for more than there is.
    fn shortages(&self, lines: &[Line]) -> Vec<Shortage> {
        let mut wanted = BTreeMap::<ProductId, u64>::new();
        for line in lines {
            *wanted.entry(line.product_id).or_default() += u64::from(line.quantity.get());
        }
        let shortage = |(product_id, requested)| {
            let available = self.item(product_id).map_or(0, |item| item.stock.available);
            (requested > available).then_some(Shortage { product_id, requested, available })
        };
        wanted.into_iter().filter_map(shortage).collect()
    }

    /// Does `event` to the reservation, moving its units with it.
    pub fn advance(&mut self, id: OrderId, event: Event) -> Answer {
        let from = self.reservation(id).map(|stored| stored.state);
        match (step(from, event), from) {
            (Step::To(to), _) => {
                let lines = self.reservation(id).map(|stored| stored.lines.clone()).unwrap_or_default();
                self.shift(&lines, Place::of(from), Place::of(Some(to)));
                self.set_state(id, to)
            }
            (Step::Stay, _) => self.reservation(id).map_or(Answer::NotFound, |stored| stands(id, stored)),
            (Step::Refuse, Some(state)) => Answer::Illegal(state),
            (Step::Refuse | Step::Missing, _) => Answer::NotFound,
        }
    }

    fn set_state(&mut self, id: OrderId, state: ReservationState) -> Answer {
        let tombstone = || Stored { state, lines: Vec::new(), shortages: Vec::new(), lease_ms: None };
        let (stored, _) = match self.reservations.entry(id) {
            Entry::Occupied(entry) => {
                let row = entry.into_mut();
                row.0.state = state;
                row.0.lease_ms = None;
                row.1 = if row.1 == Change::Inserted { Change::Inserted } else { Change::Updated };
                row
            }
            Entry::Vacant(entry) => entry.insert((tombstone(), Change::Inserted)),
        };
        stands(id, stored)
    }

    /// Moves the units of all lines.
    ///
    /// # Panics
    /// When units are missing where they must be: the table and the reservations contradict each
    /// other, and going on would make it worse. The writer ends the process.
    fn shift(&mut self, lines: &[PricedLine], from: Place, to: Place) {
        if from == to {
            return;
        }
        for line in lines {
            let row = self.items.get_mut(&line.product_id);
            let moved = row.and_then(|(item, change)| {
                item.stock = item.stock.moved(u64::from(line.quantity.get()), from, to)?;
                *change = Change::Updated;
                Some(())
            });
            assert!(moved.is_some(), "the units of product {} are not where they must be", line.product_id);
        }
    }

    /// Gives back `units` of one line of a held reservation; `None` if that many are not held.
    /// With nothing left to hold the reservation is cancelled.
    pub fn give_back(&mut self, id: OrderId, product: ProductId, units: u32) -> Option<Stock> {
        let (stored, _) = self.reservations.get(&id)?;
        let [line] = stored.lines.as_slice() else { return None };
        if stored.state != ReservationState::Held || line.product_id != product {
            return None;
        }
        let left = line.quantity.get().checked_sub(units)?;
        if left == 0 {
            self.advance(id, Event::Cancel);
        } else {
            let part = ordersys_contract::Quantity::new(u64::from(units))?;
            let given = PricedLine { quantity: part, ..line.clone() };
            self.shift(&[given], Place::Reserved, Place::Available);
            let (stored, change) = self.reservations.get_mut(&id)?;
            stored.lines[0].quantity = ordersys_contract::Quantity::new(u64::from(left))?;
            *change = Change::Updated;
        }
        self.item(product).map(|item| item.stock)
    }
}

/// Whether what was short is asked for by these lines: all that is kept of a refused reservation's lines.
fn fits(shortages: &[Shortage], lines: &[Line]) -> bool {
    let wanted = |id| {
        let of_it = lines.iter().filter(|line| line.product_id == id);
        of_it.map(|line| u64::from(line.quantity.get())).sum::<u64>()
    };
    shortages.iter().all(|short| wanted(short.product_id) == short.requested)
}

/// The answer that says where a reservation stands. Of a refused one nothing was taken: its lines are not kept.
fn stands(order_id: OrderId, stored: &Stored) -> Answer {
    let is_refused = stored.state == ReservationState::Rejected;
    let lines = if is_refused { Vec::new() } else { stored.lines.clone() };
    let shortages = stored.shortages.clone();
    Answer::Stands(Reservation { order_id, state: stored.state, lines, shortages })
}
