//! The dashboard and the alerts in `compose/`, held to what real services tell.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ordersys_contract::Role;
use ordersys_contract::order::CANCEL;
use ordersys_testkit::{LIMIT, Stack, order_of};
use serde_json::Value;

fn file(path: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose").join(path);
    let text = std::fs::read_to_string(&path);
    (path.clone(), text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// All queries of the panels, with their titles.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&file("grafana/dashboards/ordersys.json").1).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let queries = panels.flat_map(|panel| {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let targets = panel["targets"].as_array().expect("queries").clone();
        let query = |target: Value| target["expr"].as_str().expect("a query").to_owned();
        targets.into_iter().map(move |target| (title.clone(), query(target)))
    });
    queries.collect()
}

/// All conditions of the alerts, with their names.
fn alerts() -> Vec<(String, String)> {
    let (_, text) = file("alerts.yml");
    let value = |line: &str, key: &str| line.trim().strip_prefix(key).map(str::trim).map(str::to_owned);
    let names = text.lines().filter_map(|line| value(line, "- alert:"));
    let conditions: Vec<_> = text.lines().filter_map(|line| value(line, "expr:")).collect();
    let names: Vec<_> = names.collect();
    assert!(names.len() == conditions.len() && !names.is_empty(), "{names:?} {conditions:?}");
    names.into_iter().zip(conditions).collect()
}

/// The metrics of ours that a query names.
fn named(query: &str) -> BTreeSet<&str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("ordersys_")).collect()
}

/// The words in braces: labels that a query selects by.
fn labels(query: &str) -> BTreeSet<&str> {
    let selectors = query.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let pairs = selectors.flat_map(|selector| selector.split(','));
    let selected = pairs.filter_map(|pair| pair.split(['=', '!']).next());
    let grouped = query.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
    selected.chain(grouped.flat_map(|list| list.split(','))).map(str::trim).collect()
}

/// Names of samples, and of all labels, in the text of `/metrics`.
fn exported(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let mut found = (BTreeSet::new(), BTreeSet::from(["job".to_owned()]));
    for sample in samples {
        let (name, rest) = sample.split_once(['{', ' ']).expect("a sample");
        found.0.insert(name.to_owned());
        let labels = rest.split("=\"").filter_map(|part| part.rsplit(['{', ',', '"']).next());
        found.1.extend(labels.map(str::to_owned));
    }
    found
}

/// What all three services tell together.
async fn metrics(stack: &Stack) -> String {
    let mut all = String::new();
    for role in Role::ALL {
        let answer = stack.send(role, "GET", "/metrics", None).await;
        all.push_str(answer.body.as_str().expect("text"));
    }
    all
}

/// The value of the sample that begins like this.
fn value(text: &str, sample: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(sample))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// A stack that has seen a sale, a refusal, a cancellation, and a service that was away.
async fn used() -> Stack {
    let mut stack = Stack::start().await;
    let (user, thing) = (stack.a_user().await, stack.a_product(5).await);
    let client = stack.admin();
    client.place(&order_of(&user, &[(&thing, 2)]), None).await.expect("sold");
    client.place(&order_of(&user, &[(&thing, 4)]), None).await.expect_err("too many");
    let second = client.place(&order_of(&user, &[(&thing, 1)]), None).await.expect("sold").order;
    client.step(second.id, CANCEL).await.expect("cancelled");
    stack.end(Role::User).await;
    for _ in 0..8 {
        client.place(&order_of(&user, &[(&thing, 1)]), None).await.expect_err("no user service to ask");
    }
    stack.begin(Role::User).await;
    stack
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_dashboard_and_the_alerts_name_is_told_by_the_services() {
    let stack = used().await;
    let queries = [panels(), alerts()].concat();
    assert!(queries.len() > 20, "{queries:?}");
    let began = Instant::now();
    // Some are measured once a second.
    while value(&metrics(&stack).await, "ordersys_stock_units{").is_none() {
        assert!(began.elapsed() < LIMIT);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (names, known) = exported(&metrics(&stack).await);
    for (title, query) in &queries {
        for name in named(query) {
            assert!(names.contains(name), "{title}: no service tells `{name}`; there are {names:#?}");
        }
        for label in labels(query) {
            let understood = known.contains(label) || label == "instance";
            assert!(understood, "{title}: nothing has the label `{label}`; there are {known:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_count_what_happened() {
    let stack = used().await;
    let began = Instant::now();
    let expected = [
        (r#"ordersys_order_steps_total{service="order",state="pending"}"#, 3.0),
        (r#"ordersys_order_steps_total{service="order",state="confirmed"}"#, 2.0),
        (r#"ordersys_order_steps_total{service="order",state="rejected"}"#, 1.0),
        (r#"ordersys_order_steps_total{service="order",state="cancelled"}"#, 1.0),
        (r#"ordersys_lane_questions_per_call_count{service="order",lane="requests"}"#, 3.0),
        (r#"ordersys_lane_waiting{service="order",lane="users"}"#, 0.0),
        (r#"ordersys_stock_units{service="product",place="put_in"}"#, 285.0),
        (r#"ordersys_stock_units{service="product",place="available"}"#, 283.0),
        (r#"ordersys_stock_units{service="product",place="sold"}"#, 2.0),
        (r#"ordersys_stock_unbalanced_products{service="product"}"#, 0.0),
        (r#"ordersys_store_waiting_commands{service="product"}"#, 0.0),
        (r#"ordersys_http_request_seconds_count{service="order",route="/orders",status="201"}"#, 2.0),
        (r#"ordersys_http_request_seconds_count{service="order",route="/orders",status="409"}"#, 1.0),
    ];
    loop {
        let text = metrics(&stack).await;
        let wrong: Vec<_> =
            expected.iter().filter(|(sample, number)| value(&text, sample) != Some(*number)).collect();
        if wrong.is_empty() {
            return;
        }
        assert!(began.elapsed() < LIMIT, "not: {wrong:#?} in\n{text}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[test]
fn every_file_that_the_overlay_mounts_is_there_and_every_target_is_a_service() {
    let (path, overlay) = file("observability.yaml");
    let dir = path.parent().expect("a directory");
    let mounts: Vec<&str> = overlay.lines().filter_map(|line| line.trim().strip_prefix("- ./")).collect();
    assert_eq!(mounts.len(), 4, "{mounts:?}");
    for mount in mounts {
        let source = dir.join(mount.split(':').next().expect("a source"));
        assert!(source.exists(), "{} is not there", source.display());
    }
    let (_, prometheus) = file("prometheus.yml");
    let (_, stack) = file("compose.yaml");
    let targets: Vec<_> =
        prometheus.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split_once(':')).collect();
    let services: Vec<_> = targets.iter().filter(|(name, _)| name.ends_with("-service")).collect();
    assert_eq!(services.len(), Role::ALL.len(), "{targets:?}");
    for (name, port) in services {
        assert!(stack.contains(&format!("\n  {name}:\n")), "compose.yaml has no {name}");
        assert!(stack.contains(&format!("127.0.0.1:{port}:{port}")), "{name} has another port than {port}");
    }
}
