//! What a stack should be: its services and their settings, whatever engine runs them.

mod name;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ordersys_contract::client::Endpoints;
use ordersys_contract::hex;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::settings::Durability;
use ordersys_contract::settings::HostName;
use ordersys_contract::settings::Tracing;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

pub use name::{MOST_REPLICAS, NotAService, ServiceName};

use crate::model::record::Topology;
use ordersys_contract::Role;

/// How services of one stack find each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// By host name and default port on a network of their own.
    Network,
    /// By the ports they have on this machine.
    Host,
}

/// A database as services are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Where it is.
    pub address: DatabaseAddress,
    /// Whether the project's credentials hold a password of its role.
    pub password: bool,
}

/// One service as it should run. What is in here, and nothing else, decides whether a running one
/// has to be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Which one.
    pub name: ServiceName,
    /// The address its ports are published on.
    pub bind: IpAddr,
    /// The names under which clients reach it; any if there are none.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The published port of each of its roles.
    pub ports: BTreeMap<Role, u16>,
    /// Where it calls the roles that it does not play itself: base URLs, with commas between those of replicas.
    pub peers: BTreeMap<Role, String>,
    /// What its commits promise.
    #[serde(serialize_with = "write_durability", deserialize_with = "read_durability")]
    pub durability: Durability,
    /// The database its data is in; a directory of its own if there is none.
    #[serde(default)]
    pub database: Option<Database>,
    /// The log filter.
    pub log: String,
    /// What it traces, if anything.
    #[serde(default)]
    pub tracing: Option<Tracing>,
    /// Which credentials it was given: a fingerprint that changes when they do.
    pub credentials: String,
}

impl ServiceSpec {
    /// The services that have to be ready before this one is started.
    #[must_use]
    pub fn needs(&self) -> Vec<ServiceName> {
        let roles = self.name.roles();
        let needed = roles.iter().flat_map(|role| role.needs()).filter(|role| !roles.contains(role));
        needed.copied().map(ServiceName::from).collect()
    }

    /// The settings by name, in a fixed order: what is hashed, and what a change is named by.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::from([
            ("bind address".to_owned(), self.bind.to_string()),
            ("durability".to_owned(), self.durability.to_string()),
            ("log".to_owned(), self.log.clone()),
            ("credentials".to_owned(), self.credentials.clone()),
        ]);
        if let Some(database) = &self.database {
            settings.insert("store".to_owned(), database.address.to_string());
        }
        if !self.hosts.is_empty() {
            settings.insert("allowed hosts".to_owned(), self.hosts.join(","));
        }
        if let Some(tracing) = &self.tracing {
            settings.insert("otlp".to_owned(), tracing.collector.to_string());
            settings.insert("otlp sample".to_owned(), tracing.sample.to_string());
            settings.insert("otlp budget".to_owned(), tracing.budget.to_string());
        }
        settings.extend(self.ports.iter().map(|(role, port)| (format!("{role} port"), port.to_string())));
        settings.extend(self.peers.iter().map(|(role, url)| (format!("{role} url"), url.clone())));
        settings
    }

    /// SHA-256 over name and settings, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.name.name());
        for (name, value) in self.settings() {
            hash.update(format!("\n{}:{name}={}:{value}", name.len(), value.len()));
        }
        hex(&hash.finalize())
    }

    /// What differs from `earlier`, e.g. `log info -> debug`; credentials are never spelt out.
    #[must_use]
    pub fn changes_from(&self, earlier: &Self) -> Vec<String> {
        let before = earlier.settings();
        let after = self.settings();
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        let none = "none".to_owned();
        let change = |name: &String| match (before.get(name), after.get(name)) {
            (old, new) if old == new => None,
            _ if name == "credentials" => Some(name.clone()),
            (old, new) => Some(format!("{name} {} -> {}", old.unwrap_or(&none), new.unwrap_or(&none))),
        };
        names.into_iter().filter_map(change).collect()
    }

    /// The base URL of a role it plays, as clients on this machine use it.
    #[must_use]
    pub fn url(&self, role: Role, host: &str) -> Option<String> {
        self.ports.get(&role).map(|port| format!("http://{host}:{port}"))
    }

    /// Where its readiness is asked, one URL for each role.
    #[must_use]
    pub fn ready_urls(&self, host: &str) -> Vec<String> {
        self.ports.values().map(|port| format!("http://{host}:{port}/readyz")).collect()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(crate) fn write_durability<S: Serializer>(
    durability: &Durability,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(durability.as_str())
}

pub(crate) fn read_durability<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Durability, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// What decides a stack.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How roles are spread over services.
    pub topology: Topology,
    /// How services find each other.
    pub addressing: Addressing,
    /// The address ports are published on.
    pub bind: IpAddr,
    /// Further names under which clients reach the services.
    pub allowed_hosts: Vec<HostName>,
    /// The published port of each role.
    pub ports: BTreeMap<Role, u16>,
    /// The services besides the first one of each role, and their published ports.
    pub further: BTreeMap<ServiceName, u16>,
    /// What commits promise.
    pub durability: Durability,
    /// The database that holds the data, if it is in one.
    pub database: Option<Database>,
    /// The log filter.
    pub log: String,
    /// What the services trace, if anything.
    pub tracing: Option<Tracing>,
    /// The fingerprint of the project's credentials.
    pub credentials: String,
}

