//! The reservation protocol between the order service and the product service.
//!
//! One call carries many operations; each is one local transaction keyed by the order id, and
//! repeating an operation with the same id gives the stored answer.

use serde::{Deserialize, Serialize};

use crate::money::minor;
use crate::trace::lenient;
use crate::{Currency, Money, OrderId, ProductId, Quantity, RequestId, TraceParent};

/// `POST /internal/reservations`, `GET /internal/reservations`.
pub const RESERVATIONS: &str = "/internal/reservations";
/// `GET /internal/reservations/{orderId}`.
pub const RESERVATION: &str = "/internal/reservations/{id}";

/// One line of a reservation.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Line {
    /// Which product.
    pub product_id: ProductId,
    /// How many units.
    pub quantity: Quantity,
}

/// What the order service asks for.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum Action {
    /// Take the units of all lines, or none.
    #[serde(rename_all = "camelCase")]
    Reserve {
        /// What to take; lines of one product are added up.
        lines: Vec<Line>,
        /// Sell at once instead of holding.
        commit: bool,
        /// How long a hold lasts, in milliseconds.
        lease_ms: u64,
        /// How much of its deadline the order had left when this was asked, in milliseconds. Once that
        /// has passed since the call arrived, nothing is taken any more. A call that arrives when its order
        /// has been given up takes nothing either: it meets what the cancellation left.
        time_left_ms: u64,
    },
    /// Sell what is held.
    Confirm,
    /// Give back what is held, and let nothing be taken later.
    Cancel,
    /// Take back what was sold.
    Release,
}

/// One operation of a batch.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Operation {
    /// The order, and so the reservation.
    pub order_id: OrderId,
    /// The request this is done for.
    pub request_id: RequestId,
    /// Where in its trace this belongs, if it is traced.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    #[schema(required = false)]
    pub trace_parent: Option<TraceParent>,
    /// What to do.
    pub action: Action,
}

/// The body of `POST /internal/reservations`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Batch {
    /// At most [`crate::MAX_BATCH`] operations.
    #[schema(max_items = 512)]
    pub operations: Vec<Operation>,
}

/// Where a reservation stands. A missing row is not a state.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReservationState {
    /// Units are set aside until the lease ends.
    Held,
    /// Units are sold.
    Committed,
    /// Stock did not suffice; final.
    Rejected,
    /// Given back or never taken; final.
    Cancelled,
    /// The lease ended; final.
    Expired,
    /// Sold, then taken back; final.
    Released,
}

impl ReservationState {
    /// Every state there is.
    pub const ALL: [Self; 6] =
        [Self::Held, Self::Committed, Self::Rejected, Self::Cancelled, Self::Expired, Self::Released];

    /// The state on the wire and in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Committed => "committed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Released => "released",
        }
    }

    /// Whether stock is bound by it.
    #[must_use]
    pub fn holds_stock(self) -> bool {
        match self {
            Self::Held | Self::Committed => true,
            Self::Rejected | Self::Cancelled | Self::Expired | Self::Released => false,
        }
    }
}

/// A line as it was when stock was taken: name and price as of then.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "WrittenLine")]
pub struct PricedLine {
    /// Which product.
    pub product_id: ProductId,
    /// Its name then.
    pub name: String,
    /// How many units.
    pub quantity: Quantity,
    /// The price of one unit then, in minor units.
    #[schema(value_type = u64)]
    #[serde(serialize_with = "minor::serialize")]
    pub unit_price: Money,
    /// The currency of the price.
    pub currency: Currency,
}

/// A line as it is written: what its minor units are is known once its currency is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLine {
    product_id: ProductId,
    name: String,
    quantity: Quantity,
    #[serde(deserialize_with = "minor::deserialize")]
    unit_price: Money,
    currency: Currency,
}

impl From<WrittenLine> for PricedLine {
    fn from(line: WrittenLine) -> Self {
        let WrittenLine { product_id, name, quantity, unit_price, currency } = line;
        let unit_price = Money::of(unit_price.minor(), currency).unwrap_or_default();
        Self { product_id, name, quantity, unit_price, currency }
    }
}

/// A product of which there is not enough.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shortage {
    /// Which product.
    pub product_id: ProductId,
    /// Units asked for, all lines of the product together.
    pub requested: u64,
    /// Units there were.
    pub available: u64,
}

/// A stored reservation.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The order it belongs to.
    pub order_id: OrderId,
    /// Where it stands.
    pub state: ReservationState,
    /// What was taken; empty if nothing ever was.
    pub lines: Vec<PricedLine>,
    /// What was short, for a rejected one.
    pub shortages: Vec<Shortage>,
}

/// All that is stored of a reservation.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationRecord {
    /// What the order service gets.
    #[serde(flatten)]
    pub reservation: Reservation,
    /// How long its hold lasts, in milliseconds, if it ends by itself: counted from when it was made, or
    /// from the last start of the service.
    pub lease_ms: Option<u64>,
    /// How long ago the hold should have ended, in milliseconds by the service's own count, if it should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_ms: Option<u64>,
    /// Whether it was made by `POST /products/{id}/reserve`, without an order.
    pub direct: bool,
    /// The product of that call.
    pub direct_product: Option<ProductId>,
}

/// The answer to one operation of a batch.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// The reservation as it now stands, also when it stood so before.
    Stands(Reservation),
    /// The time left had passed before a reserve began: nothing was written, and nothing is decided.
    Late,
    /// These products do not exist: nothing was written.
    UnknownProducts(Vec<ProductId>),
    /// The lines have different currencies: nothing was written.
    MixedCurrencies,
    /// The id is known with other lines: nothing was written.
    Mismatch,
    /// Its state does not allow this: nothing was written.
    Illegal(ReservationState),
    /// There is no such reservation: nothing was written.
    NotFound,
}
