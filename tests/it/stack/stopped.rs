//! Services that are stopped, started, paused and cut off: what `status` and `ls` show of them, and what every command
//! says that needs one.

use std::time::{Duration, Instant};

use ordersys_testkit::{Ended, Project, has_engine};

use super::state::pasted;

/// Less than a call may take before it is given up: who waits for a service that stands still is told sooner.
const SOON: Duration = Duration::from_secs(8);

fn hint(said: &str) -> &str {
    said.split("hint: ").nth(1).unwrap_or_else(|| panic!("no hint: {said}"))
}

/// A command that fails soon, for one reason, with this in its message and its hint.
fn told(project: &Project, args: &[&str], what: &str, command: &str) -> Ended {
    let begun = Instant::now();
    let ended = project.run(args);
    assert!(begun.elapsed() < SOON, "{args:?} took {:?}", begun.elapsed());
    assert!([Some(1), Some(3), Some(5)].contains(&ended.code), "{args:?}: {}", ended.said);
    assert!(ended.said.contains(what), "{args:?}: {}", ended.said);
    assert!(hint(&ended.said).contains(command), "{args:?}: {}", ended.said);
    for foreign in ["error sending request", "client error", "tcp connect"] {
        assert!(!ended.said.contains(foreign), "{args:?}: {}", ended.said);
    }
    ended
}

fn paste_hint(ended: &Ended) {
    let command = hint(&ended.said).split('`').nth(1).expect("a command");
    let output = pasted(command);
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

fn state(project: &Project, service: &str) -> String {
    project.service(service)["state"].as_str().unwrap_or_default().to_owned()
}

fn is_named_by_whom_it_is_missed(project: &Project) {
    project.up(&[]).ok();
    let user = project.run(&["user", "create", "--name", "A", "--email", "a@example.com"]).ok();
    let user = user.data["id"].as_str().expect("an id").to_owned();
    let place = ["order", "place", "--user", &user, "--item", "USB-C Hub=1"];

    project.run(&["chaos", "pause", "product"]).ok();
    told(
        project,
        &["product", "list"],
        "the product service is paused",
        "`ordersys chaos resume product --proj",
    );
    told(project, &["check"], "the product service is paused", "`ordersys chaos resume product --project");
    let paused = told(project, &place, "the product service is paused", "`ordersys chaos resume product");
    paste_hint(&paused);
    project.run(&place).ok();

    project.run(&["chaos", "partition", "user"]).ok();
    let cut =
        told(project, &["user", "list"], "the user service is cut off", "`ordersys chaos heal user --proj");
    paste_hint(&cut);
    project.run(&["user", "list"]).ok();

    project.run(&["stop", "product"]).ok();
    assert_eq!(state(project, "product"), "stopped");
    project.run(&["order", "list"]).ok();
    let stopped =
        told(project, &["product", "list"], "the product service is stopped (port ", "`ordersys up --proj");
    told(project, &["seed"], "the product service is stopped (port ", "`ordersys up --proj");
    told(project, &["bench", "--count", "9"], "the product service is stopped (port ", "`ordersys up --proj");
    let listed = project.run(&["ls"]).ok();
    let all = listed.data["projects"].as_array().expect("projects");
    let own = all.iter().find(|one| one["name"] == project.name.as_str()).expect("listed");
    assert_eq!((own["state"].as_str(), own["ready"].as_u64()), (Some("partly"), Some(2)), "{own}");
    paste_hint(&stopped);
    assert_eq!(state(project, "product"), "ready");

    project.run(&["stop"]).ok();
    assert_eq!(["user", "product", "order"].map(|name| state(project, name)), ["stopped"; 3]);
    project.run(&["start"]).ok();
    assert_eq!(["user", "product", "order"].map(|name| state(project, name)), ["ready"; 3]);
    project.run(&place).ok();
}

#[test]
fn a_process_that_is_out_is_named_by_whom_it_is_missed() {
    is_named_by_whom_it_is_missed(&Project::new("process"));
}

#[test]
fn a_container_that_is_out_is_named_by_whom_it_is_missed() {
    if has_engine() {
        is_named_by_whom_it_is_missed(&Project::new("docker"));
    }
}

#[test]
fn other_projects_are_named_where_one_is_missed_and_where_one_is_in_the_way() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let port = project.service("order")["url"].as_str().expect("a URL").rsplit(':').next().map(str::to_owned);
    let port = format!("order={}", port.expect("a port"));
    let state = project.state.path().to_str().expect("text");
    let on_other = |args: &[&str]| {
        let flags = ["--project", "other", "--state-dir", state];
        let output = std::process::Command::new(ordersys_testkit::binary()).args(flags).args(args).output();
        String::from_utf8_lossy(&output.expect("runs").stderr).into_owned()
    };
    let running = format!("no stack of project `other` is running; running: {}", project.name);
    for args in [&["status"][..], &["product", "list"], &["restart"]] {
        let said = on_other(args);
        assert!(said.contains(&running), "{args:?}: {said}");
    }
    let taken = on_other(&["up", "--runtime", "process", "--port", "auto", "--port", &port]);
    assert!(taken.contains(&format!("(ordersys, project {})", project.name)), "{taken}");

    let ids = project.command(&["ps", "-q", "-o", "table"]).output().expect("runs");
    let pid = project.service("order")["pid"].as_u64().expect("a pid").to_string();
    assert_eq!(String::from_utf8_lossy(&ids.stdout).trim(), pid);
}
