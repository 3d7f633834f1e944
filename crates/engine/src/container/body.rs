//! What a service's container is made of: everything closed that a service does not need.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType,
    NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};

use crate::SECRETS_DIR;
use crate::engine::Engine;
use crate::image::archive::ImageName;
use crate::labels;
use crate::labels::{Names, RunId};

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
/// The API that knows the interval at start; older ones drop it without a word.
const START_INTERVAL_API: u32 = 44;

/// What the container of one service is made of, besides what is the same for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    /// The service's name, which is the container's host name too.
    pub service: String,
    /// The names under which other containers find it.
    pub aliases: Vec<String>,
    /// The arguments after the program's name.
    pub args: Vec<String>,
    /// The ports it serves.
    pub ports: Vec<PublishedPort>,
    /// What it may write besides `/tmp`.
    pub data: Vec<DataVolume>,
    /// Where it says whether it is well, as a URL inside the container.
    pub health_url: String,
    /// What the engine's machine is called in there, if it needs a way to that.
    pub this_machine: Option<&'static str>,
    /// The hash of all its settings, by which a change is seen.
    pub hash: String,
}

/// A port of a container, and where it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedPort {
    /// The port inside the container.
    pub inside: u16,
    /// The address of the engine's machine that it is published on.
    pub address: IpAddr,
    /// The port there.
    pub port: u16,
}

/// A volume that a container may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataVolume {
    /// Its name.
    pub name: String,
    /// Where it is mounted.
    pub target: String,
}

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
pub struct Making<'a> {
    /// The project's names.
    pub names: &'a Names,
    /// The run that makes it.
    pub run: &'a RunId,
    /// The image it runs.
    pub image: &'a ImageName,
    /// The id of the network it is on.
    pub network: &'a str,
}

pub(crate) fn body(
    making: Making<'_>,
    spec: &ContainerSpec,
    start_interval: StartInterval,
) -> ContainerCreateBody {
    let mut labels = making.names.labels(making.run);
    labels.insert(labels::SERVICE.to_owned(), spec.service.clone());
    labels.insert(labels::SPEC_HASH.to_owned(), spec.hash.clone());
    labels.insert(labels::IMAGE_HASH.to_owned(), making.image.hash.clone());
    ContainerCreateBody {
        hostname: Some(spec.service.clone()),
        image: Some(making.image.tag.clone()),
        cmd: Some(spec.args.clone()),
        exposed_ports: Some(spec.ports.iter().map(tcp).collect()),
        healthcheck: Some(health(&spec.health_url, start_interval)),
        labels: Some(labels),
        stop_timeout: i64::try_from(STOP_GRACE.as_secs()).ok(),
        host_config: Some(host_config(making, spec)),
        networking_config: Some(networking(making.network, spec)),
        ..ContainerCreateBody::default()
    }
}

/// A port as the engine writes it.
fn tcp(port: &PublishedPort) -> String {
    format!("{}/tcp", port.inside)
}

fn health(url: &str, start_interval: StartInterval) -> HealthConfig {
    let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).ok();
    HealthConfig {
        test: Some(["CMD", "/ordersys", "health", "--url", url].map(str::to_owned).to_vec()),
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

fn host_config(making: Making<'_>, spec: &ContainerSpec) -> HostConfig {
    let published = |port: &PublishedPort| {
        let binding =
            PortBinding { host_ip: Some(port.address.to_string()), host_port: Some(port.port.to_string()) };
        (tcp(port), Some(vec![binding]))
    };
    let data = spec.data.iter().map(|volume| volume_mount(&volume.name, &volume.target, Access::Write));
    let secrets = volume_mount(&making.names.secrets_volume(), SECRETS_DIR, Access::Read);
    HostConfig {
        port_bindings: Some(spec.ports.iter().map(published).collect()),
        mounts: Some(data.chain([secrets]).collect()),
        network_mode: Some(making.network.to_owned()),
        extra_hosts: spec.this_machine.map(|name| vec![format!("{name}:host-gateway")]),
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

/// Bounded, so that a long load run does not fill the disk.
fn log_config() -> HostConfigLogConfig {
    let options = [("max-size", "10m"), ("max-file", "3")];
    let config = options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(config) }
}

fn networking(network: &str, spec: &ContainerSpec) -> NetworkingConfig {
    let endpoint = endpoint(network, spec.aliases.clone());
    NetworkingConfig { endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])) }
}

/// A container on a network, where others find it by these names.
pub(crate) fn endpoint(network: &str, aliases: Vec<String>) -> EndpointSettings {
    EndpointSettings {
        network_id: Some(network.to_owned()),
        aliases: Some(aliases),
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
pub(crate) mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// What an engine is asked to make of a service.
    pub(crate) fn made(this_machine: Option<&'static str>) -> ContainerCreateBody {
        let names = Names::of("shop");
        let (run, image) = (RunId::new(), ImageName::of("abc"));
        let making = Making { names: &names, run: &run, image: &image, network: "n1" };
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let spec = ContainerSpec {
            service: "order".to_owned(),
            aliases: vec!["order-service".to_owned()],
            args: vec!["serve".to_owned(), "order".to_owned()],
            ports: vec![PublishedPort { inside: 3003, address, port: 18_003 }],
            data: vec![DataVolume { name: "shop_order-data".to_owned(), target: "/data/order".to_owned() }],
            health_url: "http://127.0.0.1:3003/health".to_owned(),
            this_machine,
            hash: "def".to_owned(),
        };
        body(making, &spec, StartInterval::Unknown)
    }

    fn mounts(host: &HostConfig) -> Vec<String> {
        let line = |mount: &Mount| {
            let access = if mount.read_only == Some(true) { "ro" } else { "rw" };
            let part = |part: &Option<String>| part.clone().unwrap_or_default();
            format!("{}:{}:{access}", part(&mount.source), part(&mount.target))
        };
        host.mounts.iter().flatten().map(line).collect()
    }

    #[test]
    fn a_service_gets_its_data_its_credentials_and_nothing_else() {
        let body = made(None);
        assert_eq!(body.env, None, "nothing in the environment");
        let host = body.host_config.expect("a host configuration");
        assert_eq!(
            mounts(&host),
            ["shop_order-data:/data/order:rw", "shop_secrets:/run/ordersys/secrets:ro"]
        );
        assert_eq!(host.readonly_rootfs, Some(true));
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        assert_eq!(host.privileged, None);
        let binding = &host.port_bindings.expect("ports")["3003/tcp"].clone().expect("bound")[0];
        assert_eq!(
            (binding.host_ip.as_deref(), binding.host_port.as_deref()),
            (Some("127.0.0.1"), Some("18003"))
        );
        assert_eq!(body.healthcheck.expect("a check").start_interval, None);
    }

    #[test]
    fn only_a_service_that_needs_it_is_given_a_way_to_this_machine() {
        let hosts = |name| made(name).host_config.expect("a host configuration").extra_hosts;
        assert_eq!(hosts(None), None);
        let way = vec!["host.docker.internal:host-gateway".to_owned()];
        assert_eq!(hosts(Some("host.docker.internal")), Some(way));
    }

    #[test]
    fn it_answers_to_its_names_on_the_network() {
        let network = made(None).networking_config.and_then(|config| config.endpoints_config);
        let aliases = network.expect("a network")["n1"].aliases.clone().expect("aliases");
        assert_eq!(aliases, ["order-service"]);
    }
}
