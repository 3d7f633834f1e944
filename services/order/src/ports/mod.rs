//! How the order service reaches the other two: over HTTP, or in the same process.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use ordersys_contract::reservation::{Answer, Operation};
use ordersys_contract::user::UserSummary;
use ordersys_contract::{RequestId, TraceParent, UserId};

mod batch_item;
mod batcher;
#[cfg(feature = "defects")]
mod defects;
mod http;

#[doc(hidden)]
pub use batch_item::BatchItem;
#[doc(hidden)]
pub use batcher::Batcher;
#[cfg(feature = "defects")]
pub(crate) use defects::DefectiveInventory;
pub use http::{HttpPort, batch};

/// A call under way.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// One look-up of a batch, with the request it is done for.
#[derive(Debug, Clone)]
pub struct UserQuery {
    /// The user to look up.
    pub user: UserId,
    /// For which request.
    pub request: RequestId,
    /// Where in its trace it belongs, if it is traced.
    pub trace_parent: Option<TraceParent>,
}

/// Why a call brought no answers. In every case the outcome is unknown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PortError {
    /// Too many callers are waiting; this call was not even sent.
    #[error("too many calls are waiting")]
    Overloaded,
    /// The other service is known to fail; this call was not even sent.
    #[error("calls are refused for another {0:?}")]
    Open(Duration),
    /// It answered, and refused the call as a whole (4xx).
    #[error("the call was refused: {0}")]
    Refused(String),
    /// This process lacks something to make the call; it was not sent, and says nothing of the other service.
    #[error("the call cannot be made for want of {0}")]
    Lacking(&'static str),
    /// No answer in time, or none at all.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// The user service, as the order service needs it.
pub trait Users: Send + Sync + 'static {
    /// Looks up many users in one call: one answer each, in order. Answers after `until` are not waited for.
    fn lookup(&self, queries: Vec<UserQuery>, until: Instant) -> Asked<'_, Vec<Option<UserSummary>>>;
}

/// The product service, as the order service needs it.
pub trait Inventory: Send + Sync + 'static {
    /// Does many operations in one call: one answer each, in order. Answers after `until` are not waited for.
    fn apply(&self, operations: Vec<Operation>, until: Instant) -> Asked<'_, Vec<Answer>>;
}
