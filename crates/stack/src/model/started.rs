//! How a project was started last: kept beside its data, so that the next `up` starts the same thing.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;

use ordersys_contract::settings::{DatabaseAddress, Durability, HostName, Tracing};
use serde::{Deserialize, Serialize};

use crate::model::project::Project;
use crate::model::record::{RuntimeKind, StackRecord, Topology};
use crate::model::replicas::Replicas;
use crate::model::spec::{ServiceName, ServiceSpec, read_durability, write_durability};
use ordersys_contract::Role;
use ordersys_supervisor::files::write_private;
use ordersys_supervisor::home::Home;

/// The log filter of services that nothing was said about.
pub(crate) const LOG: &str = "info";

/// What the last `up` that came to its end made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// Where it ran.
    pub runtime: RuntimeKind,
    /// How it was spread.
    pub topology: Topology,
    /// The published port of each role.
    pub ports: BTreeMap<Role, u16>,
    /// How many services played each role.
    #[serde(default, skip_serializing_if = "Replicas::is_one_each")]
    pub replicas: Replicas,
    /// The published ports of those besides the first one of each role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub further: BTreeMap<ServiceName, u16>,
    /// The address they were published on.
    pub bind: IpAddr,
    /// Further names under which clients reached the services.
    pub allowed_hosts: Vec<HostName>,
    /// What its commits promised.
    #[serde(serialize_with = "write_durability", deserialize_with = "read_durability")]
    pub durability: Durability,
    /// The database that held its data, if it was in one.
    #[serde(default)]
    pub database: Option<DatabaseAddress>,
    /// Its log filter.
    pub log: String,
    /// What it traced, if anything.
    pub tracing: Option<Tracing>,
    /// The directory it was written for: a copy of a directory is started elsewhere.
    #[serde(default)]
    pub(crate) home: Option<Home>,
}

impl Started {
    /// Its file in a project's directory.
    pub(crate) const FILE: &str = "started.json";

    /// What is remembered of a project. Where the file is not there or is damaged, what its stack's record says.
    #[must_use]
    pub fn load(project: &Project) -> Option<Self> {
        let text = fs::read(project.dir.join(Self::FILE)).ok();
        let written = text.and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        let started = written.or_else(|| Self::of_record(&StackRecord::readable(project)?))?;
        let is_here = started.home.as_ref().is_none_or(|home| home.is_at(&project.dir));
        let (ports, further) = if is_here { (started.ports, started.further) } else { Default::default() };
        Some(Self { ports, further, ..started })
    }

    /// Stores it, replacing what was remembered before.
    pub(crate) fn save(&self, project: &Project) -> anyhow::Result<()> {
        let here = Self { home: Home::of(&project.dir).ok(), ..self.clone() };
        write_private(&project.dir.join(Self::FILE), &serde_json::to_vec_pretty(&here)?)
    }

    /// What the record of a stack tells: all but further names of hosts, which are among others there.
    fn of_record(record: &StackRecord) -> Option<Self> {
        let first = record.services.first()?;
        let usual = || !record.failed;
        Some(Self {
            runtime: record.runtime,
            topology: record.topology,
            ports: first_ports(&record.services),
            replicas: replicas(&record.services),
            further: further_ports(&record.services),
            bind: first.bind,
            allowed_hosts: Vec::new(),
            durability: Some(first.durability).filter(|_| usual()).unwrap_or_default(),
            database: first.database.as_ref().map(|database| database.address.clone()),
            log: Some(first.log.clone()).filter(|_| usual()).unwrap_or_else(|| LOG.to_owned()),
            tracing: first.tracing.clone().filter(|_| usual()),
            home: record.home.clone(),
        })
    }
}

/// The ports of the first service of each role.
pub(crate) fn first_ports(services: &[ServiceSpec]) -> BTreeMap<Role, u16> {
    services.iter().filter(|spec| !spec.name.is_further()).flat_map(|spec| spec.ports.clone()).collect()
}

/// The ports of the others.
pub(crate) fn further_ports(services: &[ServiceSpec]) -> BTreeMap<ServiceName, u16> {
    let further = services.iter().filter(|spec| spec.name.is_further());
    further.filter_map(|spec| Some((spec.name, *spec.ports.values().next()?))).collect()
}

fn replicas(services: &[ServiceSpec]) -> Replicas {
    Replicas::counted(services.iter().map(|spec| spec.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spec::tests::settings;
    use crate::model::spec::{Addressing, StackSpec};

    #[test]
    fn what_was_started_is_remembered_and_a_copy_has_other_ports() {
        let dir = tempfile::tempdir().expect("a directory");
        let project = Project::new("p".parse().expect("a name"), dir.path());
        project.prepare().expect("prepared");
        assert_eq!(Started::load(&project), None);
        let services = StackSpec::new(&settings(Topology::Monolith, Addressing::Host)).services;
        let record = StackRecord {
            runtime: RuntimeKind::Process,
            topology: Topology::Monolith,
            endpoints: ordersys_contract::client::Endpoints::default(),
            services,
            program: None,
            failed: false,
            home: None,
        };
        record.save(&project).expect("saved");
        let told = Started::load(&project).expect("the record tells");
        assert_eq!((told.ports[&Role::Order], told.topology), (3003, Topology::Monolith));

        let ports = BTreeMap::from([(Role::User, 7)]);
        let started = Started { ports, log: "debug".to_owned(), ..told };
        started.save(&project).expect("saved");
        let loaded = Started::load(&project).expect("remembered");
        assert_eq!((loaded.ports.len(), loaded.log.as_str()), (1, "debug"));
        let copy = Project::new("q".parse().expect("a name"), dir.path());
        copy.prepare().expect("prepared");
        fs::copy(project.dir.join(Started::FILE), copy.dir.join(Started::FILE)).expect("copies");
        let copied = Started::load(&copy).expect("remembered");
        assert_eq!((copied.ports.len(), copied.log.as_str()), (0, "debug"));
        fs::write(project.dir.join(Started::FILE), "").expect("writes");
        assert_eq!(Started::load(&project).expect("the record tells").ports[&Role::Order], 3003);
    }
}
