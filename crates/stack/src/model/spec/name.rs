//! The names of a stack's services.

use std::fmt;
use std::str::FromStr;

use ordersys_contract::Role;
use serde::{Deserialize, Serialize};

/// Most services that may play one role.
pub const MOST_REPLICAS: u8 = 16;

/// The name of a role's first service, and of the further ones.
macro_rules! names {
    ($role:literal, $($number:literal)*) => { [$role, $(concat!($role, ".", $number)),*] };
}
macro_rules! all_names {
    ($role:literal) => { names!($role, 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16) };
}

const USER: [&str; MOST_REPLICAS as usize] = all_names!("user");
const PRODUCT: [&str; MOST_REPLICAS as usize] = all_names!("product");
const ORDER: [&str; MOST_REPLICAS as usize] = all_names!("order");

/// A service of a stack: one process, playing one role or all. Several may play the same role; they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName {
    /// What it plays; `None` is every role.
    role: Option<Role>,
    /// Which of those that play it, from 0.
    index: u8,
}

/// Why a text names no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no service: write user, product or order, and for a further replica order.2 to order.{MOST_REPLICAS}"
)]
pub struct NotAService(String);

impl ServiceName {
    /// The monolith: every role.
    pub const MONOLITH: Self = Self { role: None, index: 0 };

    /// The services that play a role, the first one first.
    pub fn replicas(role: Role, count: u8) -> impl Iterator<Item = Self> {
        (0..count.min(MOST_REPLICAS)).map(move |index| Self { role: Some(role), index })
    }

    /// The roles it plays.
    #[must_use]
    pub fn roles(self) -> &'static [Role] {
        match self.role {
            Some(Role::User) => &[Role::User],
            Some(Role::Product) => &[Role::Product],
            Some(Role::Order) => &[Role::Order],
            None => &Role::ALL,
        }
    }

    /// What it is told to be on the command line: a role, or `all`.
    #[must_use]
    pub fn part(self) -> &'static str {
        self.role.map_or("all", Role::name)
    }

    /// Its name in labels and on the command line: `user`, `product`, `order`, `all`; `order.2` and so on where
    /// several play a role.
    #[must_use]
    pub fn name(self) -> &'static str {
        let names = match self.role {
            None => return "all",
            Some(Role::User) => &USER,
            Some(Role::Product) => &PRODUCT,
            Some(Role::Order) => &ORDER,
        };
        names.get(usize::from(self.index)).copied().unwrap_or_default()
    }

    /// Which of those that play its role it is, from 1.
    #[must_use]
    pub fn number(self) -> u8 {
        self.index + 1
    }

    /// Whether another one plays its role first.
    #[must_use]
    pub fn is_further(self) -> bool {
        self.index > 0
    }

    /// The service of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = Role::ALL.into_iter().flat_map(|role| Self::replicas(role, MOST_REPLICAS));
        std::iter::once(Self::MONOLITH).chain(all).find(|service| service.name() == name)
    }
}

impl From<Role> for ServiceName {
    fn from(role: Role) -> Self {
        Self { role: Some(role), index: 0 }
    }
}

impl FromStr for ServiceName {
    type Err = NotAService;

    fn from_str(text: &str) -> Result<Self, NotAService> {
        Self::named(text).ok_or_else(|| NotAService(text.to_owned()))
    }
}

impl TryFrom<String> for ServiceName {
    type Error = NotAService;

    fn try_from(text: String) -> Result<Self, NotAService> {
        text.parse()
    }
}

impl From<ServiceName> for String {
    fn from(service: ServiceName) -> Self {
        service.name().to_owned()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_service_of_a_role_has_its_name_and_the_others_are_counted() {
        let names: Vec<_> = ServiceName::replicas(Role::Order, 3).map(ServiceName::name).collect();
        assert_eq!(names, ["order", "order.2", "order.3"]);
        let last = ServiceName::replicas(Role::User, u8::MAX).last().expect("some");
        assert_eq!((last.name(), last.number(), last.part()), ("user.16", 16, "user"));
        assert_eq!(ServiceName::from(Role::Product).name(), "product");
        assert_eq!((ServiceName::MONOLITH.name(), ServiceName::MONOLITH.part()), ("all", "all"));
    }

    #[test]
    fn a_name_is_written_as_text_and_read_again() {
        for service in ServiceName::replicas(Role::Order, 16).chain([ServiceName::MONOLITH]) {
            let text = serde_json::to_string(&service).expect("writes");
            assert_eq!(text, format!("\"{service}\""));
            assert_eq!(serde_json::from_str::<ServiceName>(&text).expect("reads"), service);
        }
        for unknown in ["order.1", "order.17", "order.", "order.02", "Order", "all.2", ""] {
            assert_eq!(ServiceName::named(unknown), None, "{unknown}");
        }
    }
}
