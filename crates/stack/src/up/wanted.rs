//! What a stack is to be like: as the flags say, as last time where they say nothing, else as usual.

use std::net::{IpAddr, Ipv4Addr};

use ordersys_contract::Secret;
use ordersys_contract::settings::{DatabaseAddress, Durability, HostName, Store, Tracing};

use crate::model::record::{RuntimeKind, Topology};
use crate::model::replicas::{Replicas, ReplicasFlag};
use crate::model::started::{LOG, Started};
use crate::ports::PortChoices;
use crate::up::select::{Choice, RuntimeChoice};

/// What the flags of `up` say of a stack; what they do not say is as last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it runs.
    pub runtime: Option<RuntimeChoice>,
    /// How roles are spread over services.
    pub topology: Option<Topology>,
    /// How many services play which roles.
    pub replicas: Vec<ReplicasFlag>,
    /// How ports are chosen.
    pub ports: PortChoices,
    /// The address ports are published on.
    pub bind: Option<IpAddr>,
    /// Further names under which clients reach the services.
    pub allowed_hosts: Option<Vec<HostName>>,
    /// What commits promise.
    pub durability: Option<Durability>,
    /// What the data is kept in.
    pub store: Option<Store>,
    /// The password of the database's role.
    pub store_password: Option<Secret>,
    /// The services' log filter.
    pub log: Option<String>,
    /// What the services trace.
    pub tracing: Option<Tracing>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            runtime: None,
            topology: None,
            replicas: Vec::new(),
            ports: PortChoices::as_before(),
            bind: None,
            allowed_hosts: None,
            durability: None,
            store: None,
            store_password: None,
            log: None,
            tracing: None,
        }
    }
}

/// What a stack is going to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) runtime: Choice,
    pub(crate) topology: Topology,
    pub(crate) replicas: Replicas,
    pub(crate) bind: IpAddr,
    pub(crate) allowed_hosts: Vec<HostName>,
    pub(crate) durability: Durability,
    pub(crate) database: Option<DatabaseAddress>,
    pub(crate) log: String,
    pub(crate) tracing: Option<Tracing>,
}

impl Wanted {
    /// What is going to be, after a stack that was started like this.
    pub(crate) fn settle(&self, before: Option<&Started>) -> Settled {
        let runtime = match (self.runtime, before) {
            (Some(choice), _) => Choice::Named(choice),
            (None, Some(before)) => Choice::AsLastTime(before.runtime),
            (None, None) => Choice::Named(RuntimeChoice::Auto),
        };
        let topology = self.topology.or(before.map(|before| before.topology));
        let bind = self.bind.or(before.map(|before| before.bind));
        let hosts = self.allowed_hosts.clone().or_else(|| before.map(|before| before.allowed_hosts.clone()));
        let log = self.log.clone().or_else(|| before.map(|before| before.log.clone()));
        let database = match &self.store {
            Some(Store::Sqlite) => None,
            Some(Store::Postgres(address)) => Some(address.clone()),
            None => before.and_then(|before| before.database.clone()),
        };
        // What a commit means in a database is its server's business.
        let promised = before.filter(|before| before.database.is_none()).map(|before| before.durability);
        Settled {
            runtime,
            topology: topology.unwrap_or(Topology::Services),
            replicas: before
                .map(|before| before.replicas.clone())
                .unwrap_or_default()
                .as_said(&self.replicas),
            bind: bind.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            allowed_hosts: hosts.unwrap_or_default(),
            durability: self.durability.or(promised.filter(|_| database.is_none())).unwrap_or_default(),
            database,
            log: log.unwrap_or_else(|| LOG.to_owned()),
            tracing: self.tracing.clone().or_else(|| before?.tracing.clone()),
        }
    }

