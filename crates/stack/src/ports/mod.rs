//! Which port each role is published on: as asked, as it already is, or a free one.

pub(crate) mod check;
pub(crate) mod further;

use std::collections::BTreeMap;
use std::str::FromStr;

use ordersys_contract::Role;

/// Where `--port auto` looks: below the range systems take source ports from, so that a service that
/// restarts under load finds its port free.
const AUTO_FIRST: u16 = 20_000;
const AUTO_COUNT: u16 = 10_000;

/// How one port is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// This one.
    Fixed(u16),
    /// The one the running stack has, or had when it was killed, else a free one.
    Auto,
    /// The one the stack has or had, else the role's own.
    AsBefore,
}

/// One `--port`: `order=18003`, `order=auto` or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortFlag {
    /// The role it is for; `None`: all that no other flag names.
    role: Option<Role>,
    choice: PortChoice,
}

impl FromStr for PortFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, choice) = match text.split_once('=') {
            Some((role, choice)) => (Some(role_named(role)?), choice),
            None => (None, text),
        };
        let choice = match (choice, choice.parse::<u16>()) {
            ("auto", _) => PortChoice::Auto,
            (_, Ok(port)) if port > 0 && role.is_some() => PortChoice::Fixed(port),
            (_, Ok(_)) if role.is_none() => return Err(format!("say which service: order={choice}")),
            _ => return Err(format!("`{choice}` is neither a port (1 to 65535) nor `auto`")),
        };
        Ok(Self { role, choice })
    }
}

fn role_named(name: &str) -> Result<Role, String> {
    let named = |role: &Role| role.name() == name || role.host_name() == name;
    Role::ALL.into_iter().find(named).ok_or_else(|| format!("`{name}` is none of user, product, order"))
}

/// How the ports of a stack are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortChoices(BTreeMap<Role, PortChoice>);

/// The ports of a stack as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownPorts {
    /// Those its services hold now.
    pub running: BTreeMap<Role, u16>,
    /// Those its record names.
    pub recorded: BTreeMap<Role, u16>,
}

impl Default for PortChoices {
    fn default() -> Self {
        Self(Role::ALL.into_iter().map(|role| (role, PortChoice::Fixed(role.default_port()))).collect())
    }
}

impl PortChoices {
    /// A free port for each role.
    #[must_use]
    pub fn auto() -> Self {
        Self(Role::ALL.into_iter().map(|role| (role, PortChoice::Auto)).collect())
    }

    /// The ports the stack has, or had when it was killed; the default ports where there was none.
    #[must_use]
    pub fn as_before() -> Self {
        Self(Role::ALL.into_iter().map(|role| (role, PortChoice::AsBefore)).collect())
    }

    /// Whether a role has the port it had.
    pub(crate) fn keeps(&self, role: Role) -> bool {
        self.0.get(&role) == Some(&PortChoice::AsBefore)
    }

    /// The same, with the default port where the one there was would do.
    pub(crate) fn anew(self) -> Self {
        let anew = |(role, choice): (Role, PortChoice)| match choice {
            PortChoice::AsBefore => (role, PortChoice::Fixed(role.default_port())),
            PortChoice::Fixed(_) | PortChoice::Auto => (role, choice),
        };
        Self(self.0.into_iter().map(anew).collect())
    }

    /// What these flags say; the ports there were, or the default ones, where they say nothing.
    pub fn from_flags(flags: &[PortFlag]) -> Result<Self, String> {
        let mut choices = Self::as_before();
        if flags.iter().any(|flag| flag.role.is_none()) {
            choices = Self::auto();
        }
        let mut named = BTreeMap::new();
        for flag in flags {
            let Some(role) = flag.role else { continue };
            if named.insert(role, flag.choice).is_some_and(|earlier| earlier != flag.choice) {
                return Err(format!("--port names two ports for {role}"));
            }
        }
        choices.0.extend(named);
        let fixed = choices.0.iter().filter_map(|(role, choice)| match choice {
            PortChoice::Fixed(port) => Some((*role, *port)),
            PortChoice::Auto | PortChoice::AsBefore => None,
        });
        distinct(fixed)?;
        Ok(choices)
    }

    /// The port of each role. `known` says which the stack has, `is_free` tries one, and `seed`
    /// decides where the search starts. Fails when nothing is free.
    pub fn assign(
        &self,
        known: &KnownPorts,
        seed: u64,
        mut is_free: impl FnMut(u16) -> bool,
    ) -> Result<BTreeMap<Role, u16>, String> {
        let mut ports: BTreeMap<Role, u16> = BTreeMap::new();
        for (role, choice) in &self.0 {
            let before = known.running.get(role).or_else(|| known.recorded.get(role)).copied();
            match choice {
                PortChoice::Fixed(port) => drop(ports.insert(*role, *port)),
                PortChoice::AsBefore => drop(ports.insert(*role, before.unwrap_or(role.default_port()))),
                PortChoice::Auto => {}
            }
        }
        for role in self.0.keys() {
            if ports.contains_key(role) {
                continue;
            }
            let recorded = known.recorded.get(role).copied().filter(|port| is_free(*port));
            let before = known.running.get(role).copied().or(recorded);
            let kept = before.filter(|port| !ports.values().any(|p| p == port));
            let free = || {
                let usable = |port: &u16| !ports.values().chain(known.running.values()).any(|p| p == port);
                candidates(seed).filter(usable).find(|port| is_free(*port))
            };
            let port = kept.or_else(free).ok_or_else(none_is_free)?;
            ports.insert(*role, port);
        }
        Ok(ports)
    }
}

