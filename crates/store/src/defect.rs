//! Mistakes that tests build into the services to see that the verification finds each of them. They are made
//! by decorators at the services' seams, which exist with the feature `defects` only.
//!
//! Which one a process makes is set by its environment variable `DEFECT`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static NAME: OnceLock<Option<String>> = OnceLock::new();
static OPPORTUNITIES: AtomicU64 = AtomicU64::new(0);

/// One mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// An acknowledged order is gone.
    LostOrder,
    /// The units of an order are taken twice.
    TakenTwice,
    /// An order is stored that was never sent.
    PhantomOrder,
    /// A repeated key makes a second order.
    DuplicateOnRetry,
    /// Units are taken for an order that is then given up.
    PartialSaga,
    /// Orders are taken beyond the stock.
    BelowZero,
    /// An order is refused for want of units that are there.
    FalseShortage,
    /// An order's total is not the sum of its lines.
    WrongTotal,
    /// Only a part of an order is stored, and its client gets no answer.
    AppliedHalf,
    /// A refused order is stored.
    RefusedButStored,
}

impl Defect {
    /// Every mistake.
    pub const ALL: [Self; 10] = [
        Self::LostOrder,
        Self::TakenTwice,
        Self::PhantomOrder,
        Self::DuplicateOnRetry,
        Self::PartialSaga,
        Self::BelowZero,
        Self::FalseShortage,
        Self::WrongTotal,
        Self::AppliedHalf,
        Self::RefusedButStored,
    ];

    /// Its name in the environment.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LostOrder => "lost-order",
            Self::TakenTwice => "taken-twice",
            Self::PhantomOrder => "phantom-order",
            Self::DuplicateOnRetry => "duplicate-on-retry",
            Self::PartialSaga => "partial-saga",
            Self::BelowZero => "below-zero",
            Self::FalseShortage => "false-shortage",
            Self::WrongTotal => "wrong-total",
            Self::AppliedHalf => "applied-half",
            Self::RefusedButStored => "refused-but-stored",
        }
    }

    /// Whether this process makes the mistake at all.
    #[must_use]
    pub fn is_set(self) -> bool {
        let name = NAME.get_or_init(|| std::env::var("DEFECT").ok());
        name.as_deref() == Some(self.name())
    }

    /// Whether this process makes the mistake now; to be asked once for each opportunity.
    #[must_use]
    pub fn strikes(self) -> bool {
        self.is_set() && (OPPORTUNITIES.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(self.every())
    }

    /// One of how many opportunities it takes. A rare mistake is the hardest to find; one that only some orders can
    /// show has to be frequent.
    fn every(self) -> u64 {
        match self {
            Self::LostOrder => 1000,
            Self::DuplicateOnRetry | Self::BelowZero => 1,
            Self::TakenTwice
            | Self::PhantomOrder
            | Self::PartialSaga
            | Self::FalseShortage
            | Self::WrongTotal
            | Self::AppliedHalf
            | Self::RefusedButStored => 100,
        }
    }
}
