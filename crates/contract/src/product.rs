//! Products: the catalog and the inventory as the product service answers them.

use serde::{Deserialize, Serialize};

use crate::{Currency, Money, OrderId, ProductId, Timestamp};

/// `GET /products`, `POST /products`.
pub const PRODUCTS: &str = "/products";
/// `GET /products/{id}`, `PATCH /products/{id}`.
pub const PRODUCT: &str = "/products/{id}";
/// `POST /products/{id}/restock`.
pub const RESTOCK: &str = "/products/{id}/restock";
/// `POST /products/{id}/reserve`.
pub const RESERVE: &str = "/products/{id}/reserve";
/// `POST /products/{id}/release`.
pub const RELEASE: &str = "/products/{id}/release";
/// `GET /internal/invariants`.
pub const INVARIANTS: &str = "/internal/invariants";
/// `POST /internal/products/cleanup`.
pub const PRODUCT_CLEANUP: &str = "/internal/products/cleanup";

/// Most bytes of a product's name.
pub const MAX_NAME_BYTES: usize = 200;
/// Highest price of one unit, in minor units: the largest order of it still fits in 64 bits.
pub const MAX_PRICE_MINOR: i64 = 1_000_000_000_000;
/// Most units a product may start with, or a restock may add.
pub const MAX_STOCK: u64 = 1_000_000_000_000;

/// The body of `POST /products`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewProduct {
    /// What to call the product.
    #[schema(schema_with = crate::schema::product_name)]
    pub name: String,
    /// The price of one unit.
    #[schema(schema_with = crate::schema::price)]
    pub price: Money,
    /// Units to start with.
    #[schema(schema_with = crate::schema::stock)]
    pub stock: u64,
    /// The currency of the price.
    #[schema(required = false)]
    #[serde(default)]
    pub currency: Currency,
    /// Whether it is test data, which lists leave out unless asked. Only the admin marks it so.
    #[serde(default, skip_serializing_if = "crate::test_data::is_unmarked")]
    #[schema(required = false)]
    pub test: bool,
}

/// The body of `PATCH /products/{id}`: what is named changes.
#[derive(utoipa::ToSchema)]
#[schema(min_properties = 1)]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProductPatch {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::schema::product_name, required = false)]
    pub name: Option<String>,
    /// The new price of one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::schema::price, required = false)]
    pub price: Option<Money>,
}

/// The body of `POST /products/{id}/restock`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Restock {
    /// Units to add, from 1 to [`MAX_STOCK`].
    #[schema(schema_with = crate::schema::restock)]
    pub quantity: u64,
}

/// A product as services answer it.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// The product's id.
    pub id: ProductId,
    /// What to call the product.
    pub name: String,
    /// The price of one unit.
    pub price: Money,
    /// The currency of the price.
    pub currency: Currency,
    /// Units that can be ordered now.
    #[cfg_attr(feature = "defects", serde(serialize_with = "signed"))]
    pub stock: u64,
    /// Rises with every edit of name or price; the `ETag`.
    pub version: u64,
    /// When the product was made.
    pub created_at: Timestamp,
    /// Whether it is test data, which lists leave out unless asked.
    #[serde(default, skip_serializing_if = "crate::test_data::is_unmarked")]
    #[schema(required = false)]
    pub test: bool,
}

/// Writes a stock that a mistake on purpose took below zero as the negative number it stands for.
#[cfg(feature = "defects")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn signed<S: serde::Serializer>(stock: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(stock.cast_signed())
}

/// The article's body of `reserve` and `release`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Hold {
    /// Units to take or give back.
    pub quantity: crate::Quantity,
    /// Which hold is meant; a repeated call with the same id acts once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<OrderId>,
}

/// The article's answer to `reserve`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reserved {
    /// Units taken.
    pub reserved: u64,
    /// Units left.
    pub remaining_stock: u64,
    /// Names the hold when giving it back.
    pub reservation_id: OrderId,
}

/// The article's answer to `release`.
#[derive(utoipa::ToSchema, Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Released {
    /// Units given back.
    pub released: u64,
    /// Units that can be ordered now.
    pub current_stock: u64,
}

/// Where every unit of a product is: `initial + restocked = available + reserved + sold`.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockAccount {
    /// Which product.
    pub product_id: ProductId,
    /// Units at the start.
    pub initial: u64,
    /// Units added since.
    pub restocked: u64,
    /// Units that can be ordered now.
    pub available: u64,
    /// Units held for orders not yet decided.
    pub reserved: u64,
    /// Units that left with an order.
    pub sold: u64,
}

impl StockAccount {
    /// Whether every unit is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let put_in = u128::from(self.initial) + u128::from(self.restocked);
        put_in == u128::from(self.available) + u128::from(self.reserved) + u128::from(self.sold)
    }
}

/// A product's account and what the stored reservations say, in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockEvidence {
    /// Where the units are.
    #[serde(flatten)]
    pub account: StockAccount,
    /// Units in the lines of reservations that hold.
    pub held_lines: u64,
    /// Units in the lines of reservations that sold.
    pub committed_lines: u64,
}
