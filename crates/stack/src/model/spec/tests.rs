//! The pure parts of a stack's description, and settings other tests start from.

use super::*;

pub(crate) fn settings(topology: Topology, addressing: Addressing) -> Settings {
    Settings {
        topology,
        addressing,
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        allowed_hosts: Vec::new(),
        ports: Role::ALL.into_iter().map(|role| (role, role.default_port())).collect(),
        further: BTreeMap::new(),
        durability: Durability::Full,
        database: None,
        log: "info".to_owned(),
        tracing: None,
        credentials: "c0ffee".to_owned(),
    }
}

pub(crate) fn tracing(collector: &str) -> Tracing {
    Tracing::new(collector.parse().expect("a URL"))
}

#[test]
fn the_order_service_comes_after_the_two_it_calls() {
    let stack = StackSpec::new(&settings(Topology::Services, Addressing::Network));
    let names: Vec<Vec<&str>> =
        stack.waves().iter().map(|wave| wave.iter().map(|spec| spec.name.name()).collect()).collect();
    assert_eq!(names, [vec!["user", "product"], vec!["order"]]);
    assert_eq!(stack.services[2].needs(), [Role::User, Role::Product].map(ServiceName::from));
}

/// Three order services and two product services.
pub(crate) fn replicated(addressing: Addressing) -> Settings {
    let further = [("product.2", 20_001), ("order.2", 20_002), ("order.3", 20_003)];
    let further = further.map(|(name, port)| (name.parse().expect("a name"), port));
    Settings { further: further.into(), ..settings(Topology::Services, addressing) }
}

#[test]
fn replicas_have_ports_of_their_own_and_are_called_at_all_addresses() {
    let stack = StackSpec::new(&replicated(Addressing::Host));
    let waves: Vec<Vec<&str>> =
        stack.waves().iter().map(|wave| wave.iter().map(|spec| spec.name.name()).collect()).collect();
    assert_eq!(waves, [vec!["user", "product", "product.2"], vec!["order", "order.2", "order.3"]]);
    let last = &stack.services[5];
    assert_eq!(last.ports, BTreeMap::from([(Role::Order, 20_003)]));
    assert_eq!(last.peers[&Role::Product], "http://127.0.0.1:3002,http://127.0.0.1:20001");
    let endpoints = stack.endpoints("shop");
    assert_eq!(endpoints.all(Role::Order), ["http://shop:3003", "http://shop:20002", "http://shop:20003"]);
    assert_eq!(endpoints.all(Role::User), ["http://shop:3001"]);
    let network = StackSpec::new(&replicated(Addressing::Network));
    assert_eq!(network.services[5].peers[&Role::Product], "http://product-service:3002", "one name for all");
}

#[test]
fn a_stack_of_one_each_is_described_as_ever() {
    let stack = StackSpec::new(&settings(Topology::Services, Addressing::Host));
    let order = &stack.services[2];
    let written = serde_json::to_value(order).expect("writes");
    let peers = serde_json::json!({"user": "http://127.0.0.1:3001", "product": "http://127.0.0.1:3002"});
    assert_eq!((&written["name"], &written["peers"]), (&"order".into(), &peers));
    // Another one would replace every stack that is up.
    assert_eq!(order.hash(), "75e1aa8edd2557052bc19ab67dbef3f80fda0da4b2d57fae3d25c9f6917a4886");
}

#[test]
fn a_monolith_has_no_peers() {
    let stack = StackSpec::new(&settings(Topology::Monolith, Addressing::Host));
    assert_eq!(stack.waves().len(), 1);
    assert!(stack.services[0].peers.is_empty());
    assert_eq!(stack.endpoints("127.0.0.1").order, "http://127.0.0.1:3003");
}

#[test]
fn every_setting_changes_the_hash() {
    let base = settings(Topology::Services, Addressing::Network);
    let order = |settings: &Settings| StackSpec::new(settings).services[2].clone();
    let mut seen = vec![order(&base).hash()];
    let variants = [
        Settings { bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED), ..base.clone() },
        Settings { allowed_hosts: vec!["shop.example".parse().expect("a name")], ..base.clone() },
        Settings { durability: Durability::Memory, ..base.clone() },
        Settings { log: "debug".to_owned(), ..base.clone() },
        Settings { credentials: "other".to_owned(), ..base.clone() },
        Settings { tracing: Some(tracing("http://c:1")), ..base.clone() },
        Settings { tracing: Some(tracing("http://c:2")), ..base.clone() },
        Settings { addressing: Addressing::Host, ..base.clone() },
        Settings { ports: BTreeMap::from([(Role::User, 1), (Role::Product, 2), (Role::Order, 3)]), ..base },
    ];
    seen.extend(variants.iter().map(|settings| order(settings).hash()));
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn changes_are_named_and_credentials_are_not_shown() {
    let base = settings(Topology::Services, Addressing::Host);
    let before = StackSpec::new(&base).services[2].clone();
    let mut ports = base.ports.clone();
    ports.insert(Role::User, 4001);
    let changed = Settings { log: "debug".to_owned(), credentials: "x".to_owned(), ports, ..base };
    let after = StackSpec::new(&changed).services[2].clone();
    assert_eq!(
        after.changes_from(&before),
        ["credentials", "log info -> debug", "user url http://127.0.0.1:3001 -> http://127.0.0.1:4001"]
    );
    assert!(after.changes_from(&after).is_empty());
}

#[test]
fn an_unspecified_address_is_reached_through_loopback() {
    for (bind, host) in
        [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("10.0.0.7", "10.0.0.7")]
    {
        assert_eq!(local_host(bind.parse().expect("an address")), host);
    }
}
