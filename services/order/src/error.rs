//! Why the order service refuses.

use std::time::Duration;

use ordersys_chassis::Rejection;
use ordersys_chassis::auth::bad_credential;
use ordersys_chassis::http::params;
use ordersys_contract::order::OrderState;
use ordersys_contract::reservation::Shortage;
use ordersys_contract::{Code, MAX_ORDER_LINES, OrderKind, ProductId};
use ordersys_store::StoreError;

use crate::domain::access::Denied;
use crate::domain::order::Reason;

/// Why the order service refuses.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OrderError {
    /// No lines, or too many.
    #[error("items: 1 to {MAX_ORDER_LINES} lines are needed")]
    LineCount,
    /// The user does not exist.
    #[error("User not found: {0}")]
    UnknownUser(String),
    /// Products that do not exist.
    #[error("Product not found: {}", .0.join(", "))]
    UnknownProducts(Vec<String>),
    /// Stock does not suffice.
    #[error("Failed to reserve: Insufficient stock")]
    Shortages(Vec<Shortage>),
    /// Prices in more than one currency.
    #[error("the lines have prices in more than one currency")]
    MixedCurrencies,
    /// It took too long; nothing is held.
    #[error("the order was not reserved in time; nothing is held")]
    Expired,
    /// It was given up; nothing is held.
    #[error("the order was given up; nothing is held")]
    Aborted,
    /// The key was used with another body.
    #[error("this idempotency key was used for another order")]
    KeyReused,
    /// The order's state does not allow the step.
    #[error("an order that is {} does not allow this", state.as_str())]
    Illegal {
        /// Where the order stands.
        state: OrderState,
    },
    /// The caller may not order for this user.
    #[error("{}", denied(*.0))]
    Denied(Denied),
    /// There is no such order.
    #[error("Order not found")]
    NotFound,
    /// An order for a guest of more units than may ever be ordered for one at once.
    #[error("items: at most {most} units for a guest")]
    GuestUnits {
        /// How many.
        most: u32,
    },
    /// More orders than are allowed; nothing was written.
    #[error("too many orders for {whose}; nothing was written")]
    TooFast {
        /// Whose they are.
        whose: &'static str,
        /// When trying again makes sense.
        retry_in: Duration,
    },
    /// Too many orders are being placed; nothing was written.
    #[error("too many orders are waiting; nothing was written")]
    Overloaded,
    /// The process lacks something to call other services; nothing was written.
    #[error("the order service cannot call others for want of {0}; nothing was written")]
    Lacking(&'static str),
    /// Another service does not answer; nothing was written.
    #[error("the {service} service does not answer; nothing was written")]
    Dependency {
        /// Which service.
        service: &'static str,
        /// When trying again makes sense.
        retry_in: Duration,
    },
    /// The service is stopping; what was stored is finished after its restart.
    #[error("the service is stopping")]
    Stopping,
    /// The data could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What callers read. A token that was revoked is rejected as every bad one is, elsewhere.
fn denied(why: Denied) -> &'static str {
    match why {
        Denied::TokenNeeded => "orders of a registered user need that user's access token",
        Denied::NotTheOwner => "you may order for yourself only",
        Denied::Revoked => "the token was revoked",
        Denied::Disabled => "the account is disabled",
    }
}

impl OrderError {
    pub(crate) fn unknown_user(text: &str) -> Self {
        Self::UnknownUser(text.chars().take(64).collect())
    }
}

impl From<Reason> for OrderError {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Shortages(shortages) => Self::Shortages(shortages),
            Reason::UnknownProducts(ids) => {
                Self::UnknownProducts(ids.iter().map(ProductId::to_string).collect())
            }
            Reason::MixedCurrencies => Self::MixedCurrencies,
        }
    }
}

impl From<OrderError> for Rejection {
    fn from(error: OrderError) -> Self {
        let detail = error.to_string();
        let code = match error {
            OrderError::TooFast { retry_in, .. } => {
                return Self(Self::new(Code::TooManyRequests, detail).0.retry_in(retry_in));
            }
            OrderError::LineCount | OrderError::GuestUnits { .. } => {
                return Self(Self::new(Code::InvalidField, detail).0.with("field", "items"));
            }
            OrderError::Shortages(shortages) => {
                return Self(Self::new(Code::InsufficientStock, detail).0.with("shortages", shortages));
            }
            OrderError::UnknownProducts(products) => {
                return Self(Self::new(Code::UnknownProduct, detail).0.with("products", products));
            }
            OrderError::Illegal { state } => {
                return Self(Self::new(Code::IllegalTransition, detail).0.with("state", state));
            }
            OrderError::Denied(Denied::Revoked) => return Self(bad_credential()),
            OrderError::Denied(Denied::TokenNeeded) => Code::Unauthenticated,
            OrderError::Denied(Denied::NotTheOwner) => Code::Forbidden,
            OrderError::Denied(Denied::Disabled) => Code::AccountDisabled,
            OrderError::NotFound => return params::not_found::<OrderKind>(),
            OrderError::Store(error) => return Self((&error).into()),
            OrderError::UnknownUser(_) => Code::UnknownUser,
            OrderError::MixedCurrencies => Code::MixedCurrencies,
            OrderError::Expired => Code::OrderExpired,
            OrderError::Aborted => Code::OrderAborted,
            OrderError::KeyReused => Code::IdempotencyMismatch,
            OrderError::Overloaded | OrderError::Lacking(_) => Code::Overloaded,
            OrderError::Dependency { retry_in, .. } => {
                return Self(Self::new(Code::DependencyDown, detail).0.retry_in(retry_in));
            }
            OrderError::Stopping => Code::Unavailable,
        };
        Self::new(code, detail)
    }
}
