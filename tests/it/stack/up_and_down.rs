//! What `up` and `down` promise, through the command line: idempotent, all or nothing, nothing left.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use ordersys_testkit::command::engine::{Wire, docker, left_of};
use ordersys_testkit::{Ended, LIMIT, Project, binary, has_engine};
use serde_json::Value;

/// The steps of an `up`, without what it kept.
fn changes(up: &Ended) -> Vec<String> {
    assert_eq!(up.code, Some(0), "{}", up.said);
    let steps = up.data["changes"].as_array().expect("steps").iter();
    let changed = steps.filter(|step| step["action"] != "keep");
    let text = |step: &Value| {
        let part = |name: &str| step[name].as_str().unwrap_or("").to_owned();
        format!("{} {}: {}", part("action"), part("resource"), part("cause"))
    };
    changed.map(text).filter(|line| !line.contains(" image ")).collect()
}

fn urls(ended: &Ended) -> Vec<String> {
    let services = ended.data["services"].as_array().expect("services").iter();
    services.map(|service| service["url"].as_str().expect("a URL").to_owned()).collect()
}

/// Up, up again, up with another setting, down, down again.
fn comes_up_changes_and_goes(project: &Project) {
    let first = project.up(&[]);
    assert_eq!(changes(&first).iter().filter(|line| line.contains("service")).count(), 3, "{}", first.said);
    let second = project.up(&[]);
    assert_eq!(changes(&second), Vec::<String>::new(), "everything is as it should be");
    assert_eq!(urls(&second), urls(&first), "ports that are given stay");

    let third = project.up(&["--log", "debug"]);
    let recreate = |name: &str| format!("recreate service {name}: setting changed: log info -> debug");
    assert_eq!(changes(&third), ["user", "product", "order"].map(recreate));
    let status = project.run(&["status"]);
    let states = status.data["services"].as_array().expect("services").iter();
    assert_eq!(states.filter(|service| service["state"] == "ready").count(), 3, "{}", status.data);

    let down = project.run(&["down", "--volumes"]);
    assert_eq!(down.code, Some(0), "{}", down.said);
    let again = project.run(&["down", "--volumes"]);
    assert_eq!(
        (again.code, again.data["projects"][0]["removed"].as_array().map(Vec::len)),
        (Some(0), Some(0))
    );
    assert_eq!(project.run(&["status"]).code, Some(4), "nothing is there");
}

/// A log filter that no service accepts.
const NO_FILTER: &str = "no such=filter=";

/// A log filter no service accepts makes each of them end at its start.
fn fails_and_leaves_what_was_there(project: &Project) {
    project.up(&[]).ok();
    project.run(&["down"]).ok();
    project.remember_log(NO_FILTER);
    let failed = project.up(&[]);
    assert_eq!(failed.code, Some(1), "{}", failed.said);
    assert!(failed.said.contains("ended before it was ready"), "{}", failed.said);
    assert_eq!(project.run(&["status"]).code, Some(4), "nothing was there, nothing is left");

    project.remember_log("info");
    project.up(&[]).ok();
    project.remember_log(NO_FILTER);
    let failed = project.up(&[]);
    assert_eq!(failed.code, Some(1), "{}", failed.said);
    project.remember_log("info");
    let back = changes(&project.up(&[]));
    assert_eq!(back, Vec::<String>::new(), "what was there before is back: {}", failed.said);
}

#[test]
fn processes_come_up_change_and_go() {
    comes_up_changes_and_goes(&Project::new("process"));
}

#[test]
fn processes_that_fail_leave_what_was_there() {
    fails_and_leaves_what_was_there(&Project::new("process"));
}

#[test]
fn containers_come_up_change_and_go() {
    if has_engine() {
        comes_up_changes_and_goes(&Project::new("docker"));
    }
}

#[test]
fn containers_that_fail_leave_what_was_there() {
    if has_engine() {
        fails_and_leaves_what_was_there(&Project::new("docker"));
    }
}

#[test]
fn a_taken_port_is_named_with_its_owner_before_anything_starts() {
    let project = Project::new("process");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let failed = project.up(&["--port", &format!("order={port}")]);
    assert_eq!(failed.code, Some(3), "{}", failed.said);
    let wanted = format!("port {port} of the order service is taken by process {}", std::process::id());
    assert!(failed.said.contains(&wanted), "{}", failed.said);
    assert_eq!(project.run(&["status"]).code, Some(4));
}