/// A stack as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSpec {
    /// How roles are spread over services.
    pub topology: Topology,
    /// The services, those that others need first.
    pub services: Vec<ServiceSpec>,
}

impl StackSpec {
    /// The stack these settings ask for.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let services = match settings.topology {
            Topology::Services => Role::ALL.iter().flat_map(|role| replicas(*role, settings)).collect(),
            Topology::Monolith => vec![service(ServiceName::MONOLITH, &settings.ports, settings)],
        };
        Self { topology: settings.topology, services }
    }

    /// The services in groups: each group needs only services of earlier ones.
    #[must_use]
    pub fn waves(&self) -> Vec<Vec<&ServiceSpec>> {
        let (first, rest): (Vec<_>, Vec<_>) = self.services.iter().partition(|spec| spec.needs().is_empty());
        [first, rest].into_iter().filter(|wave| !wave.is_empty()).collect()
    }

    /// Where its services answer when the machine they are published on is called `host`.
    #[must_use]
    pub fn endpoints(&self, host: &str) -> Endpoints {
        Role::ALL.into_iter().fold(Endpoints::default(), |endpoints, role| {
            let urls: Vec<String> = self.services.iter().filter_map(|spec| spec.url(role, host)).collect();
            endpoints.with(role, &urls)
        })
    }
}

/// The services that play a role, the first one first.
fn replicas(role: Role, settings: &Settings) -> Vec<ServiceSpec> {
    let ports = |(name, port)| service(name, &BTreeMap::from([(role, port)]), settings);
    addresses(role, settings).map(ports).collect()
}

/// The services that play a role, each with its port.
fn addresses(role: Role, settings: &Settings) -> impl Iterator<Item = (ServiceName, u16)> {
    let first = (ServiceName::from(role), settings.ports[&role]);
    let further = settings.further.iter().map(|(name, port)| (*name, *port));
    std::iter::once(first).chain(further.filter(move |(name, _)| name.roles() == [role]))
}

fn service(name: ServiceName, ports: &BTreeMap<Role, u16>, settings: &Settings) -> ServiceSpec {
    let roles = name.roles();
    let called = roles.iter().flat_map(|role| role.calls()).filter(|role| !roles.contains(role));
    let peers = called.map(|role| (*role, peer_url(*role, settings))).collect();
    ServiceSpec {
        name,
        bind: settings.bind,
        hosts: hosts(roles, settings),
        ports: ports.clone(),
        peers,
        durability: settings.durability,
        database: settings.database.clone(),
        log: settings.log.clone(),
        tracing: settings.tracing.clone(),
        credentials: settings.credentials.clone(),
    }
}

/// The names under which a service is reached: what is published on loopback answers to no others.
fn hosts(roles: &[Role], settings: &Settings) -> Vec<String> {
    if !settings.bind.is_loopback() && settings.allowed_hosts.is_empty() {
        return Vec::new();
    }
    let published =
        if settings.bind.is_unspecified() { "localhost".to_owned() } else { settings.bind.to_string() };
    let own = roles.iter().map(|role| role.host_name());
    let configured = settings.allowed_hosts.iter().map(|name| name.as_str().to_owned());
    [published].into_iter().chain(own).chain(configured).collect()
}

fn peer_url(role: Role, settings: &Settings) -> String {
    match settings.addressing {
        Addressing::Network => format!("http://{}:{}", role.host_name(), role.default_port()),
        Addressing::Host => {
            let host = local_host(settings.bind);
            let urls = addresses(role, settings).map(|(_, port)| format!("http://{host}:{port}"));
            urls.collect::<Vec<_>>().join(",")
        }
    }
}

/// The host, as written in a URL, at which this machine reaches ports bound to `bind`.
#[must_use]
pub fn local_host(bind: IpAddr) -> String {
    let reached = match bind {
        IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        address => address,
    };
    let text = SocketAddr::new(reached, 0).to_string();
    text.trim_end_matches(":0").to_owned() // SocketAddr brackets IPv6 as URLs do
}

#[cfg(test)]
pub(crate) mod tests;
