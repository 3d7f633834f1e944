//! Where the services answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Role;

/// Where the three services answer; base URLs without a trailing slash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The user service.
    pub user: String,
    /// The product service.
    pub product: String,
    /// The order service.
    pub order: String,
    /// The further addresses of each service that has several replicas.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub further: BTreeMap<Role, Vec<String>>,
}

impl Endpoints {
    /// The first address of a service.
    #[must_use]
    pub fn first(&self, role: Role) -> &str {
        match role {
            Role::User => &self.user,
            Role::Product => &self.product,
            Role::Order => &self.order,
        }
    }

    /// All addresses of a service, the first one first.
    #[must_use]
    pub fn all(&self, role: Role) -> Vec<&str> {
        let further = self.further.get(&role).into_iter().flatten().map(String::as_str);
        std::iter::once(self.first(role)).chain(further).collect()
    }

    /// Whether each address of a service is one that the same service has there.
    #[must_use]
    pub fn are_among(&self, others: &Self) -> bool {
        let is_among = |role: Role| {
            let there = others.all(role);
            self.all(role).iter().all(|address| there.contains(address))
        };
        Role::ALL.into_iter().all(is_among)
    }

    /// The same, where a service answers at these addresses; unchanged if there are none.
    #[must_use]
    pub fn with(mut self, role: Role, addresses: &[String]) -> Self {
        let [first, further @ ..] = addresses else { return self };
        match role {
            Role::User => self.user.clone_from(first),
            Role::Product => self.product.clone_from(first),
            Role::Order => self.order.clone_from(first),
        }
        self.further.remove(&role);
        if !further.is_empty() {
            self.further.insert(role, further.to_vec());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(urls: &[&str]) -> Vec<String> {
        urls.iter().map(|&url| url.to_owned()).collect()
    }

    #[test]
    fn one_address_each_is_written_as_ever() {
        let one = Endpoints::default().with(Role::User, &urls(&["u"])).with(Role::Order, &urls(&["o"]));
        let text = serde_json::to_string(&one).expect("writes");
        assert_eq!(text, r#"{"user":"u","product":"","order":"o"}"#);
        assert_eq!(serde_json::from_str::<Endpoints>(&text).expect("reads"), one);
    }

    #[test]
    fn further_addresses_follow_the_first() {
        let two = Endpoints::default().with(Role::Order, &urls(&["o", "o2"]));
        assert_eq!((two.first(Role::Order), two.all(Role::Order)), ("o", vec!["o", "o2"]));
        let text = serde_json::to_string(&two).expect("writes");
        assert_eq!(text, r#"{"user":"","product":"","order":"o","further":{"order":["o2"]}}"#);
        assert_eq!(two.clone().with(Role::Order, &[]), two);
        let second = Endpoints::default().with(Role::Order, &urls(&["o2"]));
        assert!(second.are_among(&two) && !two.are_among(&second));
        assert!(two.with(Role::Order, &urls(&["o"])).further.is_empty());
    }
}
