//! `bench` and Ctrl-C, through the real binary: true figures after the first, an end at once after the second.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use ordersys_contract::Client;
use ordersys_contract::Role;
use ordersys_contract::client::OrderFilter;
use ordersys_testkit::{LIMIT, Processes, Stack, binary, quiet};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long a run may take to end after the second signal; each answer is waited for longer than that.
const AT_ONCE: Duration = Duration::from_secs(3);

/// A long run; it has a credential to make products with.
fn bench(client: &Client, state: &Path, more: &[&str]) -> Child {
    let token = state.join("admin");
    std::fs::write(&token, client.credential().expect("a credential").expose()).expect("writes");
    let urls = client.endpoints();
    let mut command = Command::new(binary());
    command.args(["--state-dir".as_ref(), state.as_os_str(), "--token-file".as_ref(), token.as_os_str()]);
    command.args(["--user-url", &urls.user, "--product-url", &urls.product, "--order-url", &urls.order]);
    command.args(["bench", "-c", "8", "--warmup", "0s", "--duration", "10m"]).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
}

fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).expect("is running");
}

/// Waits until the system took so many orders that some of them are answered.
async fn some_orders(client: &Client) {
    let (began, filter) = (Instant::now(), OrderFilter { limit: Some(50), ..OrderFilter::default() });
    while client.orders(&filter).await.is_ok_and(|page| page.items.len() < 50) {
        assert!(began.elapsed() < LIMIT, "no orders are taken");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn ends(child: &mut Child, within: Duration) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("waits") {
            return status;
        }
        if began.elapsed() > within {
            let _ = child.kill();
            panic!("goes on {within:?} after the signal");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a run printed that was interrupted once, while it was loading.
async fn interrupted_once(more: &[&str]) -> Output {
    let (stack, state) = (Stack::start().await, tempfile::tempdir().expect("a directory"));
    let admin = stack.admin();
    let mut bench = bench(&admin, state.path(), more);
    some_orders(&admin).await;
    interrupt(&bench);
    ends(&mut bench, LIMIT);
    bench.wait_with_output().expect("ended")
}

fn sum(totals: &Value, names: &[&str]) -> u64 {
    names.iter().map(|name| totals[name].as_u64().unwrap_or_else(|| panic!("{name}: {totals}"))).sum()
}

fn is_accounted_and_verified(output: &Output) {
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let totals = &report["totals"];
    assert!(sum(totals, &["ok"]) > 0, "{totals}");
    assert_eq!(sum(totals, &["planned"]), sum(totals, &["sent", "skipped", "unsent"]), "{totals}");
    let ends = ["ok", "refused", "failed", "timedOut", "aborted"];
    assert_eq!(sum(totals, &["sent"]), sum(totals, &ends), "{totals}");
    let checks = report["verification"].as_array().expect("a list");
    let word = |id: &str| checks.iter().find(|check| check["id"] == id).expect("is there")["result"].clone();
    for id in ["V1", "V4", "V5", "V7"] {
        assert_eq!(word(id), "PASS", "{id}: {report:#}");
    }
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_ends_a_closed_loop_with_true_books_that_are_verified() {
    is_accounted_and_verified(&interrupted_once(&["-o", "json"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_ends_an_open_loop_that_has_a_backlog_in_the_same_way() {
    // More than any system takes: requests wait for connections when the signal comes.
    is_accounted_and_verified(&interrupted_once(&["--rate", "20000", "-o", "json"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_says_that_it_is_of_a_part() {
    let output = interrupted_once(&[]).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last().unwrap_or_default();
    assert!(last.starts_with("INTERRUPTED") && last.ends_with("exit code 130"), "{text}");
    assert!(text.contains("V4 ") && !text.contains("not verified"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_does_not_wait_for_a_system_that_does_not_answer() {
    let _turn = quiet().await;
    let mut services = Processes::start().await.expect("starts");
    let client = services.client("admin.token").expect("a client");
    let state = tempfile::tempdir().expect("a directory");
    let mut bench = bench(&client, state.path(), &["--timeout", "60s"]);
    some_orders(&client).await;
    let order = Pid::from_child(services.child(Role::Order).expect("is running"));
    kill_process(order, Signal::STOP).expect("is running");
    interrupt(&bench);
    // The load is over when its threads are; then the order service is asked and does not answer.
    until_not_loading(&bench);
    assert_eq!(bench.try_wait().expect("waits"), None, "it has yet to verify");
    interrupt(&bench);
    assert_eq!(ends(&mut bench, AT_ONCE).code(), Some(130));
    let output = bench.wait_with_output().expect("ended");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("INTERRUPTED") && text.contains("not verified: given up by Ctrl-C"), "{text}");
}

/// Waits until no thread of the process sends requests.
fn until_not_loading(bench: &Child) {
    let (began, tasks) = (Instant::now(), format!("/proc/{}/task", bench.id()));
    let is_loading = || {
        let mut tasks = std::fs::read_dir(&tasks).expect("is running").filter_map(Result::ok);
        tasks.any(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.starts_with("load-"))
        })
    };
    while is_loading() {
        assert!(began.elapsed() < LIMIT, "goes on loading");
        std::thread::sleep(Duration::from_millis(5));
    }
}
