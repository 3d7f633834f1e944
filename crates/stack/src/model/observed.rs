//! What is there of a stack now, as an engine tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ordersys_contract::Timestamp;

use crate::model::spec::{ServiceName, ServiceSpec};
use ordersys_contract::Role;

/// What is there of a project.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Whether the image wanted is loaded.
    pub image_present: bool,
    /// Networks of the project with the name wanted, oldest first.
    pub networks: Vec<NetworkId>,
    /// Volumes of the project.
    pub volumes: BTreeSet<String>,
    /// Containers or processes of the project.
    pub services: Vec<ObservedService>,
    /// The program they were started from, if that is remembered.
    pub program: Option<PathBuf>,
}

impl Observed {
    /// The ports of the services with such names.
    pub(crate) fn ports(
        &self,
        wanted: impl Fn(ServiceName) -> bool,
    ) -> Vec<(ServiceName, BTreeMap<Role, u16>)> {
        let named =
            self.services.iter().filter_map(|it| Some((ServiceName::named(&it.service)?, it.ports.clone())));
        named.filter(|(name, _)| wanted(*name)).collect()
    }

    /// The services that play a role, in their order, and the port of each.
    pub(crate) fn ports_of(&self, role: Role) -> BTreeMap<ServiceName, u16> {
        let plays = |(name, ports): (ServiceName, BTreeMap<Role, u16>)| Some((name, *ports.get(&role)?));
        self.ports(|_| true).into_iter().filter_map(plays).collect()
    }

    /// Adds settings that are remembered from an earlier run to the services they were made with.
    pub fn recall(&mut self, remembered: &[ServiceSpec]) {
        for service in &mut self.services {
            let made_with =
                |spec: &&ServiceSpec| spec.name.name() == service.service && spec.hash() == service.spec_hash;
            service.spec = remembered.iter().find(made_with).cloned();
            if let (true, Some(spec)) = (service.ports.is_empty(), &service.spec) {
                service.ports.clone_from(&spec.ports);
            }
        }
    }
}

/// A network's id: names are not unique on older engines.
pub type NetworkId = String;

/// A container or process of the project.
#[derive(Debug, Clone)]
pub struct ObservedService {
    /// The engine's id: container id, or process id.
    pub id: String,
    /// Which service it says it is; empty for helpers.
    pub service: String,
    /// Whether it is the one that serves, or one that was set aside for it.
    pub standing: Standing,
    /// What it is doing.
    pub condition: Condition,
    /// The hash of the settings it was made with.
    pub spec_hash: String,
    /// The settings themselves, if they are known.
    pub spec: Option<ServiceSpec>,
    /// The hash of the program it runs.
    pub artefact: String,
    /// The networks it is on, by id.
    pub networks: Vec<NetworkId>,
    /// The ports it holds on this machine.
    pub ports: BTreeMap<Role, u16>,
    /// What `status` shows besides.
    pub facts: Facts,
}

/// What is worth knowing about a running service and decides nothing.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The id of its first process, as its machine counts.
    pub pid: Option<u32>,
    /// Since when it runs.
    pub since: Option<Timestamp>,
    /// How often it was restarted.
    pub restarts: u64,
    /// The version it was made from.
    pub version: Option<String>,
    /// The memory it uses, in bytes.
    pub memory_bytes: Option<u64>,
}

/// Whether a container is the one that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has the service's name.
    Current,
    /// An `up` set it aside to replace it, and was killed before it removed it; or it is a helper.
    SetAside,
}

/// What a container or process is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Made, never started.
    Created,
    /// Running.
    Running,
    /// Stopped in its tracks, on purpose.
    Paused,
    /// Running, and on no network, on purpose.
    Cut,
    /// Running, while what would start it again was killed.
    Unwatched,
    /// It ended and is about to be started again; how it ended.
    Restarting(String),
    /// It ended, and stays so; how.
    Exited(String),
    /// The engine cannot use it any more.
    Dead,
}
