//! What a service's container is to be, from the service's settings.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ordersys_contract::Role;
use ordersys_engine::container::{ContainerSpec, DataVolume, PublishedPort};
use ordersys_engine::labels::Names;
use ordersys_engine::{DATA_DIR, SECRETS_DIR};

use crate::model::command::{Place, serve_args};
use crate::model::spec::{ServiceName, ServiceSpec, StackSpec};

/// What the machine of the engine is called in a container that is given this name.
const THIS_MACHINE: &str = "host.docker.internal";

/// The container of a service.
pub(crate) fn container(names: &Names, spec: &ServiceSpec) -> ContainerSpec {
    let roles = spec.name.roles();
    let inside: BTreeMap<Role, u16> = roles.iter().map(|role| (*role, role.default_port())).collect();
    let place = Place {
        bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ports: inside,
        data_dir: DATA_DIR.to_owned(),
        secrets_dir: SECRETS_DIR.to_owned(),
        this_machine: Some(THIS_MACHINE),
    };
    // The last role needs the others, so its answer speaks for all.
    let asked = roles.last().map_or(0, |role| role.default_port());
    ContainerSpec {
        service: spec.name.to_string(),
        aliases: aliases(spec.name),
        args: serve_args(spec, &place),
        ports: roles.iter().filter_map(|role| published(spec, *role)).collect(),
        data: roles.iter().map(|role| data(names, *role)).collect(),
        health_url: format!("http://127.0.0.1:{asked}/health"),
        this_machine: calls_this_machine(spec).then_some(THIS_MACHINE),
        hash: spec.hash(),
    }
}

/// The names under which other services find a service: those of its roles.
pub(crate) fn aliases(service: ServiceName) -> Vec<String> {
    service.roles().iter().map(|role| role.host_name()).collect()
}

/// Every volume a stack needs.
pub(crate) fn volumes(names: &Names, stack: &StackSpec) -> Vec<String> {
    let first = stack.services.iter().filter(|spec| !spec.name.is_further());
    let roles = first.flat_map(|spec| spec.name.roles());
    roles.map(|role| names.data_volume(*role)).chain([names.secrets_volume()]).collect()
}

fn published(spec: &ServiceSpec, role: Role) -> Option<PublishedPort> {
    let port = *spec.ports.get(&role)?;
    Some(PublishedPort { inside: role.default_port(), address: spec.bind, port })
}

fn data(names: &Names, role: Role) -> DataVolume {
    DataVolume { name: names.data_volume(role), target: format!("{DATA_DIR}/{role}") }
}

/// A collector or a database on this machine is found through the gateway. No other container is given a way there.
fn calls_this_machine(spec: &ServiceSpec) -> bool {
    let collector = spec.tracing.as_ref().and_then(|tracing| tracing.collector.seen_from(THIS_MACHINE));
    let database = spec.database.as_ref().and_then(|database| database.address.seen_from(THIS_MACHINE));
    collector.is_some() || database.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Topology;
    use crate::model::spec::Addressing;
    use crate::model::spec::tests::{replicated, settings, tracing};

    fn made(topology: Topology, service: usize) -> ContainerSpec {
        let stack = StackSpec::new(&settings(topology, Addressing::Network));
        container(&Names::of("shop"), &stack.services[service])
    }

    #[test]
    fn a_service_gets_the_data_and_the_port_of_its_role() {
        let order = made(Topology::Services, 2);
        let data = DataVolume { name: "shop_order-data".to_owned(), target: "/data/order".to_owned() };
        assert_eq!(order.data, [data]);
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(order.ports, [PublishedPort { inside: 3003, address, port: 3003 }]);
    }

    #[test]
    fn a_replica_is_found_by_the_name_of_its_role_and_published_on_a_port_of_its_own() {
        let (names, stack) = (Names::of("shop"), StackSpec::new(&replicated(Addressing::Network)));
        let last = container(&names, &stack.services[5]);
        assert_eq!(
            (names.container(&last.service), last.aliases),
            ("shop-order-3".to_owned(), vec!["order-service".to_owned()])
        );
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(last.ports, [PublishedPort { inside: 3003, address, port: 20_003 }]);
        let one = StackSpec::new(&settings(Topology::Services, Addressing::Network));
        assert_eq!(volumes(&names, &stack), volumes(&names, &one));
    }

    #[test]
    fn only_a_service_that_needs_it_is_given_a_way_to_this_machine() {
        let way = |collector: Option<&str>| {
            let mut stack = StackSpec::new(&settings(Topology::Services, Addressing::Network));
            stack.services[0].tracing = collector.map(tracing);
            container(&Names::of("shop"), &stack.services[0]).this_machine
        };
        assert_eq!(way(None), None);
        assert_eq!(way(Some("http://collector:4318")), None);
        assert_eq!(way(Some("http://localhost:4318")), Some("host.docker.internal"));
    }

    #[test]
    fn the_monolith_answers_to_all_three_names() {
        let monolith = made(Topology::Monolith, 0);
        assert_eq!(monolith.data.len(), 3);
        assert_eq!(monolith.aliases, ["user-service", "product-service", "order-service"]);
    }
}
