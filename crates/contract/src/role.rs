//! The three roles the one binary plays: which service is meant.

use std::fmt;

/// One of the three services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Accounts.
    User,
    /// Catalog and inventory.
    Product,
    /// Orders; needs the other two.
    Order,
}

impl Role {
    /// Every role, in the order they start.
    pub const ALL: [Self; 3] = [Self::User, Self::Product, Self::Order];

    /// The role's name: `user`, `product`, `order`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Product => "product",
            Self::Order => "order",
        }
    }

    /// The port the role listens on inside its container, and outside where none is named.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::User => 3001,
            Self::Product => 3002,
            Self::Order => 3003,
        }
    }

    /// The role's host name on the stack's network: `user-service` and so on.
    #[must_use]
    pub fn host_name(self) -> String {
        format!("{}-service", self.name())
    }

    /// Which roles this one calls: all but the user service check tokens with its keys.
    #[must_use]
    pub fn calls(self) -> &'static [Self] {
        match self {
            Self::User => &[],
            Self::Product => &[Self::User],
            Self::Order => &[Self::User, Self::Product],
        }
    }

    /// Which roles have to be ready before this one is.
    #[must_use]
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::User | Self::Product => &[],
            Self::Order => &[Self::User, Self::Product],
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
