//! A project is started as it was last: where it ran, how it was spread, at which ports, with which data.

use std::fs;

use ordersys_testkit::command::engine::docker;
use ordersys_testkit::{Ended, Project, has_engine};
use serde_json::Value;

use super::state::pasted;

/// What a user would miss.
fn stored(project: &Project) -> (Value, Value) {
    let read = |what: [&str; 2]| project.run(&what).ok().data;
    (read(["user", "list"]), read(["order", "list"]))
}

fn shape(project: &Project) -> Value {
    let Ended { data, .. } = project.run(&["status"]).ok();
    let urls = data["services"].as_array().expect("services").iter().map(|service| service["url"].clone());
    serde_json::json!([data["runtime"], data["topology"], urls.collect::<Vec<_>>()])
}

/// The last `next:` line.
fn next(said: &str) -> String {
    let line = said.lines().rev().find_map(|line| line.strip_prefix("next: "));
    line.unwrap_or_else(|| panic!("no next command: {said}")).to_owned()
}

fn comes_back_as_it_was(project: &Project) {
    project.up(&["--topology", "monolith", "--log", "debug"]).ok();
    let user = project.run(&["user", "create", "--name", "A", "--email", "a@example.com"]).ok();
    let user = user.data["id"].as_str().expect("an id").to_owned();
    project.run(&["order", "place", "--user", &user, "--item", "USB-C Hub=1"]).ok();
    let (before, place) = (stored(project), shape(project));

    let down = project.run(&["down"]).ok();
    assert!(down.said.contains("data kept: 3 databases in "), "{}", down.said);
    let up = pasted(&next(&down.said));
    let said = String::from_utf8_lossy(&up.stderr).into_owned();
    assert!(up.status.success(), "{said}");
    let first = said.lines().next().unwrap_or_default();
    assert!(first.starts_with("as last time: ") && first.contains(", monolith, ports "), "{said}");
    assert!(first.contains("log debug; --runtime, --topology, --port"), "{said}");
    assert_eq!((stored(project), shape(project)), (before, place));
    let unchanged = project.run(&["up", "--dry-run"]).ok();
    let kept =
        unchanged.data["changes"].as_array().expect("steps").iter().all(|step| step["action"] == "keep");
    assert!(kept, "{}", unchanged.data);
    let anew = project.run(&["up", "--defaults", "--runtime", project.runtime, "--dry-run"]).ok();
    assert!(anew.data.to_string().contains("service product"), "three services again: {}", anew.data);
}

#[test]
fn processes_come_back_as_they_were() {
    let project = Project::new("process");
    comes_back_as_it_was(&project);
    // What was said is forgotten with the data.
    project.run(&["down", "--volumes"]).ok();
    assert!(!project.dir().exists());
    assert!(!project.up(&[]).ok().said.contains("as last time"));
}

#[test]
fn a_damaged_memory_is_made_up_from_what_runs() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let place = shape(&project);
    for name in ["started.json", "stack.json"] {
        fs::write(project.dir().join(name), "").expect("writes");
        let up = project.run(&["up"]).ok();
        assert!(up.said.contains("as last time: processes, monolith, ports"), "{name}: {}", up.said);
        assert_eq!(shape(&project), place, "{name}");
    }
}

#[test]
fn containers_come_back_as_they_were() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    comes_back_as_it_was(&project);
    let place = shape(&project);
    docker(&["rm", "--force", &format!("{}-all-1", project.name)]);
    project.run(&["up"]).ok();
    assert_eq!(shape(&project), place, "a removed container comes back at its ports");

    project.run(&["down"]).ok();
    let gone = project.run(&["up", "--docker-host", "unix:///nowhere/docker.sock"]);
    assert_eq!(gone.code, Some(3), "nothing else is started in its place: {}", gone.said);
    assert!(gone.said.contains("ran in Docker last time"), "{}", gone.said);
    assert!(gone.said.contains("`ordersys up --runtime process --project"), "{}", gone.said);
    let kept = project.run(&["down"]).ok();
    assert!(kept.said.contains("data kept: 3 databases in the Docker volumes"), "{}", kept.said);
}
