//! The members of the article's answers that the verification reads. Unlike the typed client it
//! takes whatever else is there or missing, since the system under test may be another implementation.

use ordersys_workload::amount::Amount;
use serde::Deserialize;

/// A product.
#[derive(Debug, Clone, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: String,
    /// Its price.
    pub price: Amount,
    /// Units that can be ordered; negative is wrong but readable.
    pub stock: i64,
}

/// A user.
#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: String,
}

/// An order.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its id.
    pub id: String,
    /// Who ordered.
    pub user_id: Option<String>,
    /// What was ordered.
    #[serde(default)]
    pub items: Vec<Line>,
    /// The sum of its lines.
    pub total: Option<Amount>,
    /// Where it stands.
    pub status: Option<String>,
}

/// One line of an [`Order`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Which product.
    pub product_id: String,
    /// How many units; negative is wrong but readable.
    pub quantity: i64,
    /// The price of one unit.
    pub unit_price: Option<Amount>,
}