/// The engine finds the port taken after this program found it free.
#[test]
fn a_port_taken_meanwhile_is_named_with_its_owner() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let choice = format!("order={port}");
    let mut up = project.command(&project.up_args(&["--port", &choice]));
    let up = up.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
    let deadline = Instant::now() + LIMIT;
    // Ports were looked at before anything was made; order is started last.
    while left_of(&project.name).is_empty() {
        assert!(Instant::now() < deadline, "nothing is made");
    }
    let taken = TcpListener::bind(("127.0.0.1", port)).expect("still free");
    let output = up.wait_with_output().expect("ends");
    drop(taken);
    let said = String::from_utf8_lossy(&output.stderr);
    let wanted = format!("port {port} of the order service is taken by process {}", std::process::id());
    assert!(output.status.code() == Some(3) && said.contains(&wanted), "{said}");
    assert_eq!(left_of(&project.name), Vec::<String>::new());
}

/// What a failed run leaves on purpose is found by the other commands.
fn what_is_kept_can_be_looked_at(project: &Project) {
    project.up(&[]).ok();
    project.run(&["down"]).ok();
    project.remember_log(NO_FILTER);
    let failed = project.up(&["--keep-on-failure"]);
    assert_eq!(failed.code, Some(1), "{}", failed.said);
    assert!(failed.said.contains("hint: what this run made is kept"), "{}", failed.said);
    assert_ne!(project.service("product"), Value::Null, "status");
    let logs = project.command(&["logs", "product"]).output().expect("runs");
    let logs = String::from_utf8_lossy(&logs.stdout);
    assert!(logs.contains(NO_FILTER), "{logs}");
    project.remember_log("info");
    let up = project.up(&[]).ok();
    assert_eq!(urls(&up).len(), 3, "and the next `up` repairs it");
}

#[test]
fn what_is_kept_of_processes_can_be_looked_at() {
    what_is_kept_can_be_looked_at(&Project::new("process"));
}

#[test]
fn what_is_kept_of_containers_can_be_looked_at() {
    if has_engine() {
        what_is_kept_can_be_looked_at(&Project::new("docker"));
    }
}

#[test]
fn a_time_limit_is_kept_and_nothing_stays() {
    let project = Project::new("process");
    let late = project.up(&["--timeout", "1ms"]);
    assert_eq!(late.code, Some(5), "{}", late.said);
    assert!(late.said.contains("--timeout"), "{}", late.said);
    assert_eq!(project.run(&["status"]).code, Some(4));
}

/// The program with a few bytes behind its end: it does the same, and no other project has its image.
fn program_of_its_own(project: &Project) -> PathBuf {
    let program = project.state.path().join("ordersys");
    fs::copy(binary(), &program).expect("copies");
    let mut end = fs::File::options().append(true).open(&program).expect("opens");
    end.write_all(project.name.as_bytes()).expect("writes");
    program
}

/// Another command clears the image away after it was loaded, right before the first container is made of it.
#[tokio::test(flavor = "multi_thread")]
async fn containers_come_up_although_their_image_goes_meanwhile() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    let program = program_of_its_own(&project);
    let run = |more: &[&str], engine: &str| {
        let mut command = Command::new(&program);
        command.args(project.command(&project.up_args(more)).get_args()).env("DOCKER_HOST", engine);
        command.output().expect("runs")
    };
    let socket = project.state.path().join("engine.sock");
    let engine = format!("unix://{}", socket.display());
    let (tag, is_gone) = (Arc::new(OnceLock::<String>::new()), Arc::new(AtomicBool::new(false)));
    let _wire = Wire::watched(socket, {
        let (tag, is_gone) = (Arc::clone(&tag), Arc::clone(&is_gone));
        move |piece: &[u8]| {
            let line = piece.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            let makes = line.starts_with("POST ") && line.contains("/containers/create");
            if let Some(tag) = tag.get().filter(|_| makes && !is_gone.swap(true, Ordering::Relaxed)) {
                docker(&["rmi", "--force", tag]);
            }
        }
    });
    let plan: Value = serde_json::from_slice(&run(&["--dry-run"], &engine).stdout).expect("a plan");
    let steps = plan["changes"].as_array().expect("steps").iter();
    let mut names = steps.filter_map(|step| step["resource"].as_str()?.strip_prefix("image "));
    tag.set(names.next().expect("an image").to_owned()).expect("set once");

    let up = run(&[], &engine);
    let states = ["user", "product", "order"].map(|name| project.service(name)["state"].clone());
    project.run(&["down", "--volumes"]).ok();
    docker(&["rmi", "--force", tag.get().expect("set")]);
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    assert_eq!(states, ["ready", "ready", "ready"]);
    assert!(is_gone.load(Ordering::Relaxed), "the image was there all the time");
}
