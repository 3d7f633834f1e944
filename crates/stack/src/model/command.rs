//! The command line a service is started with, wherever it runs.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::project::DATABASE_FILE;
use crate::model::spec::{ServiceName, ServiceSpec};
use ordersys_contract::Role;

/// What a service sees of the place it runs in.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address it listens on.
    pub bind: IpAddr,
    /// The port of each of its roles, in there.
    pub ports: BTreeMap<Role, u16>,
    /// Where it keeps its data.
    pub data_dir: String,
    /// Where its credentials are.
    pub secrets_dir: String,
    /// What this machine is called in there, if loopback is something else.
    pub this_machine: Option<&'static str>,
}

/// The arguments after the program's name.
#[must_use]
pub fn serve_args(spec: &ServiceSpec, place: &Place) -> Vec<String> {
    let mut args = vec!["serve".to_owned(), spec.name.part().to_owned()];
    let mut flag = |name: &str, value: String| args.extend([format!("--{name}"), value]);
    flag("bind", place.bind.to_string());
    if !spec.hosts.is_empty() {
        flag("allowed-host", spec.hosts.join(","));
    }
    for (role, port) in &place.ports {
        if spec.name == ServiceName::MONOLITH {
            flag(&format!("{role}-port"), port.to_string());
        } else {
            flag("port", port.to_string());
        }
    }
    flag("data-dir", place.data_dir.clone());
    flag("secrets-dir", place.secrets_dir.clone());
    for (role, url) in &spec.peers {
        flag(&format!("{role}-url"), url.clone());
    }
    match &spec.database {
        Some(database) => {
            let seen = place.this_machine.and_then(|host| database.address.seen_from(host));
            flag("store", seen.as_ref().unwrap_or(&database.address).to_string());
            if database.password {
                flag("store-password-file", format!("{}/{DATABASE_FILE}", place.secrets_dir));
            }
        }
        None => flag("durability", spec.durability.to_string()),
    }
    flag("log-format", "json".to_owned());
    flag("log", spec.log.clone());
    if let Some(tracing) = &spec.tracing {
        let collector = place.this_machine.and_then(|host| tracing.collector.seen_from(host));
        flag("otlp", collector.unwrap_or_else(|| tracing.collector.clone()).to_string());
        flag("otlp-sample", tracing.sample.to_string());
        flag("otlp-budget", tracing.budget.to_string());
    }
    args
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::model::record::Topology;
    use crate::model::spec::tests::{replicated, settings, tracing};
    use crate::model::spec::{Addressing, Database, Settings, StackSpec};

    fn place(spec: &ServiceSpec) -> Place {
        Place {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            ports: spec.ports.clone(),
            data_dir: "/data".to_owned(),
            secrets_dir: "/s".to_owned(),
            this_machine: None,
        }
    }

    #[test]
    fn a_service_is_told_its_port_and_its_peers() {
        let stack = StackSpec::new(&settings(Topology::Services, Addressing::Network));
        let order = &stack.services[2];
        assert_eq!(
            serve_args(order, &place(order)).join(" "),
            "serve order --bind 0.0.0.0 --allowed-host 127.0.0.1,order-service --port 3003 --data-dir /data --secrets-dir /s \
             --user-url http://user-service:3001 --product-url http://product-service:3002 \
             --durability full --log-format json --log info"
        );
    }

    #[test]
    fn a_replica_is_told_what_it_plays_and_every_address_of_its_peers() {
        let stack = StackSpec::new(&replicated(Addressing::Host));
        let (last, args) = (&stack.services[5], serve_args(&stack.services[5], &place(&stack.services[5])));
        assert_eq!((last.name.name(), args[1].as_str()), ("order.3", "order"));
        let args = args.join(" ");
        assert!(args.contains("--port 20003 "), "{args}");
        assert!(args.contains("--product-url http://127.0.0.1:3002,http://127.0.0.1:20001 "), "{args}");
    }

    #[test]
    fn a_collector_on_this_machine_is_called_as_it_is_in_there() {
        let traced = |collector: &str, this_machine| {
            let settings = settings(Topology::Services, Addressing::Network);
            let stack = StackSpec::new(&Settings { tracing: Some(tracing(collector)), ..settings });
            let args = serve_args(&stack.services[0], &Place { this_machine, ..place(&stack.services[0]) });
            args[args.len() - 6..].join(" ")
        };
        let rest = "--otlp-sample 0.01 --otlp-budget 500";
        assert_eq!(traced("http://127.0.0.1:4318", None), format!("--otlp http://127.0.0.1:4318 {rest}"));
        assert_eq!(traced("http://127.0.0.1:4318", Some("host")), format!("--otlp http://host:4318 {rest}"));
        assert_eq!(traced("http://c:4318", Some("host")), format!("--otlp http://c:4318 {rest}"));
    }

    #[test]
    fn a_database_on_this_machine_is_called_as_it_is_in_there() {
        let settings = settings(Topology::Services, Addressing::Network);
        let address = "postgres://shop@127.0.0.1,db2/shop".parse().expect("an address");
        let database = Some(Database { address, password: true });
        let stack = StackSpec::new(&Settings { database, ..settings });
        let args = |this_machine| {
            serve_args(&stack.services[0], &Place { this_machine, ..place(&stack.services[0]) }).join(" ")
        };
        let rest = "--store-password-file /s/database.password --log-format json --log info";
        let here = format!("--store postgres://shop@127.0.0.1:5432,db2:5432/shop {rest}");
        assert!(args(None).ends_with(&here), "{}", args(None));
        let there = format!("--store postgres://shop@host:5432,db2:5432/shop {rest}");
        assert!(args(Some("host")).ends_with(&there), "{}", args(Some("host")));
    }

    #[test]
    fn the_monolith_is_told_three_ports() {
        let stack = StackSpec::new(&settings(Topology::Monolith, Addressing::Host));
        let all = &stack.services[0];
        assert_eq!(
            serve_args(all, &place(all)).join(" "),
            "serve all --bind 0.0.0.0 --allowed-host 127.0.0.1,user-service,product-service,order-service --user-port 3001 --product-port 3002 --order-port 3003 \
             --data-dir /data --secrets-dir /s --durability full --log-format json --log info"
        );
    }
}
