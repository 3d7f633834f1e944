//! How many services play each role.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ordersys_contract::Role;
use serde::{Deserialize, Serialize};

use crate::model::spec::{MOST_REPLICAS, ServiceName};

/// How many services play each role; one where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replicas(BTreeMap<Role, u8>);

/// One of `--replicas`: `order=2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicasFlag {
    role: Role,
    count: u8,
}

impl Replicas {
    /// As many as these services are.
    #[must_use]
    pub(crate) fn counted(services: impl Iterator<Item = ServiceName>) -> Self {
        let mut counts = BTreeMap::new();
        for service in services.filter(|service| service.is_further()) {
            for role in service.roles() {
                let count: &mut u8 = counts.entry(*role).or_default();
                *count = service.number().max(*count);
            }
        }
        Self(counts)
    }

    /// How many play this role.
    #[must_use]
    pub fn of(&self, role: Role) -> u8 {
        self.0.get(&role).copied().unwrap_or(1).clamp(1, MOST_REPLICAS)
    }

    /// The roles that several play, and how many.
    pub fn several(&self) -> impl Iterator<Item = (Role, u8)> {
        Role::ALL.into_iter().map(|role| (role, self.of(role))).filter(|(_, count)| *count > 1)
    }

    /// Whether one service plays each role.
    #[must_use]
    pub fn is_one_each(&self) -> bool {
        self.several().next().is_none()
    }

    /// The services besides the first one of each role.
    pub fn further(&self) -> impl Iterator<Item = ServiceName> {
        self.several().flat_map(|(role, count)| ServiceName::replicas(role, count).skip(1))
    }

    /// Those roles counted as these flags say, the last one of a role if there are several.
    #[must_use]
    pub fn as_said(&self, flags: &[ReplicasFlag]) -> Self {
        let mut counts: BTreeMap<Role, u8> = self.several().collect();
        counts.extend(flags.iter().map(|flag| (flag.role, flag.count)));
        counts.retain(|_, count| *count > 1);
        Self(counts)
    }

    /// The same of roles that no flag names.
    #[must_use]
    pub(crate) fn unsaid(&self, flags: &[ReplicasFlag]) -> Self {
        let is_named = |role: Role| flags.iter().any(|flag| flag.role == role);
        Self(self.several().filter(|(role, _)| !is_named(*role)).collect())
    }

    /// In words, e.g. `2 order services and 3 user services`.
    #[must_use]
    pub(crate) fn words(&self) -> String {
        let counts: Vec<String> =
            self.several().map(|(role, count)| format!("{count} {role} services")).collect();
        counts.join(" and ")
    }
}

impl fmt::Display for Replicas {
    /// As a flag takes it, e.g. `product=2,order=3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self.several().map(|(role, count)| format!("{role}={count}")).collect();
        f.write_str(&counts.join(","))
    }
}

impl FromStr for ReplicasFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, count) = text.split_once('=').ok_or("write ROLE=COUNT, e.g. order=2")?;
        let role = Role::ALL.into_iter().find(|role| role.name() == name);
        let role = role.ok_or_else(|| format!("`{name}` is none of user, product, order"))?;
        let count = count.parse::<u8>().ok().filter(|count| (1..=MOST_REPLICAS).contains(count));
        let count = count.ok_or_else(|| format!("a role has 1 to {MOST_REPLICAS} replicas"))?;
        Ok(Self { role, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(texts: &[&str]) -> Vec<ReplicasFlag> {
        texts.iter().map(|text| text.parse().expect("a flag")).collect()
    }

    #[test]
    fn what_no_flag_names_stays_and_one_is_nothing_said() {
        let first = Replicas::default().as_said(&flags(&["order=3", "user=2"]));
        assert_eq!(first.words(), "2 user services and 3 order services");
        assert_eq!(first.to_string(), "user=2,order=3");
        let then = first.as_said(&flags(&["order=1"]));
        assert_eq!((then.of(Role::User), then.of(Role::Order), then.of(Role::Product)), (2, 1, 1));
        assert_eq!(serde_json::to_string(&then).expect("writes"), r#"{"user":2}"#);
        assert!(then.as_said(&flags(&["user=1"])).is_one_each());
        assert_eq!(first.unsaid(&flags(&["user=2"])).words(), "3 order services");
        let names: Vec<String> = first.further().map(|name| name.to_string()).collect();
        assert_eq!(names, ["user.2", "order.2", "order.3"]);
    }

    #[test]
    fn a_count_is_a_number_of_a_role() {
        for (text, wanted) in [
            ("order", "write ROLE=COUNT"),
            ("orders=2", "`orders` is none of user, product, order"),
            ("all=2", "`all` is none of"),
            ("order=0", "1 to 16 replicas"),
            ("order=17", "1 to 16 replicas"),
            ("order=x", "1 to 16 replicas"),
        ] {
            let error = text.parse::<ReplicasFlag>().expect_err(text);
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn a_count_from_elsewhere_is_held_within_its_bounds() {
        let read: Replicas = serde_json::from_str(r#"{"order":200,"user":0}"#).expect("reads");
        assert_eq!((read.of(Role::Order), read.of(Role::User), read.further().count()), (16, 1, 15));
    }
}
