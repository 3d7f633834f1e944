//! The ports of the services besides the first one of each role: as they were, else free ones.

use std::collections::{BTreeMap, BTreeSet};

use super::{candidates, none_is_free};
use crate::model::spec::ServiceName;

/// Ports that are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Those of other services of the stack.
    pub(crate) taken: BTreeSet<u16>,
    /// Those the services hold now.
    pub(crate) running: BTreeMap<ServiceName, u16>,
    /// Those they had.
    pub(crate) recorded: BTreeMap<ServiceName, u16>,
}

/// The port of each of these services. `is_free` tries one, and `seed` decides where the search starts. Fails when
/// nothing is free.
pub(crate) fn assign(
    services: impl Iterator<Item = ServiceName>,
    known: &Known,
    seed: u64,
    mut is_free: impl FnMut(u16) -> bool,
) -> Result<BTreeMap<ServiceName, u16>, String> {
    let (mut ports, mut taken) = (BTreeMap::new(), known.taken.clone());
    for service in services {
        let recorded = known.recorded.get(&service).copied().filter(|port| is_free(*port));
        let before = known.running.get(&service).copied().or(recorded).filter(|port| !taken.contains(port));
        let held = |port: &u16| taken.contains(port) || known.running.values().any(|held| held == port);
        let free = || candidates(seed).filter(|port| !held(port)).find(|port| is_free(*port));
        let port = before.or_else(free).ok_or_else(none_is_free)?;
        taken.insert(port);
        ports.insert(service, port);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use ordersys_contract::Role;

    use super::*;

    fn named(ports: &[(&str, u16)]) -> BTreeMap<ServiceName, u16> {
        ports.iter().map(|(name, port)| (name.parse().expect("a service"), *port)).collect()
    }

    fn assigned(known: &Known, busy: &[u16]) -> Vec<u16> {
        let services = ServiceName::replicas(Role::Order, 3).skip(1);
        let ports = assign(services, known, 7, |port| !busy.contains(&port)).expect("assigned");
        ports.into_values().collect()
    }

    #[test]
    fn a_further_service_keeps_its_port_or_has_a_free_one() {
        let taken: BTreeSet<u16> = [20_007, 3003].into();
        let fresh = Known { taken: taken.clone(), ..Known::default() };
        assert_eq!(assigned(&fresh, &[20_009]), [20_008, 20_010]);
        let running = Known { running: named(&[("order.3", 20_008)]), ..fresh.clone() };
        assert_eq!(assigned(&running, &[20_008]), [20_009, 20_008]);
        let stopped = Known { recorded: named(&[("order.2", 21_000), ("order.3", 21_001)]), ..fresh };
        assert_eq!(assigned(&stopped, &[21_001]), [21_000, 20_008]);
        let moved = Known { recorded: named(&[("order.2", 3003)]), taken, ..Known::default() };
        assert_eq!(assigned(&moved, &[]), [20_008, 20_009], "a first service has it now");
        assert!(assign(ServiceName::replicas(Role::User, 2), &moved, 7, |_| false).is_err());
    }
}
