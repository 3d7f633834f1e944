//! Golden plans: what `up --dry-run` says for each situation.

use super::*;
use crate::model::observed::{Condition, Observed, ObservedService, Standing};
use crate::model::record::Topology;
use crate::model::spec::tests::{replicated, settings};
use crate::model::spec::{Addressing, ServiceSpec, Settings};

/// What happened, how the observed service shows it, the plan.
type Case = (&'static str, fn(&mut ObservedService), &'static str);

const IMAGE: &str = "aaaaaaaaaaaaaaaa";

fn stack() -> StackSpec {
    StackSpec::new(&settings(Topology::Services, Addressing::Network))
}

fn around() -> DockerNames {
    DockerNames {
        image: "ordersys:aaaaaaaaaaaa".to_owned(),
        network: "shop_backend".to_owned(),
        volumes: vec!["shop_user-data".to_owned(), "shop_secrets".to_owned()],
    }
}

/// Everything of `stack` there and running.
fn up(stack: &StackSpec) -> Observed {
    let service = |spec: &ServiceSpec| ObservedService {
        id: format!("id-{}", spec.name),
        service: spec.name.to_string(),
        standing: Standing::Current,
        condition: Condition::Running,
        spec_hash: spec.hash(),
        spec: Some(spec.clone()),
        artefact: IMAGE.to_owned(),
        networks: vec!["n1".to_owned()],
        ports: spec.ports.clone(),
        facts: crate::model::observed::Facts::default(),
    };
    Observed {
        image_present: true,
        networks: vec!["n1".to_owned()],
        volumes: around().volumes.into_iter().collect(),
        services: stack.services.iter().map(service).collect(),
        program: None,
    }
}

/// The plan, one line a step, without what is kept.
fn changes(stack: &StackSpec, observed: &Observed) -> Vec<String> {
    let desired =
        Desired { stack, artefact: IMAGE, docker_names: Some(around()), image: ImagePolicy::WhenMissing };
    text(&plan(&desired, observed))
}

fn text(plan: &Plan) -> Vec<String> {
    let line = |step: &Step| {
        step.action.cause().map(|cause| format!("{} {}: {cause}", step.action.verb(), step.resource))
    };
    plan.steps.iter().filter_map(line).collect()
}

#[test]
fn nothing_there_makes_everything() {
    assert_eq!(
        changes(&stack(), &Observed::default()),
        [
            "create image ordersys:aaaaaaaaaaaa: not there",
            "create network shop_backend: not there",
            "create volume shop_user-data: not there",
            "create volume shop_secrets: not there",
            "create service user: not there",
            "create service product: not there",
            "create service order: not there",
        ]
    );
}

#[test]
fn replicas_are_made_and_those_not_wanted_any_more_are_removed() {
    let (one, several) = (stack(), StackSpec::new(&replicated(Addressing::Network)));
    assert_eq!(
        changes(&several, &up(&one)),
        [
            "create service product.2: not there",
            "create service order.2: not there",
            "create service order.3: not there",
        ]
    );
    assert!(changes(&several, &up(&several)).is_empty());
    assert_eq!(
        changes(&one, &up(&several)),
        [
            "remove leftover product.2 (id-product.2): no longer wanted",
            "remove leftover order.2 (id-order.2): no longer wanted",
            "remove leftover order.3 (id-order.3): no longer wanted",
        ]
    );
    let host = |settings| StackSpec::new(&settings);
    let [one, several] =
        [settings(Topology::Services, Addressing::Host), replicated(Addressing::Host)].map(host);
    let changed = "recreate service order: setting changed: \
                   product url http://127.0.0.1:3002 -> http://127.0.0.1:3002,http://127.0.0.1:20001";
    assert!(changes(&several, &up(&one)).contains(&changed.to_owned()), "who calls it is told where it is");
}

#[test]
fn everything_there_changes_nothing() {
    let desired = Desired {
        stack: &stack(),
        artefact: IMAGE,
        docker_names: Some(around()),
        image: ImagePolicy::WhenMissing,
    };
    let plan = plan(&desired, &up(&stack()));
    assert!(plan.changes_nothing());
    assert_eq!(plan.steps.len(), 7);
}

#[test]
fn an_image_asked_for_is_loaded_and_replaces_no_service() {
    let desired = Desired {
        stack: &stack(),
        artefact: IMAGE,
        docker_names: Some(around()),
        image: ImagePolicy::Always,
    };
    assert_eq!(text(&plan(&desired, &up(&stack()))), ["recreate image ordersys:aaaaaaaaaaaa: asked for"]);
}

