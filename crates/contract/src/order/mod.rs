//! Orders as clients send and read them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::reservation::Shortage;
use crate::user::UserKindName;
use crate::{Currency, Money, OrderId, ProductId, Quantity, RequestId, Timestamp, UserId};

mod rejection;
mod state;

pub use rejection::{OrderRejection, Short};
pub use state::OrderState;

/// `POST /orders`, `GET /orders`.
pub const ORDERS: &str = "/orders";
/// `GET /orders/{id}`.
pub const ORDER: &str = "/orders/{id}";
/// `GET /orders/{id}/events`.
pub const EVENTS: &str = "/orders/{id}/events";
/// `POST /orders/{id}/cancel`.
pub const CANCEL: &str = "/orders/{id}/cancel";
/// `POST /orders/{id}/pay`.
pub const PAY: &str = "/orders/{id}/pay";
/// `POST /orders/{id}/ship`.
pub const SHIP: &str = "/orders/{id}/ship";
/// `POST /orders/{id}/deliver`.
pub const DELIVER: &str = "/orders/{id}/deliver";
/// `GET /internal/orders/by-key`.
pub const BY_KEY: &str = "/internal/orders/by-key";
/// `GET /internal/orders`.
pub const INTERNAL_ORDERS: &str = "/internal/orders";
/// `GET /internal/orders/{id}`.
pub const INTERNAL_ORDER: &str = "/internal/orders/{id}";
/// `GET /internal/idempotency-keys`.
pub const IDEMPOTENCY_KEYS: &str = "/internal/idempotency-keys";

/// Most characters of an id in a request body; longer text is no id.
pub const MAX_ID_TEXT: usize = 128;

/// The body of `POST /orders`. Ids are free text here: a text that is no id of ours names
/// something unknown (422), it is not a malformed request.
#[derive(utoipa::ToSchema)]
#[schema(examples(json!({
    "userId": crate::schema::AN_ID,
    "items": [{ "productId": crate::schema::AN_ID, "quantity": 2 }],
})))]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewOrder {
    /// Who orders.
    #[schema(schema_with = crate::schema::id_text)]
    pub user_id: String,
    /// What is ordered.
    #[schema(min_items = 1, max_items = 100)]
    #[serde(deserialize_with = "crate::strict::objects")]
    pub items: Vec<NewLine>,
}

/// One line of a [`NewOrder`].
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewLine {
    /// Which product.
    #[schema(schema_with = crate::schema::id_text)]
    pub product_id: String,
    /// How many units.
    pub quantity: Quantity,
}

/// An order as services answer it.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order's id.
    pub id: OrderId,
    /// Who ordered.
    pub user_id: UserId,
    /// The user's name when ordering.
    pub user_name: String,
    /// What was ordered.
    pub items: Vec<OrderLine>,
    /// The sum of all lines; zero until stock was reserved.
    pub total: Money,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Where the order stands.
    pub status: OrderState,
    /// Rises by one per step.
    pub version: u64,
    /// When the order was first stored.
    pub created_at: Timestamp,
    /// When its last step was stored.
    pub updated_at: Timestamp,
    /// Why it was refused, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<OrderRejection>)]
    pub rejection: Option<Box<OrderRejection>>,
}

/// One line of an [`Order`]. Name and prices are as of the reservation and absent before it.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// Which product.
    pub product_id: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// The product's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The price of one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_price: Option<Money>,
    /// Price times quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub line_total: Option<Money>,
}

/// One step in the history of an order.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderEvent {
    /// Which order.
    pub order_id: OrderId,
    /// 1 for the first step, without gaps.
    pub seq: u64,
    /// The state reached.
    pub status: OrderState,
    /// When it was reached.
    pub at: Timestamp,
    /// The request that caused it.
    pub request_id: RequestId,
    /// Why the order was refused, if this step was that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<OrderRejection>)]
    pub rejection: Option<Box<OrderRejection>>,
}

/// Why the product service refused an order.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// Stock does not suffice.
    Shortages(Vec<Shortage>),
    /// Products that do not exist.
    UnknownProducts(Vec<ProductId>),
    /// Prices in more than one currency.
    MixedCurrencies,
}

/// All that is stored of an order. On the wire the members of [`Order`] and some more.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRecord {
    /// What clients read.
    #[serde(flatten)]
    pub order: Order,
    /// How long its outcome is overdue, in milliseconds by the service's own count, if it is: since its
    /// deadline while it is pending, since its last step while it is being given up or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue_ms: Option<u64>,
    /// The history, oldest first.
    pub events: Vec<OrderEvent>,
    /// Whether its user was a guest when it was made.
    pub owner: UserKindName,
    /// Why it was rejected, if it was.
    pub reason: Option<Reason>,
    /// What is left of the key it was made with, see [`IdempotencyKey::print`](crate::IdempotencyKey::print):
    /// 0 if it had none, `null` if it was stored before this was noted.
    pub key_print: Option<u32>,
    /// Whether it is stored where it is looked for by its id.
    pub in_place: bool,
    /// Columns that hold what is never written for such an order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
}

impl<'de> Deserialize<'de> for OrderRecord {
    /// Reads the text twice: amounts are read from their digits, which a flattened member has no more.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Rest {
            overdue_ms: Option<u64>,
            events: Vec<OrderEvent>,
            owner: UserKindName,
            reason: Option<Reason>,
            key_print: Option<u32>,
            in_place: bool,
            #[serde(default)]
            odd: Vec<String>,
        }
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let wrong = serde::de::Error::custom;
        let order = serde_json::from_str(text.get()).map_err(wrong)?;
        let Rest { overdue_ms, events, owner, reason, key_print, in_place, odd } =
            serde_json::from_str(text.get()).map_err(wrong)?;
        Ok(Self { order, overdue_ms, events, owner, reason, key_print, in_place, odd })
    }
}

/// A client's key and the order it was used for.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// Whose key.
    pub user_id: UserId,
    /// The key.
    pub key: String,
    /// The order it names.
    pub order_id: OrderId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_the_wire() {
        let (id, at) = (OrderId::now(), Timestamp::from_millis(1_700_000_000_000));
        let line = OrderLine {
            product_id: ProductId::now(),
            quantity: Quantity::ONE,
            name: Some("Thing".to_owned()),
            unit_price: "149.99".parse().ok(),
            line_total: "149.99".parse().ok(),
        };
        let order = Order {
            id,
            user_id: UserId::now(),
            user_name: "Alice".to_owned(),
            items: vec![line],
            total: "149.99".parse().expect("an amount"),
            currency: Currency::USD,
            status: OrderState::Pending,
            version: 1,
            created_at: at,
            updated_at: at,
            rejection: None,
        };
        let (status, request_id) = (order.status, RequestId::random());
        let event = OrderEvent { order_id: id, seq: 1, status, at, request_id, rejection: None };
        let (owner, reason) = (UserKindName::Guest, Some(Reason::MixedCurrencies));
        let (events, key_print, odd) = (vec![event], Some(7), vec!["room".to_owned()]);
        let record =
            OrderRecord { order, overdue_ms: Some(7), events, owner, reason, key_print, in_place: true, odd };
        let text = serde_json::to_string(&record).expect("writes");
        assert_eq!(serde_json::from_str::<OrderRecord>(&text).expect("reads"), record);
        let order = serde_json::from_str::<Order>(&text).expect("reads");
        assert_eq!(order, record.order, "the members of an order are at the top");
    }
}
