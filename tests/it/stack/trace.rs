//! `ordersys trace` as a person runs it, on both runtimes: a sale, a compensation and a recovery after a
//! crash, from logs and history alone.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::{Ended, LIMIT, Project, binary, has_engine};
use serde_json::Value;

/// A stack with a user and nine things to sell.
struct Shop {
    project: Project,
    user: String,
    /// The thing's id: `place` asks the product service about names only, which may stand still.
    thing: String,
}

impl Shop {
    fn open(runtime: &'static str, more: &[&str]) -> Self {
        let project = Project::new(runtime);
        project.up(more).ok();
        let user = project.run(&["user", "create", "--name", "Ann", "--email", "ann@example.com"]).ok().data;
        let thing = project.run(&["product", "create", "--name", "Thing", "--price", "1.00", "--stock", "9"]);
        Self { project, user: text(&user["id"]), thing: text(&thing.ok().data["id"]) }
    }

    fn placing(&self, quantity: u32) -> Command {
        let item = format!("{}={quantity}", self.thing);
        let mut command = self.project.command(&["order", "place", "--user", &self.user, "--item", &item]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The newest order in this state, once there is one.
    fn order_in(&self, state: &str) -> String {
        let began = Instant::now();
        loop {
            let orders = self.project.run(&["order", "list", "--status", state]);
            if let Some(order) = orders.data["orders"].as_array().and_then(|orders| orders.first()) {
                return text(&order["id"]);
            }
            assert!(began.elapsed() < LIMIT, "no order is {state}: {}", orders.said);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The trace once it is whole, or as it is when time is up: services write their lines a little later.
    fn trace(&self, id: &str, is_whole: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let trace = self.project.run(&["trace", id]).ok().data;
            if is_whole(&trace) || began.elapsed() > LIMIT {
                ordered(&trace);
                return trace;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn request_of(&self, order: &str, step: usize) -> String {
        let events = self.project.run(&["order", "events", order]).ok().data;
        text(&events[step]["requestId"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// The steps of a root as `service: name`.
fn all_steps(root: &Value) -> Vec<String> {
    list(&root["steps"]).iter().map(name).collect()
}

/// The same without what a busy machine repeats.
fn steps(root: &Value) -> Vec<String> {
    list(&root["steps"]).iter().filter(|step| step["repeated"] == false).map(name).collect()
}

fn name(step: &Value) -> String {
    format!("{}: {}", text(&step["service"]), text(&step["name"]))
}

/// Whether a trace has no gaps, and so many steps in all.
fn gapless(trace: &Value, wanted: usize) -> bool {
    list(&trace["gaps"]).is_empty()
        && list(&trace["roots"]).iter().map(|root| steps(root).len()).sum::<usize>() >= wanted
}

/// Times rise within each root, and work that was measured took some time within it.
fn ordered(trace: &Value) {
    for root in list(&trace["roots"]) {
        let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no time: {trace:#}"));
        let mut last = number(&root["startMs"]);
        for step in list(&root["steps"]) {
            let start = number(&step["startMs"]);
            assert!(start >= last, "{step} is before {last}: {trace:#}");
            last = start;
        }
    }
}

const SALE: [&str; 4] = [
    "user: user looked up",
    "order: commit 1: pending",
    "product: stock committed",
    "order: commit 2: confirmed",
];

fn a_sale_and_its_cancellation(runtime: &'static str) {
    let shop = Shop::open(runtime, &[]);
    assert!(shop.placing(2).status().expect("runs").success());
    let order = shop.order_in("confirmed");
    let trace = shop.trace(&order, |trace| gapless(trace, SALE.len()));
    let root = &trace["roots"][0];
    assert_eq!(steps(root), SALE, "{trace:#}");
    assert_eq!((&root["kind"], &root["name"]), (&"request".into(), &"POST /orders".into()));
    assert_eq!((&root["status"], &root["startMs"]), (&201.into(), &0.0.into()));
    let took = root["durationMs"].as_f64().expect("a duration");
    for step in [0, 2] {
        let part = root["steps"][step]["durationMs"].as_f64().expect("measured at the service");
        assert!(part > 0.0 && part < took, "{trace:#}");
    }
    assert_eq!((list(&trace["gaps"]).len(), list(&trace["roots"]).len()), (0, 1), "{trace:#}");
    let by_request = shop.trace(&shop.request_of(&order, 0), |trace| gapless(trace, SALE.len()));
    assert_eq!(by_request["roots"], trace["roots"], "the request leads to the same");

    shop.project.run(&["order", "cancel", &order]).ok();
    let trace = shop.trace(&order, |trace| gapless(trace, SALE.len() + 3));
    let roots = list(&trace["roots"]);
    assert_eq!((roots.len(), &roots[1]["name"]), (2, &"POST /orders/{id}/cancel".into()), "{trace:#}");
    let undone = ["order: commit 3: cancelling", "product: stock released", "order: commit 4: cancelled"];
    assert_eq!(
        (steps(&roots[0]), steps(&roots[1])),
        (SALE.map(str::to_owned).into(), undone.map(str::to_owned).into())
    );
    assert!(roots[1]["startMs"].as_f64() > roots[0]["durationMs"].as_f64(), "{trace:#}");
}

fn a_refusal(shop: &Shop) {
    assert_eq!(shop.placing(10).status().expect("runs").code(), Some(1));
    let order = shop.order_in("rejected");
    let trace = shop.trace(&shop.request_of(&order, 0), |trace| gapless(trace, SALE.len()));
    assert_eq!((&trace["orders"][0], &trace["roots"][0]["status"]), (&order.into(), &409.into()));
    let expected = [
        "user: user looked up",
        "order: commit 1: pending",
        "product: stock rejected",
        "order: commit 2: rejected",
    ];
    assert_eq!(steps(&trace["roots"][0]), expected, "{trace:#}");
}

/// A command under way, which is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The product service stands still, so the order is stored and waits; then the order service is killed.
fn a_recovery_after_a_crash(runtime: &'static str) {
    let shop = Shop::open(runtime, &[]);
    shop.project.run(&["chaos", "pause", "product"]).ok();
    let _placing = Running(shop.placing(1).spawn().expect("starts"));
    let order = shop.order_in("pending");
    shop.project.run(&["chaos", "kill", "order", "--wait"]).ok();
    shop.project.run(&["chaos", "resume", "product", "--wait"]).ok();
    assert_eq!(shop.order_in("confirmed"), order);
    let sold = "product: stock committed".to_owned();
    let trace = shop.trace(&order, |trace| {
        list(&trace["roots"]).last().is_some_and(|root| all_steps(root).contains(&sold))
    });
    let roots = list(&trace["roots"]);
    assert_eq!(roots.len(), 2, "{trace:#}");
    let gap = |gap: &Value| text(gap).contains("no line of its answer");
    // On a machine slow enough it is answered, with 202, before the kill.
    let cut_short = roots[0]["kind"] == "unanswered" && list(&trace["gaps"]).iter().any(gap);
    assert!(cut_short || roots[0]["status"] == 202, "{trace:#}");
    assert_eq!(roots[1]["kind"], "recovery", "{trace:#}");
    assert_eq!(steps(&roots[0])[..2], SALE[..2], "{trace:#}");
    // The paused service may have found the stock sold by a try from before the crash.
    let recovered = all_steps(&roots[1]);
    let end = ["product: stock committed", "order: commit 2: confirmed"];
    assert_eq!(recovered[recovered.len() - 2..], end, "{trace:#}");
    assert_eq!(roots[1]["name"], "recovery of a pending order");
    let services: BTreeSet<String> =
        roots.iter().flat_map(|root| list(&root["steps"])).map(|step| text(&step["service"])).collect();
    assert_eq!(services, BTreeSet::from(["order", "product", "user"].map(str::to_owned)));
}

#[test]
fn a_sale_and_its_cancellation_across_processes() {
    a_sale_and_its_cancellation("process");
}

#[test]
fn a_sale_and_its_cancellation_across_containers() {
    if has_engine() {
        a_sale_and_its_cancellation("docker");
    }
}

#[test]
fn a_recovery_after_a_crash_of_a_process() {
    a_recovery_after_a_crash("process");
}

#[test]
fn a_recovery_after_a_crash_of_a_container() {
    if has_engine() {
        a_recovery_after_a_crash("docker");
    }
}

#[test]
fn a_refusal_in_one_process_that_is_all_services() {
    a_refusal(&Shop::open("process", &["--topology", "monolith"]));
}

#[test]
fn a_refusal_is_drawn_as_a_tree_and_what_is_missing_is_said() {
    let shop = Shop::open("process", &[]);
    a_refusal(&shop);
    let order = shop.order_in("rejected");
    let drawn = || {
        let mut command = shop.project.command(&["trace", &order]);
        let args: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
        let table = args.iter().map(|arg| if arg == "json" { "table".into() } else { arg.clone() });
        command = Command::new(binary());
        let output = command.args(table).output().expect("runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let tree = drawn();
    let found = |parts: [&str; 3]| tree.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found(["order ", "POST /orders -> 409", " ms  [request "]), "{tree}");
    assert!(found(["├─", "user ", "user looked up, "]), "{tree}");
    assert!(found(["├─", "product ", "stock rejected, "]), "{tree}");
    assert!(found(["└─", "order ", "commit 2: rejected"]), "{tree}");
    assert!(!tree.contains("not seen"), "{tree}");

    let logs = shop.project.state.path().join(&shop.project.name).join("logs");
    std::fs::remove_file(logs.join("product.log")).expect("was there");
    let tree = drawn();
    let said = tree.contains("not seen: the log of the product service is not there");
    assert!(said && tree.contains("no line of the product service tells of the stock of order"), "{tree}");
    assert!(!tree.contains("stock rejected"), "{tree}");
}

#[test]
fn an_unknown_id_says_where_was_looked() {
    let shop = Shop::open("process", &[]);
    let looking = ["no-such-request", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"].map(|id| {
        let mut trace = shop.project.command(&["trace", id]);
        (id, trace.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts"))
    });
    for (id, child) in looking {
        let ended = Ended::wait(child);
        assert_eq!(ended.code, Some(4), "{}", ended.said);
        for part in [
            id,
            "log of user",
            "log of product",
            "log of order",
            "history of orders",
            "hint: ",
            "x-request-id",
        ] {
            assert!(ended.said.contains(part), "{part}: {}", ended.said);
        }
    }
    let nothing = Project::new("process").run(&["trace", "x"]);
    assert_eq!(nothing.code, Some(4), "{}", nothing.said);
    assert!(nothing.said.contains("hint: start a stack with `ordersys up --"), "{}", nothing.said);
}
