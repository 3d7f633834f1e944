//! `bench --registered` through the real binary: orders of users who logged in, with and without an admin.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use ordersys_contract::client::{OrderFilter, UserFilter};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{Role, TestData};
use ordersys_testkit::{Stack, binary};
use serde_json::Value;

/// Runs `ordersys bench --registered` against a stack, as the caller with this credential.
fn bench(stack: &Stack, credential: Option<&Path>, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().expect("a directory");
    let urls = &stack.endpoints;
    let mut command = Command::new(binary());
    command.args(["--state-dir".as_ref(), dir.path()]);
    command.args(["--user-url", &urls.user, "--product-url", &urls.product, "--order-url", &urls.order]);
    command.args(["bench", "--registered", "--sell-existing", "-o", "json"]).args(args);
    if let Some(file) = credential {
        command.args(["--token-file".as_ref(), file]);
    }
    command.output().expect("runs")
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The checks with this result.
fn with(report: &Value, result: &str) -> Vec<String> {
    let checks = report["verification"].as_array().expect("a list");
    let found = checks.iter().filter(|check| check["result"] == result);
    found.map(|check| check["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_loads_a_system_as_users_who_log_in() {
    let stack = Stack::start().await;
    stack.a_product(1_000_000).await;
    let output = bench(&stack, None, &["--users", "3", "-c", "4", "-n", "120"]);
    let report = report(&output);
    // A busy machine may refuse some for want of time; a user without a token
    // would have all of its orders refused.
    assert!(report["totals"]["ok"].as_u64() > Some(90), "{report:#}");
    assert_eq!(report["totals"]["failed"], 0, "{report:#}");
    assert_eq!(report["settings"]["registered"], true);
    assert_eq!(with(&report, "FAIL"), Vec::<String>::new());
    // Only its owner can read such an order.
    assert!(with(&report, "PASS").contains(&"V4".to_owned()), "{report:#}");

    let admin = stack.admin();
    let all = UserFilter { test: TestData::Include, ..UserFilter::default() };
    let users = admin.users(&all).await.expect("lists").items;
    assert_eq!(users.len(), 3);
    assert!(users.iter().all(|user| user.kind == UserKindName::Registered), "{users:?}");
    let orders =
        admin.orders(&OrderFilter { limit: Some(200), ..OrderFilter::default() }).await.expect("lists");
    let buyers: BTreeSet<_> = orders.items.iter().map(|order| order.user_id).collect();
    assert_eq!(buyers, users.iter().map(|user| user.id).collect(), "each of them ordered");
    let one = format!("/orders/{}", orders.items[0].id);
    assert_eq!(stack.send(Role::Order, "GET", &one, None).await.status, 404, "not a guest's");
}

#[tokio::test(flavor = "multi_thread")]
async fn registered_users_do_everything_in_a_mix_and_all_of_it_is_verified() {
    let stack = Stack::start().await;
    let admin = stack.data_dir().with_file_name("admin.token");
    let mix = "order:60,repeat:10,bad:5,read:5,track:10,cancel:5,restock:5";
    let output = bench(&stack, Some(&admin), &["--users", "2", "-c", "4", "-n", "600", "--mix", mix]);
    let report = report(&output);
    assert_eq!(report["totals"]["failed"], 0, "{report:#}");
    assert_eq!(with(&report, "FAIL"), Vec::<String>::new());
    for check in ["V1", "V4", "V5", "V6", "V8"] {
        assert!(with(&report, "PASS").contains(&check.to_owned()), "{check}: {report:#}");
    }
    for endpoint in report["endpoints"].as_array().expect("a list") {
        assert!(endpoint["totals"]["ok"].as_u64() > Some(0), "{endpoint:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_with_registered_users_is_refused() {
    let stack = Stack::start().await;
    stack.a_product(10).await;
    let says = |args: &[&str], text: &str| {
        let output = bench(&stack, None, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(text), "{args:?}: {said}");
    };
    says(&["--users", "65"], "at most 64 registered users");
    says(&["--users", "1", "--duration", "20m"], "the run takes up to 1206 s");
}
