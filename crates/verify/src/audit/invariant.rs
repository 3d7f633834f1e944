//! The invariants by id, and what each says.

/// One thing that must hold in a running system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// I1: every unit of a product is somewhere.
    UnitsAccountedFor,
    /// I2: stock and reservations agree.
    LinesMatchStock,
    /// I3: a confirmed order has its stock, and sold stock has its order.
    SoldToOrders,
    /// I4: a failed order holds nothing.
    FailedHoldNothing,
    /// I5: nothing is left unfinished.
    AtRest,
    /// I6: nothing acknowledged is lost.
    NothingLost,
    /// I7: one order for each key.
    OneOrderPerKey,
    /// I8: each history is a path in the published graph.
    HistoriesArePaths,
    /// I9: totals add up.
    TotalsAddUp,
    /// I10: a refusal left no trace.
    RefusalsLeaveNoTrace,
    /// I11: what is stored agrees with what made it.
    TrueToOrigin,
}

impl Invariant {
    /// Every invariant, in the order of its id.
    pub const ALL: [Self; 11] = [
        Self::UnitsAccountedFor,
        Self::LinesMatchStock,
        Self::SoldToOrders,
        Self::FailedHoldNothing,
        Self::AtRest,
        Self::NothingLost,
        Self::OneOrderPerKey,
        Self::HistoriesArePaths,
        Self::TotalsAddUp,
        Self::RefusalsLeaveNoTrace,
        Self::TrueToOrigin,
    ];

    /// The stable id, I1 to I11.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::UnitsAccountedFor => "I1",
            Self::LinesMatchStock => "I2",
            Self::SoldToOrders => "I3",
            Self::FailedHoldNothing => "I4",
            Self::AtRest => "I5",
            Self::NothingLost => "I6",
            Self::OneOrderPerKey => "I7",
            Self::HistoriesArePaths => "I8",
            Self::TotalsAddUp => "I9",
            Self::RefusalsLeaveNoTrace => "I10",
            Self::TrueToOrigin => "I11",
        }
    }

    /// What must hold, in a few words.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Self::UnitsAccountedFor => "initial + restocked = available + reserved + sold",
            Self::LinesMatchStock => "reserved and sold are the sums of their lines",
            Self::SoldToOrders => "confirmed orders and committed reservations match",
            Self::FailedHoldNothing => "a failed order holds nothing",
            Self::AtRest => "nothing is unfinished past its deadline or lease",
            Self::NothingLost => "every acknowledged order is readable, unchanged",
            Self::OneOrderPerKey => "one order for each idempotency key",
            Self::HistoriesArePaths => "each history is a path in the published graph",
            Self::TotalsAddUp => "totals are the sum of quantity times price",
            Self::RefusalsLeaveNoTrace => "a refusal left no order and no stock change",
            Self::TrueToOrigin => "rows agree with what made them, no time is ahead",
        }
    }

    /// Why it cannot be checked by reading the system alone, if so.
    #[must_use]
    pub fn out_of_reach(self) -> Option<&'static str> {
        matches!(self, Self::NothingLost | Self::RefusalsLeaveNoTrace)
            .then_some("needs a client's ledger: `ordersys bench` checks it (V4, V6, V8)")
    }
}
