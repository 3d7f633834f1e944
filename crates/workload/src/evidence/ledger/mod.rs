//! What clients were told, order by order: the evidence a run is verified against.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::evidence::reconcile::{Contradiction, unite};

/// Entries kept in one block, so that a growing ledger never copies what it holds.
const CHUNK: usize = 4096;
/// Most readings of negative stock that are kept.
const MAX_NEGATIVE: usize = 100;

/// The id of an order as the system named it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OrderRef {
    /// A UUID, hyphenated and in lower case on the wire.
    Uuid([u8; 16]),
    /// Any other text.
    Text(Box<str>),
}

impl From<&str> for OrderRef {
    fn from(text: &str) -> Self {
        let canonical = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match Uuid::try_parse(text) {
            Ok(uuid) if canonical => Self::Uuid(uuid.into_bytes()),
            _ => Self::Text(text.into()),
        }
    }
}

impl std::fmt::Display for OrderRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uuid(bytes) => Uuid::from_bytes(*bytes).fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What a client knows of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It stands, at this total in thousandths if one was named.
    Confirmed {
        /// The order.
        order: OrderRef,
        /// Its total in thousandths of the currency's unit.
        total: Option<i64>,
    },
    /// It is kept, its outcome is open.
    Accepted {
        /// The order.
        order: OrderRef,
    },
    /// It was refused.
    Refused(Refusal),
    /// No usable answer: it may stand or not.
    Unknown,
    /// What places no order was done.
    Done,
}

/// Why an order was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Stock does not suffice.
    OutOfStock,
    /// Not now: nothing was written, and the same order may be taken later.
    NotNow,
    /// Any other reason.
    Other,
}

/// One order that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the plan, which gives its user, lines and key.
    pub number: u64,
    /// What came back.
    pub told: Told,
}

/// What came of a request that changes something that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
    /// The outcome is unknown.
    Unknown,
}

impl From<&Told> for Effect {
    fn from(told: &Told) -> Self {
        match told {
            Told::Confirmed { .. } | Told::Accepted { .. } | Told::Done => Self::Done,
            Told::Refused(_) => Self::Refused,
            Told::Unknown => Self::Unknown,
        }
    }
}

/// What a request may change, whatever comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The order of this number.
    Order(u64),
    /// The order of this number, which was sent before.
    Again(u64),
    /// Nothing, since the order must be refused.
    Bad,
    /// The order of this number, which may be cancelled.
    Cancel(u64),
    /// The stock of the product at this place, by so many units.
    Restock(u32, u32),
    /// Nothing: it reads.
    Nothing,
}

/// Units added to a product during the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restocked {
    /// Units that were acknowledged.
    pub done: i64,
    /// Units that may have been added or not.
    pub unknown: i64,
}

/// Entries in blocks, so that growing never copies them.
#[derive(Debug, Default)]
struct Entries(Vec<Vec<Entry>>);

impl Entries {
    fn push(&mut self, entry: Entry) {
        match self.0.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(entry),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(entry);
                self.0.push(chunk);
            }
        }
    }

    fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

/// All that clients were told.
#[derive(Debug, Default)]
pub struct Ledger {
    orders: Entries,
    repeats: Entries,
    contradictions: Vec<Contradiction>,
    cancels: HashMap<u64, Effect>,
    restocks: BTreeMap<u32, Restocked>,
    bad: u64,
    negative: Vec<(u32, i64)>,
}

impl Ledger {
    /// Writes down what came of a request.
    pub fn note(&mut self, change: Change, told: Told) {
        match change {
            Change::Order(number) => self.push(Entry { number, told }),
            Change::Again(number) => self.repeats.push(Entry { number, told }),
            Change::Bad => self.bad += 1,
            Change::Cancel(number) => drop(self.cancels.insert(number, Effect::from(&told))),
            Change::Restock(product, units) => {
                let sum = self.restocks.entry(product).or_default();
                match Effect::from(&told) {
                    Effect::Done => sum.done += i64::from(units),
                    Effect::Unknown => sum.unknown += i64::from(units),
                    Effect::Refused => {}
                }
            }
            Change::Nothing => {}
        }
    }

    /// Writes down that a product was answered with negative stock.
    pub fn saw_negative(&mut self, product: u32, units: i64) {
        if self.negative.len() < MAX_NEGATIVE {
            self.negative.push((product, units));
        }
    }

    /// Negative stock that was answered, by the product's place.
    #[must_use]
    pub fn negative(&self) -> &[(u32, i64)] {
        &self.negative
    }

    /// Adds an order.
    pub fn push(&mut self, entry: Entry) {
        self.orders.push(entry);
    }

    /// Takes over another ledger.
    pub fn append(&mut self, mut other: Self) {
        self.orders.0.append(&mut other.orders.0);
        self.repeats.0.append(&mut other.repeats.0);
        self.contradictions.append(&mut other.contradictions);
        self.cancels.extend(other.cancels);
        for (product, theirs) in other.restocks {
            let mine = self.restocks.entry(product).or_default();
            mine.done += theirs.done;
            mine.unknown += theirs.unknown;
        }
        self.bad += other.bad;
        other.negative.into_iter().for_each(|(product, units)| self.saw_negative(product, units));
    }

    /// Leaves one entry for each order, also where it was sent several times, and notes answers that
    /// contradict each other.
    pub fn settle(&mut self) {
        let mut again: HashMap<u64, Vec<Told>> = HashMap::new();
        for entry in std::mem::take(&mut self.repeats).0.into_iter().flatten() {
            again.entry(entry.number).or_default().push(entry.told);
        }
        if again.is_empty() {
            return;
        }
        for entry in self.orders.0.iter_mut().flatten() {
            for told in again.remove(&entry.number).into_iter().flatten() {
                unite(entry, told, &mut self.contradictions);
            }
        }
        // Orders of which only a repetition was sent.
        for (number, tolds) in again {
            let mut entry = Entry { number, told: Told::Refused(Refusal::NotNow) };
            for told in tolds {
                unite(&mut entry, told, &mut self.contradictions);
            }
            self.orders.push(entry);
        }
    }

    /// How many orders it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether no order was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The orders.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.orders.0.iter().flatten()
    }

    /// Answers to one key that cannot both be true.
    #[must_use]
    pub fn contradictions(&self) -> &[Contradiction] {
        &self.contradictions
    }

    /// What came of cancelling, by the order's number.
    #[must_use]
    pub fn cancels(&self) -> &HashMap<u64, Effect> {
        &self.cancels
    }

    /// Units added, by the product's place.
    #[must_use]
    pub fn restocks(&self) -> &BTreeMap<u32, Restocked> {
        &self.restocks
    }

    /// Orders sent that had to be refused.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.bad
    }
}

#[cfg(test)]
mod tests;
