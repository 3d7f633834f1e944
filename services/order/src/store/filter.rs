//! What narrows the lists of orders and keys.

use ordersys_contract::order::OrderState;
use ordersys_contract::{OrderId, Timestamp, UserId};

/// What narrows a list of orders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) user: Option<UserId>,
    pub(crate) state: Option<OrderState>,
    /// Orders older than this one only.
    pub(crate) before: Option<OrderId>,
    /// Orders last changed before this time only.
    pub(crate) changed_before: Option<Timestamp>,
}

/// Which idempotency keys are listed.
#[derive(Debug, Clone)]
pub(crate) struct KeyFilter {
    pub(crate) after: KeyCursor,
    pub(crate) limit: u32,
}

/// A position in the list of idempotency keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum KeyCursor {
    /// Before the first.
    #[default]
    Start,
    /// After this key of this user.
    After(UserId, String),
}
