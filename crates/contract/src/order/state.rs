//! The states of an order.

use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OrderState {
    /// Wanted durably, outcome open.
    Pending,
    /// Stock is sold to it.
    Confirmed,
    /// Paid.
    Paid,
    /// On its way.
    Shipped,
    /// Arrived; final.
    Delivered,
    /// Stock did not suffice; final.
    Rejected,
    /// It took too long to be reserved; final.
    Expired,
    /// Being given up; stock may still be bound.
    Aborting,
    /// Given up, nothing bound; final.
    Aborted,
    /// Being cancelled; stock is still bound.
    Cancelling,
    /// Cancelled, nothing bound; final.
    Cancelled,
}

impl OrderState {
    /// Every state there is.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Confirmed,
        Self::Paid,
        Self::Shipped,
        Self::Delivered,
        Self::Rejected,
        Self::Expired,
        Self::Aborting,
        Self::Aborted,
        Self::Cancelling,
        Self::Cancelled,
    ];

    /// The state on the wire and in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Aborting => "aborting",
            Self::Aborted => "aborted",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether a driver still has to bring it to an outcome.
    #[must_use]
    pub fn needs_driver(self) -> bool {
        matches!(self, Self::Pending | Self::Aborting | Self::Cancelling)
    }
}