    /// Says what is as last time, and how that is changed; `None` if the flags say all.
    pub(crate) fn kept_text(&self, before: &Started) -> Option<String> {
        let mut kept: Vec<(String, &str)> = Vec::new();
        let mut keep = |is_kept: bool, what: String, flag| kept.extend(is_kept.then_some((what, flag)));
        keep(self.runtime.is_none(), place(before.runtime).to_owned(), "--runtime");
        keep(self.topology.is_none(), topology(before.topology).to_owned(), "--topology");
        let ports: Vec<u16> =
            before.ports.iter().filter(|(role, _)| self.ports.keeps(**role)).map(|(_, port)| *port).collect();
        keep(!ports.is_empty(), format!("ports {}", ports_text(&ports)), "--port");
        let replicas = before.replicas.unsaid(&self.replicas);
        keep(!replicas.is_one_each(), replicas.words(), "--replicas");
        let bind = self.bind.is_none() && before.bind != IpAddr::V4(Ipv4Addr::LOCALHOST);
        keep(bind, format!("bound to {}", before.bind), "--bind");
        let hosts: Vec<&str> = before.allowed_hosts.iter().map(HostName::as_str).collect();
        let is_kept = self.allowed_hosts.is_none() && !hosts.is_empty();
        keep(is_kept, format!("reached as {}", hosts.join(" and ")), "--allowed-host");
        let durability = self.durability.is_none() && before.durability != Durability::default();
        keep(durability, format!("durability {}", before.durability), "--durability");
        if let Some(database) = &before.database {
            keep(self.store.is_none(), format!("data in {database}"), "--store");
        }
        keep(self.log.is_none() && before.log != LOG, format!("log {}", before.log), "--log");
        if let Some(tracing) = &before.tracing {
            keep(self.tracing.is_none(), format!("traces to {}", tracing.collector), "--otlp");
        }
        let (what, flags): (Vec<String>, Vec<&str>) = kept.into_iter().unzip();
        let verb = if flags.len() == 1 { "changes" } else { "change" };
        (!what.is_empty())
            .then(|| format!("as last time: {}; {} {verb} that", what.join(", "), flags.join(", ")))
    }
}

fn place(runtime: RuntimeKind) -> &'static str {
    match runtime {
        RuntimeKind::Docker => "in Docker",
        RuntimeKind::Process => "processes",
    }
}

fn topology(topology: Topology) -> &'static str {
    match topology {
        Topology::Services => "three services",
        Topology::Monolith => "monolith",
    }
}

fn ports_text(ports: &[u16]) -> String {
    let in_a_row = ports.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    match ports {
        [first, .., last] if in_a_row && ports.len() > 2 => format!("{first} to {last}"),
        _ => ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use ordersys_contract::Role;

    fn before() -> Started {
        Started {
            runtime: RuntimeKind::Process,
            topology: Topology::Monolith,
            ports: [(Role::User, 29_470), (Role::Product, 29_471), (Role::Order, 29_472)].into(),
            replicas: Replicas::default(),
            further: BTreeMap::new(),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            allowed_hosts: Vec::new(),
            durability: Durability::Full,
            database: None,
            log: "debug".to_owned(),
            tracing: None,
            home: None,
        }
    }

    #[test]
    fn what_no_flag_names_is_as_last_time_and_said() {
        let settled = Wanted::default().settle(Some(&before()));
        assert_eq!(settled.runtime, Choice::AsLastTime(RuntimeKind::Process));
        assert_eq!((settled.topology, settled.log.as_str()), (Topology::Monolith, "debug"));
        assert_eq!(
            Wanted::default().kept_text(&before()).as_deref(),
            Some(
                "as last time: processes, monolith, ports 29470 to 29472, log debug; \
                 --runtime, --topology, --port, --log change that"
            )
        );
        let wanted = Wanted {
            runtime: Some(RuntimeChoice::Auto),
            topology: Some(Topology::Services),
            ports: PortChoices::auto(),
            ..Wanted::default()
        };
        let settled = wanted.settle(Some(&before()));
        assert_eq!(settled.runtime, Choice::Named(RuntimeChoice::Auto));
        assert_eq!(settled.topology, Topology::Services);
        assert_eq!(
            wanted.kept_text(&before()).as_deref(),
            Some("as last time: log debug; --log changes that")
        );
        let first = Wanted::default().settle(None);
        assert_eq!((first.topology, first.log.as_str()), (Topology::Services, LOG));
    }
}
