//! What narrows a list of users.

use ordersys_contract::{EmailKey, TestData, UserId};

/// What narrows a list of users.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) address: Option<EmailKey>,
    pub(crate) test: TestData,
    /// Users after this one only.
    pub(crate) after: Option<UserId>,
}
