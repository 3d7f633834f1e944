//! What a service's container is made of: everything closed that a service does not need.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType,
    NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};

use crate::docker::engine::Engine;
use crate::docker::image::archive::ImageName;
use crate::docker::labels;
use crate::docker::labels::{Names, RunId};
use crate::docker::{DATA_DIR, SECRETS_DIR};
use crate::model::command::{Place, serve_args};
use crate::model::spec::{ServiceName, ServiceSpec};
use ordersys_contract::Role;

/// How long a service may take to drain before it is killed.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(10);
/// Most memory of a service, in bytes.
const MEMORY_BYTES: i64 = 1024 * 1024 * 1024;
/// Most processes and threads of a service.
const PIDS: i64 = 512;
/// Size of `/tmp`.
const TMPFS: &str = "rw,noexec,nosuid,nodev,size=64m,mode=1777";
/// Health probes are for `docker ps` and other tools; `up` asks the services itself.
const HEALTH_INTERVAL: Duration = Duration::from_secs(10);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
const HEALTH_START: Duration = Duration::from_secs(30);
const HEALTH_START_INTERVAL: Duration = Duration::from_millis(250);
/// What the machine of the engine is called in a container that is given this name.
const THIS_MACHINE: &str = "host.docker.internal";
/// The API that knows the interval at start; older ones drop it without a word.
const START_INTERVAL_API: u32 = 44;

/// Whether a mounted volume may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Whether the engine knows an interval of health probes at the start of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartInterval {
    Supported,
    Unknown,
}

impl StartInterval {
    pub(crate) fn of(engine: &Engine) -> Self {
        if engine.supports(START_INTERVAL_API) { Self::Supported } else { Self::Unknown }
    }
}

/// What a container is made from besides its service's settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making<'a> {
    pub(crate) names: &'a Names,
    pub(crate) run: &'a RunId,
    pub(crate) image: &'a ImageName,
    pub(crate) network: &'a str,
}

pub(crate) fn body(
    making: Making<'_>,
    spec: &ServiceSpec,
    start_interval: StartInterval,
) -> ContainerCreateBody {
    let inside: std::collections::BTreeMap<Role, u16> =
        spec.name.roles().iter().map(|role| (*role, role.default_port())).collect();
    let exposed = inside.values().map(|port| format!("{port}/tcp")).collect();
    let place = Place {
        bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ports: inside,
        data_dir: DATA_DIR.to_owned(),
        secrets_dir: SECRETS_DIR.to_owned(),
        this_machine: Some(THIS_MACHINE),
    };
    let mut labels = making.names.labels(making.run);
    labels.insert(labels::SERVICE.to_owned(), spec.name.to_string());
    labels.insert(labels::SPEC_HASH.to_owned(), spec.hash());
    labels.insert(labels::IMAGE_HASH.to_owned(), making.image.hash.clone());
    ContainerCreateBody {
        hostname: Some(spec.name.to_string()),
        image: Some(making.image.tag.clone()),
        cmd: Some(serve_args(spec, &place)),
        exposed_ports: Some(exposed),
        healthcheck: Some(health(spec, start_interval)),
        labels: Some(labels),
        stop_timeout: i64::try_from(STOP_GRACE.as_secs()).ok(),
        host_config: Some(host_config(making, spec)),
        networking_config: Some(networking(making.network, spec)),
        ..ContainerCreateBody::default()
    }
}

fn health(spec: &ServiceSpec, start_interval: StartInterval) -> HealthConfig {
    // The last role needs the others, so its answer speaks for all.
    let port = spec.name.roles().last().map_or(0, |role| role.default_port());
    let url = format!("http://127.0.0.1:{port}/health");
    let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).ok();
    HealthConfig {
        test: Some(["CMD", "/ordersys", "health", "--url", &url].map(str::to_owned).to_vec()),
        interval: nanos(HEALTH_INTERVAL),
        timeout: nanos(HEALTH_TIMEOUT),
        retries: Some(3),
        start_period: nanos(HEALTH_START),
        start_interval: match start_interval {
            StartInterval::Supported => nanos(HEALTH_START_INTERVAL),
            StartInterval::Unknown => None,
        },
    }
}

fn host_config(making: Making<'_>, spec: &ServiceSpec) -> HostConfig {
    let published = |role: &Role| {
        let host_port = spec.ports.get(role)?.to_string();
        let binding = PortBinding { host_ip: Some(spec.bind.to_string()), host_port: Some(host_port) };
        Some((format!("{}/tcp", role.default_port()), Some(vec![binding])))
    };
    let mut mounts: Vec<Mount> = spec
        .name
        .roles()
        .iter()
        .map(|role| {
            volume_mount(&making.names.data_volume(*role), &format!("{DATA_DIR}/{role}"), Access::Write)
        })
        .collect();
    mounts.push(volume_mount(&making.names.secrets_volume(), SECRETS_DIR, Access::Read));
    HostConfig {
        port_bindings: Some(spec.name.roles().iter().filter_map(published).collect()),
        mounts: Some(mounts),
        network_mode: Some(making.network.to_owned()),
        extra_hosts: extra_hosts(spec),
        init: Some(true),
        readonly_rootfs: Some(true),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), TMPFS.to_owned())])),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        pids_limit: Some(PIDS),
        memory: Some(MEMORY_BYTES),
        log_config: Some(log_config()),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        ..HostConfig::default()
    }
}

