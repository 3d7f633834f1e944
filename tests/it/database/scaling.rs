//! Several services of one role on one PostgreSQL database: how they are brought up, shown, struck and taken away, and
//! that orders go on when one of them is killed.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ordersys_contract::client::{Client, Endpoints};
use ordersys_contract::order::{NewOrder, OrderState};
use ordersys_contract::product::Product;
use ordersys_contract::user::User;
use ordersys_contract::{IdempotencyKey, OrderId, Role, Secret};
use ordersys_testkit::shop::{a_product, a_user};
use ordersys_testkit::{Database, Ended, LIMIT, Project, order_of};
use serde_json::Value;

/// Orders placed while a replica is killed.
const ORDERS: u32 = 60;
/// Units of the product they are of.
const STOCK: u64 = 1000;

fn up(project: &Project, more: &[&str]) -> Ended {
    project.run(&[&["up", "--runtime", "process", "--port", "auto"], more].concat())
}

fn names(report: &Value) -> Vec<&str> {
    let services = report["services"].as_array().into_iter().flatten();
    services.filter_map(|service| service["name"].as_str()).collect()
}

/// What was done with what, but for what stayed as it was.
fn changes(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = report["changes"].as_array().into_iter().flatten().filter(|step| step["action"] != "keep");
    steps
        .map(|step| {
            format!("{} {}: {}", text(&step["action"]), text(&step["resource"]), text(&step["cause"]))
        })
        .collect()
}

/// Where clients find the stack.
fn endpoints(project: &Project) -> Endpoints {
    let record = std::fs::read(project.dir().join("stack.json")).expect("is up");
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    serde_json::from_value(record["endpoints"].clone()).expect("endpoints")
}

fn admin(project: &Project, endpoints: Endpoints) -> Client {
    let credential = Secret::read(&project.dir().join("secrets/admin.token")).expect("a credential");
    Client::new(endpoints).with_credential(Some(credential)).with_timeout(Duration::from_secs(5))
}

/// A client that knows one of the order service's addresses.
fn at_one(project: &Project, endpoints: &Endpoints, index: usize) -> Client {
    let address = endpoints.all(Role::Order)[index].to_owned();
    admin(project, endpoints.clone().with(Role::Order, &[address]))
}

async fn buyer_and_product(client: &Client) -> (User, Product) {
    (a_user(client).await.expect("a user"), a_product(client, STOCK).await.expect("a product"))
}