/// Fails if two roles have one port.
pub fn distinct(ports: impl IntoIterator<Item = (Role, u16)>) -> Result<(), String> {
    let mut taken: BTreeMap<u16, Role> = BTreeMap::new();
    for (role, port) in ports {
        if let Some(other) = taken.insert(port, role) {
            return Err(format!("{other} and {role} cannot both have port {port}"));
        }
    }
    Ok(())
}

fn none_is_free() -> String {
    format!("none of the ports {AUTO_FIRST} to {} is free", AUTO_FIRST + AUTO_COUNT - 1)
}

fn candidates(seed: u64) -> impl Iterator<Item = u16> {
    let start = u16::try_from(seed % u64::from(AUTO_COUNT)).unwrap_or(0);
    (0..AUTO_COUNT).map(move |step| AUTO_FIRST + (start + step) % AUTO_COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(flags: &[&str]) -> Result<PortChoices, String> {
        let flags: Result<Vec<PortFlag>, String> = flags.iter().map(|flag| flag.parse()).collect();
        PortChoices::from_flags(&flags?)
    }

    fn assigned(flags: &[&str], running: &[(Role, u16)], busy: &[u16]) -> Vec<u16> {
        assigned_after(
            flags,
            &KnownPorts { running: running.iter().copied().collect(), ..KnownPorts::default() },
            busy,
        )
    }

    fn assigned_after(flags: &[&str], known: &KnownPorts, busy: &[u16]) -> Vec<u16> {
        let ports = choices(flags).expect("usable").assign(known, 7, |port| !busy.contains(&port));
        ports.expect("assigned").into_values().collect()
    }

    #[test]
    fn a_stack_that_was_killed_comes_back_at_its_ports() {
        let killed = || KnownPorts {
            recorded: [(Role::User, 21_001), (Role::Order, 21_003)].into(),
            ..KnownPorts::default()
        };
        assert_eq!(assigned_after(&["auto"], &killed(), &[]), [21_001, 20_007, 21_003]);
        assert_eq!(assigned_after(&["auto"], &killed(), &[21_003]), [21_001, 20_007, 20_008]);
        assert_eq!(
            assigned_after(&[], &killed(), &[21_003]),
            [21_001, 3002, 21_003],
            "the process that has it is named"
        );
        assert_eq!(assigned_after(&["user=4001"], &killed(), &[]), [4001, 3002, 21_003]);
    }

    #[test]
    fn ports_are_as_asked_as_running_or_free() {
        assert_eq!(assigned(&[], &[(Role::User, 9)], &[3001]), [9, 3002, 3003]);
        assert_eq!(assigned(&[], &[], &[3001]), [3001, 3002, 3003]);
        assert_eq!(assigned(&["order=18003"], &[], &[]), [3001, 3002, 18003]);
        assert_eq!(assigned(&["auto"], &[], &[20_008]), [20_007, 20_009, 20_010]);
        assert_eq!(assigned(&["auto", "order-service=5"], &[], &[]), [20_007, 20_008, 5]);
        assert_eq!(assigned(&["user=auto"], &[(Role::User, 4001)], &[4001]), [4001, 3002, 3003]);
        // One that moved to a fixed port elsewhere is not kept twice.
        assert_eq!(assigned(&["user=auto", "order=4001"], &[(Role::User, 4001)], &[]), [20_007, 3002, 4001]);
    }

    #[test]
    fn wrong_flags_say_what_is_wrong() {
        for (flags, wanted) in [
            (&["orders=1"][..], "`orders` is none of user, product, order"),
            (&["order=0"], "`0` is neither a port (1 to 65535) nor `auto`"),
            (&["order=70000"], "`70000` is neither a port (1 to 65535) nor `auto`"),
            (&["3001"], "say which service: order=3001"),
            (&["user=5", "order=5"], "user and order cannot both have port 5"),
            (&["user=5", "user=6"], "--port names two ports for user"),
        ] {
            assert_eq!(choices(flags).expect_err("refused"), wanted);
        }
        // The order service's own port, unless it is elsewhere.
        let assigned =
            |known: &KnownPorts| choices(&["user=3003"]).expect("usable").assign(known, 7, |_| true);
        let both = distinct(assigned(&KnownPorts::default()).expect("assigned")).expect_err("refused");
        assert_eq!(both, "user and order cannot both have port 3003");
        let recorded = [(Role::Order, 21_003)].into();
        let elsewhere = KnownPorts { recorded, ..KnownPorts::default() };
        distinct(assigned(&elsewhere).expect("assigned")).expect("no two are the same");
    }
}
