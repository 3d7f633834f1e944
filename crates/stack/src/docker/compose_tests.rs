//! Holds `compose/compose.yaml` to what `up` makes: same services, names, ports, probes and limits.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use bollard::models::{ContainerCreateBody, HostConfig};

use crate::docker::DATA_DIR;
use crate::docker::container::body::{Making, StartInterval, body};
use crate::docker::image::archive::ImageName;
use crate::docker::labels::{Names, RunId};
use crate::model::command::{Place, serve_args};
use crate::model::record::Topology;
use crate::model::spec::tests::settings;
use crate::model::spec::{Addressing, ServiceSpec, StackSpec};
use ordersys_contract::Role;

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../compose/compose.yaml"));
/// Where Compose mounts secrets.
const COMPOSE_SECRETS: &str = "/run/secrets";

/// The lines of each block of that indentation, by the block's name.
fn blocks<'a>(text: &'a str, indent: &str) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        match line.strip_prefix(indent) {
            Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => {
                let name = rest.split(':').next().unwrap_or(rest);
                current = Some(name);
                found.entry(name).or_default().push(line.trim());
            }
            Some(_) => found.entry(current.unwrap_or("")).or_default().push(line.trim()),
            None => current = None,
        }
    }
    found
}

fn made(spec: &ServiceSpec) -> (ContainerCreateBody, HostConfig) {
    let names = Names::of("shop".parse().expect("a name"));
    let (run, image) = (RunId::new(), ImageName::of("abc"));
    let making = Making { names: &names, run: &run, image: &image, network: "n1" };
    let body = body(making, spec, StartInterval::Unknown);
    let host = body.host_config.clone().expect("a host configuration");
    (body, host)
}

fn services() -> Vec<(Role, ServiceSpec)> {
    let stack = StackSpec::new(&settings(Topology::Services, Addressing::Network));
    Role::ALL.into_iter().zip(stack.services).collect()
}

fn json(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", "))
}

fn seconds(nanos: Option<i64>) -> String {
    format!("{}s", nanos.unwrap_or(0) / 1_000_000_000)
}

#[test]
fn services_are_called_as_up_calls_them() {
    let compose = blocks(FILE, "  ");
    for (role, spec) in services() {
        let (body, host) = made(&spec);
        let place = Place {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            ports: spec.ports.clone(),
            data_dir: DATA_DIR.to_owned(),
            secrets_dir: COMPOSE_SECRETS.to_owned(),
            this_machine: None,
        };
        let health = body.healthcheck.expect("a health check");
        let binding = host.port_bindings.expect("ports").remove(&format!("{}/tcp", role.default_port()));
        let binding = binding.flatten().expect("bound").remove(0);
        let wanted = [
            format!("command: {}", json(&serve_args(&spec, &place))),
            format!(
                "- \"{}:{}:{}\"",
                binding.host_ip.expect("an address"),
                binding.host_port.expect("a port"),
                role.default_port()
            ),
            format!("- {role}-data:{DATA_DIR}/{role}"),
            format!("test: {}", json(&health.test.expect("a test"))),
            format!("interval: {}", seconds(health.interval)),
            format!("timeout: {}", seconds(health.timeout)),
            format!("retries: {}", health.retries.expect("retries")),
            "<<: *hardening".to_owned(),
        ];
        let lines = &compose[role.host_name().as_str()];
        for line in wanted {
            assert!(lines.contains(&line.as_str()), "{role}: `{line}` is not in the compose file");
        }
        for needed in role.needs() {
            let line = format!("{}:", needed.host_name());
            assert!(lines.contains(&line.as_str()), "{role} does not wait for {needed}");
        }
    }
}

#[test]
fn services_are_hardened_as_up_hardens_them() {
    let compose = blocks(FILE, "");
    let lines = &compose["x-hardening"];
    let (body, host) = made(&services()[0].1);
    let tmpfs = host.tmpfs.expect("a tmpfs");
    let log = host.log_config.and_then(|log| log.config).expect("log options");
    let wanted = [
        format!("init: {}", host.init.expect("init")),
        format!("read_only: {}", host.readonly_rootfs.expect("read-only")),
        format!("- /tmp:{}", tmpfs["/tmp"]),
        format!("- {}", host.cap_drop.expect("capabilities")[0]),
        format!("- {}", host.security_opt.expect("options")[0]),
        format!("pids_limit: {}", host.pids_limit.expect("a limit")),
        format!("mem_limit: {}g", host.memory.expect("a limit") >> 30),
        format!("restart: {}", host.restart_policy.and_then(|policy| policy.name).expect("a policy")),
        format!("stop_grace_period: {}s", body.stop_timeout.expect("a grace")),
        format!("max-size: {}", log["max-size"]),
        format!("max-file: \"{}\"", log["max-file"]),
        "- backend".to_owned(),
    ];
    for line in wanted {
        assert!(lines.contains(&line.as_str()), "`{line}` is not in the compose file: {lines:?}");
    }
}
