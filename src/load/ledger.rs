//! What clients were told, order by order: the evidence a run is verified against.

use uuid::Uuid;

/// Entries kept in one piece, so that a growing ledger never copies what it holds.
const CHUNK: usize = 4096;

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
    /// It stands, at this total in minor units if one was named.
    Confirmed {
        /// The order.
        order: OrderRef,
        /// Its total in minor units.
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
}

/// Why an order was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Stock does not suffice.
    OutOfStock,
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

/// All orders that were sent.
#[derive(Debug, Default)]
pub struct Ledger {
    chunks: Vec<Vec<Entry>>,
}

impl Ledger {
    /// Adds an order.
    pub fn push(&mut self, entry: Entry) {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(entry),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(entry);
                self.chunks.push(chunk);
            }
        }
    }

    /// Takes over another ledger.
    pub fn append(&mut self, mut other: Self) {
        self.chunks.append(&mut other.chunks);
    }

    /// How many orders it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The orders.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.chunks.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_costs_at_most_64_bytes() {
        assert!(size_of::<Entry>() <= 64, "{}", size_of::<Entry>());
    }

    #[test]
    fn ids_come_back_as_they_were() {
        let upper = "018F4E1B-0000-7000-8000-000000000001";
        for text in ["018f4e1b-0000-7000-8000-000000000001", upper, "order-7", ""] {
            assert_eq!(OrderRef::from(text).to_string(), text);
        }
        assert!(matches!(OrderRef::from(upper), OrderRef::Text(_)));
    }

    #[test]
    fn entries_keep_their_order_over_chunks_and_ledgers() {
        let mut ledger = Ledger::default();
        let entry = |number| Entry { number, told: Told::Unknown };
        (0..CHUNK as u64 + 3).for_each(|number| ledger.push(entry(number)));
        let mut other = Ledger::default();
        other.push(entry(99));
        ledger.append(other);
        assert_eq!(ledger.len(), CHUNK + 4);
        assert_eq!(ledger.iter().last(), Some(&entry(99)));
    }
}
