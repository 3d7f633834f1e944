//! `chaos` and `restart` as a person runs them, on both runtimes: what is done shows in `status`,
//! comes back by itself or when told, and the others go on.

use std::time::{Duration, Instant};

use ordersys_testkit::{Project, has_engine, quiet_blocking};
use serde_json::Value;

fn has_state(state: &'static str) -> impl Fn(&Value) -> bool {
    move |service| service["state"] == state
}

fn a_killed_service_comes_back(project: &Project) {
    project.up(&[]).ok();
    let before = project.service("order");
    let turn = quiet_blocking();
    let killed = project.run(&["chaos", "kill", "order", "--wait"]).ok();
    drop(turn);
    let again = killed.data["readyAfterSeconds"].as_f64().expect("seconds");
    assert!(again <= 2.0, "ready again after {again} s");
    let after = project.service("order");
    assert_eq!((&after["state"], &after["restarts"]), (&"ready".into(), &1.into()), "{after}");
    assert_ne!(after["since"], before["since"]);
    assert_eq!(project.service("product")["restarts"], 0, "the others go on");
}

fn a_paused_service_stands_still_until_resumed(project: &Project) {
    project.up(&[]).ok();
    project.run(&["chaos", "pause", "product"]).ok();
    assert_eq!(project.service("product")["state"], "paused");
    project.run(&["chaos", "pause", "product"]).ok();
    let resumed = project.run(&["chaos", "resume", "product", "--wait"]).ok();
    assert_eq!(resumed.data["service"], "product");
    project.run(&["chaos", "pause", "product"]).ok();
    let up = project.up(&[]).ok();
    let product = |step: &&Value| step["resource"] == "service product";
    let step = up.data["changes"].as_array().expect("steps").iter().find(product).expect("a step");
    assert_eq!((&step["action"], &step["cause"]), (&"start".into(), &"paused".into()));
    let service = project.service("product");
    assert_eq!((&service["state"], &service["restarts"]), (&"ready".into(), &0.into()), "{service}");
}

/// Cut off, it neither answers nor reaches another service: orders are refused until it is healed.
fn a_service_that_is_cut_off_is_silent_until_healed(project: &Project) {
    project.up(&[]).ok();
    let user = project.run(&["user", "create", "--name", "Ann", "--email", "ann@example.com"]).ok().data;
    let user = user["id"].as_str().expect("an id");
    project.run(&["product", "create", "--name", "Thing", "--price", "1.00", "--stock", "9"]).ok();
    let order = ["order", "place", "--user", user, "--item", "Thing=1"];
    project.run(&order).ok();

    project.run(&["chaos", "cut", "order"]).ok();
    project.until("order", has_state("cut"));
    assert_ne!(project.run(&order).code, Some(0), "no service answers");
    project.run(&["chaos", "heal", "order", "--wait"]).ok();
    project.run(&order).ok();

    project.run(&["chaos", "partition", "user"]).ok();
    let refused = project.run(&order);
    assert!(refused.code != Some(0) && refused.said.contains("503"), "{}", refused.said);
    let restarted = project.run(&["restart", "user"]);
    assert_eq!(restarted.code, Some(1), "{}", restarted.said);
    assert!(restarted.said.contains("chaos heal user"), "{}", restarted.said);
    project.run(&["chaos", "heal", "user", "--wait"]).ok();
    project.until("order", has_state("ready")); // no breaker is open any more
    project.run(&order).ok();
    assert_eq!(project.service("user")["restarts"], 0);

    project.run(&["chaos", "cut", "product"]).ok();
    let up = project.up(&[]).ok();
    let product = |step: &&Value| step["resource"] == "service product";
    let step = up.data["changes"].as_array().expect("steps").iter().find(product).expect("a step");
    assert_eq!(step["cause"], "cut off the network");
    project.until("order", has_state("ready"));
    project.run(&order).ok();
}