#[test]
fn one_service_at_a_time() {
    let cases: [Case; 13] = [
        (
            "ended",
            |s| s.condition = Condition::Exited("exit code 137".to_owned()),
            "start service order: not running (exit code 137)",
        ),
        ("created", |s| s.condition = Condition::Created, "start service order: never started"),
        ("paused", |s| s.condition = Condition::Paused, "start service order: paused"),
        ("cut", |s| s.condition = Condition::Cut, "start service order: cut off the network"),
        (
            "unwatched",
            |s| s.condition = Condition::Unwatched,
            "recreate service order: its supervisor was killed",
        ),
        ("dead", |s| s.condition = Condition::Dead, "recreate service order: dead"),
        (
            "loops",
            |s| s.condition = Condition::Restarting("exit code 1".to_owned()),
            "recreate service order: keeps ending (exit code 1)",
        ),
        (
            "image",
            |s| s.artefact = "bbbbbbbbbbbbbbbb".to_owned(),
            "recreate service order: image changed: bbbbbbbbbbbb -> aaaaaaaaaaaa",
        ),
        ("network", |s| s.networks = vec!["n2".to_owned()], "recreate service order: on another network"),
        (
            "spec lost",
            |s| (s.spec_hash, s.spec) = ("x".to_owned(), None),
            "recreate service order: settings changed",
        ),
        (
            "set aside",
            |s| s.standing = Standing::SetAside,
            "recreate service order: left by an interrupted run",
        ),
        (
            "no service",
            |s| s.service = "all".to_owned(),
            "remove leftover all (id-order): no longer wanted\ncreate service order: not there",
        ),
        (
            "helper",
            |s| (s.service, s.standing) = (String::new(), Standing::SetAside),
            "remove leftover id-order: left by an interrupted run\ncreate service order: not there",
        ),
    ];
    for (what, change, wanted) in cases {
        let mut observed = up(&stack());
        change(&mut observed.services[2]);
        assert_eq!(changes(&stack(), &observed).join("\n"), wanted, "{what}");
    }
}

#[test]
fn a_changed_setting_is_named_and_touches_only_whom_it_concerns() {
    let base = settings(Topology::Services, Addressing::Network);
    let mut ports = base.ports.clone();
    ports.insert(ordersys_contract::Role::Order, 18_003);
    let wanted = StackSpec::new(&Settings { ports, ..base });
    assert_eq!(
        changes(&wanted, &up(&stack())),
        ["recreate service order: setting changed: order port 3003 -> 18003"]
    );
}

#[test]
fn another_topology_replaces_the_services() {
    let wanted = StackSpec::new(&settings(Topology::Monolith, Addressing::Network));
    assert_eq!(
        changes(&wanted, &up(&stack())),
        [
            "remove leftover user (id-user): no longer wanted",
            "remove leftover product (id-product): no longer wanted",
            "remove leftover order (id-order): no longer wanted",
            "create service all: not there",
        ]
    );
}

#[test]
fn of_two_containers_for_one_service_the_named_one_stays() {
    let mut observed = up(&stack());
    let old = ObservedService {
        id: "old".to_owned(),
        standing: Standing::SetAside,
        ..observed.services[0].clone()
    };
    observed.services.insert(0, old);
    assert_eq!(changes(&stack(), &observed), ["remove leftover user (old): left by an interrupted run"]);
}

#[test]
fn of_two_networks_the_used_one_stays() {
    let mut observed = up(&stack());
    observed.networks = vec!["n0".to_owned(), "n1".to_owned()];
    assert_eq!(
        changes(&stack(), &observed),
        ["remove network shop_backend: another of the same name exists"]
    );
    observed.services.clear();
    let desired = Desired {
        stack: &stack(),
        artefact: IMAGE,
        docker_names: Some(around()),
        image: ImagePolicy::WhenMissing,
    };
    let plan = plan(&desired, &observed);
    assert_eq!(plan.steps[1].action, Action::Keep("n0".to_owned()), "unused: the oldest");
}

#[test]
fn processes_need_nothing_around_them() {
    let stack = StackSpec::new(&settings(Topology::Services, Addressing::Host));
    let desired =
        Desired { stack: &stack, artefact: IMAGE, docker_names: None, image: ImagePolicy::WhenMissing };
    let mut observed = up(&stack);
    observed.networks.clear();
    observed.services.iter_mut().for_each(|service| service.networks.clear());
    assert!(plan(&desired, &observed).changes_nothing());
    observed.services.pop();
    assert_eq!(text(&plan(&desired, &observed)), ["create service order: not there"]);
}

#[test]
fn words_say_what_is_going_to_be_done_and_what_was_done() {
    let (id, cause) = (|| "id".to_owned(), || Cause::AskedFor);
    for (action, verb, done, why) in [
        (Action::Keep(id()), "keep", "unchanged", None),
        (Action::Create(cause()), "create", "created", Some(&Cause::AskedFor)),
        (Action::Recreate(id(), cause()), "recreate", "recreated", Some(&Cause::AskedFor)),
        (Action::Start(id(), cause()), "start", "started", Some(&Cause::AskedFor)),
        (Action::Remove(id(), cause()), "remove", "removed", Some(&Cause::AskedFor)),
    ] {
        assert_eq!((action.verb(), action.done(), action.cause()), (verb, done, why));
    }
}

#[test]
fn a_plan_is_asked_for_one_service() {
    let stack = stack();
    let mut observed = up(&stack);
    observed.services.remove(0);
    let desired = Desired {
        stack: &stack,
        artefact: IMAGE,
        docker_names: Some(around()),
        image: ImagePolicy::default(),
    };
    let plan = plan(&desired, &observed);
    let (user, order) = (stack.services[0].name, stack.services[2].name);
    assert_eq!(plan.for_service(user), Some(&Action::Create(Cause::NotThere)));
    assert_eq!(plan.for_service(order), Some(&Action::Keep("id-order".to_owned())));
    assert_eq!(Plan::default().for_service(order), None);
    assert!(!plan.changes_nothing() && Plan::default().changes_nothing());
}

#[test]
fn a_service_that_is_cut_off_and_on_no_network_is_joined_again() {
    let mut observed = up(&stack());
    observed.services[2].condition = Condition::Cut;
    observed.services[2].networks.clear();
    assert_eq!(changes(&stack(), &observed), ["recreate service order: cut off the network"]);
}
