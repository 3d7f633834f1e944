//! Holds `compose/compose.yaml` to what `up` makes: same services, names, ports and probes.

use std::net::{IpAddr, Ipv4Addr};

use crate::docker::spec::container;
use crate::model::command::{Place, serve_args};
use crate::model::record::Topology;
use crate::model::spec::tests::settings;
use crate::model::spec::{Addressing, ServiceSpec, StackSpec};
use ordersys_contract::Role;
use ordersys_engine::DATA_DIR;
use ordersys_engine::labels::Names;

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../compose/compose.yaml"));
/// Where Compose mounts secrets.
const COMPOSE_SECRETS: &str = "/run/secrets";

/// The lines of a service.
fn block(service: &str) -> Vec<&'static str> {
    let title = format!("  {service}:");
    let text = FILE.split("\n\n").find(|text| text.lines().any(|line| line == title));
    text.expect("the service is there").lines().map(str::trim).collect()
}

fn services() -> Vec<(Role, ServiceSpec)> {
    let stack = StackSpec::new(&settings(Topology::Services, Addressing::Network));
    Role::ALL.into_iter().zip(stack.services).collect()
}

fn json(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", "))
}

#[test]
fn services_are_called_as_up_calls_them() {
    for (role, spec) in services() {
        let place = Place {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            ports: spec.ports.clone(),
            data_dir: DATA_DIR.to_owned(),
            secrets_dir: COMPOSE_SECRETS.to_owned(),
            this_machine: None,
        };
        let made = container(&Names::of("shop"), &spec);
        let port = made.ports[0];
        let probe = ["CMD", "/ordersys", "health", "--url", &made.health_url].map(str::to_owned);
        let wanted = [
            format!("command: {}", json(&serve_args(&spec, &place))),
            format!("- \"{}:{}:{}\"", port.address, port.port, port.inside),
            format!("- {role}-data:{}", made.data[0].target),
            format!("test: {}", json(&probe)),
        ];
        let lines = block(&made.aliases[0]);
        for line in wanted {
            assert!(lines.contains(&line.as_str()), "{role}: `{line}` is not in the compose file");
        }
        for needed in role.needs() {
            let line = format!("{}:", needed.host_name());
            assert!(lines.contains(&line.as_str()), "{role} does not wait for {needed}");
        }
    }
}