/// A collector on this machine is found through the gateway. No other container is given a way there.
fn extra_hosts(spec: &ServiceSpec) -> Option<Vec<String>> {
    spec.tracing.as_ref()?.collector.seen_from(THIS_MACHINE)?;
    Some(vec![format!("{THIS_MACHINE}:host-gateway")])
}

/// Bounded, so that a long load run does not fill the disk.
fn log_config() -> HostConfigLogConfig {
    let options = [("max-size", "10m"), ("max-file", "3")];
    let config = options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(config) }
}

fn networking(network: &str, spec: &ServiceSpec) -> NetworkingConfig {
    let endpoint = endpoint(network, spec.name);
    NetworkingConfig { endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])) }
}

/// A service on a network, where the others find it by the names of its roles.
pub(crate) fn endpoint(network: &str, service: ServiceName) -> EndpointSettings {
    EndpointSettings {
        network_id: Some(network.to_owned()),
        aliases: Some(service.roles().iter().map(|role| role.host_name()).collect()),
        ..EndpointSettings::default()
    }
}

/// Mounts one of the project's volumes.
pub(crate) fn volume_mount(volume: &str, target: &str, access: Access) -> Mount {
    Mount {
        target: Some(target.to_owned()),
        source: Some(volume.to_owned()),
        typ: Some(MountType::VOLUME),
        read_only: Some(access == Access::Read),
        ..Mount::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Topology;
    use crate::model::spec::tests::{settings, tracing};
    use crate::model::spec::{Addressing, StackSpec};

    fn made(topology: Topology, service: usize) -> ContainerCreateBody {
        let stack = StackSpec::new(&settings(topology, Addressing::Network));
        let names = Names::of("shop".parse().expect("a name"));
        let (run, image) = (RunId::new(), ImageName::of("abc"));
        let making = Making { names: &names, run: &run, image: &image, network: "n1" };
        body(making, &stack.services[service], StartInterval::Unknown)
    }

    fn mounts(body: &ContainerCreateBody) -> Vec<String> {
        let host = body.host_config.clone().expect("a host configuration");
        let line = |mount: Mount| {
            let access = if mount.read_only == Some(true) { "ro" } else { "rw" };
            format!("{}:{}:{access}", mount.source.unwrap_or_default(), mount.target.unwrap_or_default())
        };
        host.mounts.unwrap_or_default().into_iter().map(line).collect()
    }

    #[test]
    fn a_service_gets_its_data_its_credentials_and_nothing_else() {
        let body = made(Topology::Services, 2);
        assert_eq!(
            mounts(&body),
            ["shop_order-data:/data/order:rw", "shop_secrets:/run/ordersys/secrets:ro"]
        );
        assert_eq!(body.env, None, "nothing in the environment");
        let host = body.host_config.expect("a host configuration");
        assert_eq!(host.readonly_rootfs, Some(true));
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        assert_eq!(host.privileged, None);
        let binding = &host.port_bindings.expect("ports")["3003/tcp"].clone().expect("bound")[0];
        assert_eq!(
            (binding.host_ip.as_deref(), binding.host_port.as_deref()),
            (Some("127.0.0.1"), Some("3003"))
        );
        assert_eq!(body.healthcheck.expect("a check").start_interval, None);
    }

    #[test]
    fn only_a_service_that_needs_it_is_given_a_way_to_this_machine() {
        let hosts = |collector: Option<&str>| {
            let mut stack = StackSpec::new(&settings(Topology::Services, Addressing::Network));
            stack.services[0].tracing = collector.map(tracing);
            extra_hosts(&stack.services[0])
        };
        assert_eq!(hosts(None), None);
        assert_eq!(hosts(Some("http://collector:4318")), None);
        let way = vec!["host.docker.internal:host-gateway".to_owned()];
        assert_eq!(hosts(Some("http://localhost:4318")), Some(way));
    }

    #[test]
    fn the_monolith_answers_to_all_three_names() {
        let body = made(Topology::Monolith, 0);
        assert_eq!(mounts(&body).len(), 4);
        let network = body.networking_config.and_then(|config| config.endpoints_config).expect("a network");
        let aliases = network["n1"].aliases.clone().expect("aliases");
        assert_eq!(aliases, ["user-service", "product-service", "order-service"]);
    }
}