fn a_restart_is_orderly_and_one_at_a_time(project: &Project) {
    project.up(&[]).ok();
    let before = project.service("user");
    let restarted = project.run(&["restart", "user", "order", "user"]).ok();
    let names: Vec<&Value> =
        restarted.data["services"].as_array().expect("a list").iter().map(|r| &r["service"]).collect();
    assert_eq!(names, ["user", "order"]);
    let after = project.service("user");
    assert_eq!((&after["state"], &after["restarts"]), (&"ready".into(), &0.into()), "asked for, not a crash");
    assert_ne!(after["since"], before["since"]);
    let up = project.up(&[]).ok();
    let kept = |step: &Value| step["action"] == "keep";
    assert!(up.data["changes"].as_array().expect("steps").iter().all(kept), "{}", up.said);
    assert_eq!(project.service("user")["since"], after["since"], "and it is not restarted again");
}

#[test]
fn a_killed_process_comes_back() {
    a_killed_service_comes_back(&Project::new("process"));
}

#[test]
fn a_killed_container_comes_back() {
    if has_engine() {
        a_killed_service_comes_back(&Project::new("docker"));
    }
}

#[test]
fn a_paused_process_stands_still_until_resumed() {
    a_paused_service_stands_still_until_resumed(&Project::new("process"));
}

#[test]
fn a_paused_container_stands_still_until_resumed() {
    if has_engine() {
        a_paused_service_stands_still_until_resumed(&Project::new("docker"));
    }
}

#[test]
fn a_process_that_is_cut_off_is_silent_until_healed() {
    a_service_that_is_cut_off_is_silent_until_healed(&Project::new("process"));
}

#[test]
fn a_container_that_is_cut_off_is_silent_until_healed() {
    if has_engine() {
        a_service_that_is_cut_off_is_silent_until_healed(&Project::new("docker"));
    }
}

#[test]
fn a_restart_of_a_service_that_ends_again_says_why_at_once() {
    let project = Project::new("process");
    project.up(&[]).ok();
    let store = project.dir().join("data/product/product.db");
    let turn = quiet_blocking();
    std::fs::remove_file(&store).expect("removes");
    std::fs::write(&store, [7; 4096]).expect("damages");
    let began = Instant::now();
    let restart = project.run(&["restart", "product"]);
    let took = began.elapsed();
    drop(turn);
    assert_eq!(restart.code, Some(1), "{}", restart.said);
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(restart.said.contains("the product service ended before it was ready"), "{}", restart.said);
    // What used it may have noticed before the restart did.
    let told = ["product.db is damaged", "product.db was damaged"];
    assert!(told.iter().any(|text| restart.said.contains(text)), "{}", restart.said);
    assert!(!restart.said.contains("engine"), "{}", restart.said);
}

#[test]
fn a_restart_of_processes_is_orderly() {
    a_restart_is_orderly_and_one_at_a_time(&Project::new("process"));
}

#[test]
fn a_restart_of_containers_is_orderly() {
    if has_engine() {
        a_restart_is_orderly_and_one_at_a_time(&Project::new("docker"));
    }
}

#[test]
fn a_monolith_is_struck_as_a_whole_and_cannot_be_cut() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let cut = project.run(&["chaos", "cut", "order"]);
    assert_eq!(cut.code, Some(2), "{}", cut.said);
    assert!(cut.said.contains("they are one process"), "{}", cut.said);
    project.run(&["chaos", "pause", "user"]).ok();
    for role in ["user", "product", "order"] {
        assert_eq!(project.service(role)["state"], "paused");
    }
    let killed = project.run(&["chaos", "kill", "order", "--wait"]).ok();
    assert_eq!(killed.data["service"], "all", "also a paused one can be killed");
    project.until("user", |service| service["restarts"] == 1);
}

#[test]
fn unknown_names_and_missing_stacks_have_their_exit_codes() {
    let project = Project::new("process");
    for args in [&["chaos", "kill", "orders"][..], &["restart", "order", "orders"]] {
        let refused = project.run(args);
        assert_eq!(refused.code, Some(2), "{}", refused.said);
        assert!(refused.said.contains("user, product, order"), "{}", refused.said);
    }
    for args in [&["chaos", "kill", "order"][..], &["restart", "order"]] {
        let refused = project.run(args);
        assert_eq!(refused.code, Some(4), "{}", refused.said);
        assert!(refused.said.contains("ordersys up"), "{}", refused.said);
    }
}
