//! What `up` is asked for.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use ordersys_contract::settings::{Durability, HostName, Tracing};

use crate::docker::Lookup;
use crate::model::record::Topology;
use crate::plan::ImagePolicy;
use crate::ports::PortChoices;
use crate::up::select::RuntimeChoice;

/// What `up` is asked for.
#[derive(Debug, Clone)]
pub struct UpOptions {
    /// Where it runs.
    pub runtime: RuntimeChoice,
    /// How engines are looked for.
    pub engine: Lookup,
    /// How roles are spread over services.
    pub topology: Topology,
    /// How ports are chosen.
    pub ports: PortChoices,
    /// The address ports are published on.
    pub bind: IpAddr,
    /// Further names under which clients reach the services.
    pub allowed_hosts: Vec<HostName>,
    /// What commits promise.
    pub durability: Durability,
    /// The services' log filter.
    pub log: String,
    /// What the services trace, if anything.
    pub tracing: Option<Tracing>,
    /// The program services run, if not this one.
    pub binary: Option<PathBuf>,
    /// Whether the image is loaded anew.
    pub image: ImagePolicy,
    /// How long it may take, from the lock on.
    pub timeout: Duration,
    /// What happens when it fails.
    pub on_failure: OnFailure,
}

/// What happens to what a failed run made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// It is removed, and what it replaced comes back.
    #[default]
    RollBack,
    /// It stays, for a look.
    Keep,
}

impl UpOptions {
    /// The defaults of the command line.
    #[must_use]
    pub fn new(engine: Lookup) -> Self {
        Self {
            runtime: RuntimeChoice::Auto,
            engine,
            topology: Topology::Services,
            ports: PortChoices::default(),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            allowed_hosts: Vec::new(),
            durability: Durability::Full,
            log: "info".to_owned(),
            tracing: None,
            binary: None,
            image: ImagePolicy::WhenMissing,
            timeout: Duration::from_mins(1),
            on_failure: OnFailure::RollBack,
        }
    }
}
