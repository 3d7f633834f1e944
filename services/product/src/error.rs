//! Why the product service refuses.

use ordersys_chassis::Rejection;
use ordersys_chassis::http::params;
use ordersys_contract::money::NotMoney;
use ordersys_contract::product::{MAX_NAME_BYTES, MAX_PRICE_MINOR, MAX_STOCK};
use ordersys_contract::{Code, Currency, Money, ProductKind};
use ordersys_store::{OpenError, StoreError};

/// Why the product service refuses, or does not start.
#[derive(Debug, thiserror::Error)]
pub enum ProductError {
    /// The data cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// The name is missing or unusable.
    #[error("name: 1 to {MAX_NAME_BYTES} bytes without control characters")]
    Name,
    /// The price is too high.
    #[error("price: at most {most} {0}", most = Money::of(MAX_PRICE_MINOR, *.0).unwrap_or_default())]
    Price(Currency),
    /// The price is no amount in its currency.
    #[error("price: {0}")]
    NoPrice(NotMoney),
    /// The currency is none that anything is paid with.
    #[error("currency: {0} is not money in ISO 4217; take a code such as USD, JPY or KWD")]
    Currency(Currency),
    /// The number of units is not one that can be added.
    #[error("{field}: at most {MAX_STOCK}, and not less than {least}")]
    Units {
        /// Which member.
        field: &'static str,
        /// The least that makes sense.
        least: u64,
    },
    /// An edit that names nothing to edit.
    #[error("nothing to change: name or price is needed")]
    NothingToChange,
    /// There is no such product.
    #[error("Product not found")]
    NotFound,
    /// The product was edited since the caller read it.
    #[error("the product was changed in the meantime: its version is {current}")]
    Changed {
        /// The version now.
        current: u64,
    },
    /// Not enough for a single-product hold.
    #[error("Insufficient stock")]
    Insufficient {
        /// Units there are.
        available: u64,
    },
    /// More would be given back than is held that way.
    #[error("not that many units are held")]
    NothingHeld,
    /// The hold exists for other units or another product.
    #[error("the reservation exists with other lines")]
    Mismatch,
    /// The data could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ProductError> for Rejection {
    fn from(error: ProductError) -> Self {
        let detail = error.to_string();
        let field = |name: &str| Self(Self::new(Code::InvalidField, detail.clone()).0.with("field", name));
        match error {
            ProductError::Name => field("name"),
            ProductError::Price(_) | ProductError::NoPrice(_) => field("price"),
            ProductError::Currency(_) => field("currency"),
            ProductError::Units { field: name, .. } => field(name),
            ProductError::NothingToChange => Self::new(Code::MissingField, detail),
            ProductError::NotFound => params::not_found::<ProductKind>(),
            ProductError::Changed { .. } => Self::new(Code::PreconditionFailed, detail),
            ProductError::Insufficient { available } => {
                Self(Self::new(Code::InsufficientStock, detail).0.with("available", available))
            }
            ProductError::NothingHeld => Self::new(Code::NothingHeld, detail),
            ProductError::Mismatch => Self::new(Code::ReservationMismatch, detail),
            ProductError::Store(error) => Self((&error).into()),
            ProductError::Open(error) => {
                tracing::error!(%error, "the data is not open");
                Self::new(Code::Internal, "an internal error")
            }
        }
    }
}
