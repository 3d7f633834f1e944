//! What a request does: the kinds of requests that are planned, counted and measured apart.

use serde::Serialize;

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// Places a new order.
    Order,
    /// Sends an order again with its key.
    Repeat,
    /// Sends an order that has to be refused.
    Bad,
    /// Reads a product.
    Read,
    /// Reads an order that was acknowledged.
    Track,
    /// Cancels an order that was acknowledged.
    Cancel,
    /// Adds units to a product.
    Restock,
    /// Asks the order service whether it lives: what any answer of it costs at least.
    Live,
}

impl Endpoint {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Order,
        Self::Repeat,
        Self::Bad,
        Self::Read,
        Self::Track,
        Self::Cancel,
        Self::Restock,
        Self::Live,
    ];

    /// Its name in options, reports and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Repeat => "repeat",
            Self::Bad => "bad",
            Self::Read => "read",
            Self::Track => "track",
            Self::Cancel => "cancel",
            Self::Restock => "restock",
            Self::Live => "live",
        }
    }
}
