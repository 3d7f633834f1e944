//! Why an order was refused, as clients read it.

use serde::{Deserialize, Serialize};

use super::{OrderState, Reason};
use crate::reservation::Shortage;
use crate::{Code, ProductId};

/// Why an order was refused.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRejection {
    /// The code that its client was answered with, e.g. `insufficient-stock`.
    pub code: Code,
    /// What was short, if anything was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub shortages: Vec<Short>,
    /// The products that do not exist, if some do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub products: Vec<ProductId>,
}

/// A product of which an order asked for more than there was.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Short {
    /// Which product.
    pub product_id: ProductId,
    /// What it is called now, where that is known: the order service does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Units the order asked for.
    pub requested: u64,
    /// Units there were.
    pub available: u64,
}

impl OrderRejection {
    /// Why an order in this state was refused; `None` if it was not.
    #[must_use]
    pub fn of(state: OrderState, reason: Option<&Reason>) -> Option<Self> {
        let (mut shortages, mut products) = (Vec::new(), Vec::new());
        let code = match (state, reason) {
            (OrderState::Rejected, Some(Reason::UnknownProducts(unknown))) => {
                products.clone_from(unknown);
                Code::UnknownProduct
            }
            (OrderState::Rejected, Some(Reason::MixedCurrencies)) => Code::MixedCurrencies,
            (OrderState::Rejected, Some(Reason::Shortages(short))) => {
                shortages.extend(short.iter().map(Short::from));
                Code::InsufficientStock
            }
            (OrderState::Rejected, None) => Code::InsufficientStock,
            (OrderState::Expired, _) => Code::OrderExpired,
            (OrderState::Aborted, _) => Code::OrderAborted,
            _ => return None,
        };
        Some(Self { code, shortages, products })
    }
}

impl From<&Shortage> for Short {
    fn from(Shortage { product_id, requested, available }: &Shortage) -> Self {
        Self { product_id: *product_id, name: None, requested: *requested, available: *available }
    }
}
