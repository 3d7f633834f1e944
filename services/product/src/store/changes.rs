//! Changes to products that are there, as both stores are asked for them, and what an edit makes of a product.

use ordersys_chassis::http::conditional::Condition;
use ordersys_contract::product::Product;
use ordersys_contract::{Money, Timestamp};
use ordersys_store::answers::CommandId;

use crate::ProductError;
use crate::app::checked_price;

/// A change to a product's catalog entry.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) command: CommandId,
    pub(crate) name: Option<String>,
    pub(crate) price: Option<Money>,
    /// What the client asks of the product's tag.
    pub(crate) condition: Condition,
    /// When it is made.
    pub(crate) now: Timestamp,
}

/// How an edit ended.
#[derive(Debug)]
pub(crate) enum Edited {
    Done(Product),
    /// The price does not suit the product's currency.
    Price(ProductError),
    Changed {
        current: u64,
    },
    NotFound,
}

/// Units that are added to a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addition {
    pub(crate) command: CommandId,
    pub(crate) units: u64,
}

/// How a restock ended.
#[derive(Debug)]
pub(crate) enum Restocked {
    Done(Product),
    /// There would be more units than can be counted.
    TooMany,
    NotFound,
}

impl Edit {
    /// What it makes of the product that is stored.
    pub(super) fn of(&self, mut product: Product) -> Edited {
        let version = product.version.to_string();
        if !self.condition.permits(|tag| tag.split('.').next() == Some(&version)) {
            return Edited::Changed { current: product.version };
        }
        let price = self.price.map(|price| checked_price(price, product.currency)).transpose();
        let price = match price {
            Ok(price) => price,
            Err(error) => return Edited::Price(error),
        };
        product.version += 1;
        product.name = self.name.clone().unwrap_or(product.name);
        product.price = price.unwrap_or(product.price);
        Edited::Done(product)
    }
}