/// Places an order; what may be lost is asked for again with the same key.
async fn placed(client: &Client, new: &NewOrder, key: &IdempotencyKey) -> OrderId {
    let began = Instant::now();
    loop {
        match client.place(new, Some(key)).await {
            Ok(placed) if placed.order.status == OrderState::Confirmed => return placed.order.id,
            other => assert!(began.elapsed() < LIMIT, "{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs a command beside the orders.
async fn beside(project: &Project, args: &[&str]) -> Ended {
    let mut command = project.command(args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    tokio::task::spawn_blocking(|| Ended::wait(child)).await.expect("ends")
}

fn is_refused(flags: &[&str], why: &str, way: &str) {
    let project = Project::new("process");
    let refused = project.up(flags);
    assert_eq!(refused.code, Some(2), "{}", refused.said);
    assert!(refused.said.contains(why) && refused.said.contains(way), "{}", refused.said);
    assert!(!project.dir().join("stack.json").exists());
}

#[test]
fn several_of_a_role_need_data_they_can_share_and_processes_of_their_own() {
    let why = "there cannot be 2 order services: each would have data of its own";
    is_refused(&["--replicas", "order=2"], why, "--store postgres://USER@HOST/DATABASE");
    let monolith = ["--topology", "monolith", "--replicas", "order=2"];
    is_refused(&monolith, "a monolith is one process", "`--topology services`");
    is_refused(&["--replicas", "order=17"], "a role has 1 to 16 replicas", "--replicas");
    is_refused(&["--replicas", "orders=2"], "`orders` is none of user, product, order", "--replicas");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_come_up_are_shown_one_by_one_and_go() {
    let Some(database) = Database::new() else { return };
    let project = Project::new("process");
    let wanted = [&database.flags()[..], &["--replicas", "order=2,product=2"]].concat();
    let preview = up(&project, &[&wanted[..], &["--dry-run"]].concat()).ok();
    assert!(
        changes(&preview.data).contains(&"create service order.2: not there".to_owned()),
        "{}",
        preview.data
    );
    let first = up(&project, &wanted).ok();
    let all = ["user", "product", "product.2", "order", "order.2"];
    assert_eq!(names(&first.data), all);
    let services = first.data["services"].as_array().expect("services").clone();
    assert!(services.iter().all(|service| service["state"] == "ready"), "{}", first.data);
    let urls: BTreeSet<&str> = services.iter().filter_map(|service| service["url"].as_str()).collect();
    assert_eq!(urls.len(), all.len(), "each has a port of its own");
    let again = up(&project, &[]).ok();
    assert_eq!((names(&again.data), changes(&again.data)), (all.to_vec(), Vec::new()));
    assert!(again.said.contains("2 product services and 2 order services"), "{}", again.said);

    let endpoints = endpoints(&project);
    let (user, product) = buyer_and_product(&admin(&project, endpoints.clone())).await;
    let new = order_of(&user, &[(&product, 1)]);
    let placed = at_one(&project, &endpoints, 0).place(&new, None).await.expect("places").order;
    let read = at_one(&project, &endpoints, 1).order(placed.id).await.expect("the other one knows it");
    assert_eq!((read.status, read.total), (OrderState::Confirmed, placed.total));
    let logs = project.command(&["logs", "order.2"]).output().expect("runs").stdout;
    let of_second = String::from_utf8_lossy(&logs).into_owned();
    assert!(of_second.contains(r#""service":"order.2""#) && of_second.contains("listening"), "{of_second}");

    let unknown = project.run(&["chaos", "kill", "order.3"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.said);
    assert!(unknown.said.contains("there are: user, product, product.2, order, order.2"), "{}", unknown.said);
    project.run(&["chaos", "pause", "order.2"]).ok();
    assert_eq!((state(&project, "order"), state(&project, "order.2")), ("ready".into(), "paused".into()));
    project.run(&["chaos", "resume", "order.2", "--wait"]).ok();
    let restarted = project.run(&["restart", "order.2"]).ok();
    assert_eq!(restarted.data["services"][0]["service"], "order.2");

    let fewer = up(&project, &["--replicas", "product=1"]).ok();
    assert_eq!(names(&fewer.data), ["user", "product", "order", "order.2"]);
    let changes = changes(&fewer.data);
    let is_removed = |change: &String| change.starts_with("remove leftover product.2 (");
    assert!(changes.iter().any(is_removed), "{changes:?}");
    project.run(&["down"]).ok();
    assert_eq!(processes(&project), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_go_on_while_a_replica_is_killed() {
    let Some(database) = Database::new() else { return };
    let project = Project::new("process");
    up(&project, &[&database.flags()[..], &["--replicas", "order=2,product=2"]].concat()).ok();
    let client = admin(&project, endpoints(&project));
    let (user, product) = buyer_and_product(&client).await;
    let new = order_of(&user, &[(&product, 1)]);
    let orders = async {
        let mut ids = BTreeSet::new();
        for number in 0..ORDERS {
            let key = IdempotencyKey::parse(&format!("key-{number}")).expect("a key");
            ids.insert(placed(&client, &new, &key).await);
        }
        ids
    };
    let strikes = async {
        for service in ["order.2", "product.2", "order"] {
            beside(&project, &["chaos", "kill", service, "--wait"]).await.ok();
        }
    };
    let (ids, ()) = tokio::join!(orders, strikes);
    assert_eq!(ids.len(), usize::try_from(ORDERS).expect("small"), "each key is one order");
    let left = client.product(product.id).await.expect("is there").stock;
    assert_eq!(left, STOCK - u64::from(ORDERS), "each order took its unit once");
    for service in ["order.2", "product.2", "order"] {
        assert_eq!(project.service(service)["restarts"], 1, "{service}");
    }
}

fn state(project: &Project, service: &str) -> String {
    project.service(service)["state"].as_str().unwrap_or_default().to_owned()
}

/// The command lines of all processes that run for the project.
fn processes(project: &Project) -> Vec<String> {
    let mark = project.dir().display().to_string();
    let found = std::fs::read_dir("/proc").expect("proc").filter_map(Result::ok);
    let commands = found.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    commands.filter(|command| command.contains(&mark)).collect()
}
