//! The names of a stack's services.

use std::fmt;

use ordersys_contract::Role;
use serde::{Deserialize, Serialize};

/// A service of a stack: one process, playing one role or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceName {
    /// Accounts.
    User,
    /// Catalog and inventory.
    Product,
    /// Orders.
    Order,
    /// The monolith: every role.
    All,
}

impl ServiceName {
    /// The roles it plays.
    #[must_use]
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::User => &[Role::User],
            Self::Product => &[Role::Product],
            Self::Order => &[Role::Order],
            Self::All => &Role::ALL,
        }
    }

    /// Its name in labels and on the command line: `user`, `product`, `order`, `all`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Product => "product",
            Self::Order => "order",
            Self::All => "all",
        }
    }

    /// The service of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::User, Self::Product, Self::Order, Self::All].into_iter().find(|service| service.name() == name)
    }
}

impl From<Role> for ServiceName {
    fn from(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::Product => Self::Product,
            Role::Order => Self::Order,
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
