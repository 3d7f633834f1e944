//! Whose processes are commanded from a state directory, also where files of it were copied or removed.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use ordersys_testkit::command::stage::kill;
use ordersys_testkit::{Project, binary};
use serde_json::Value;

use super::{ONE, run_on, said};

/// Whether a process runs; one that has ended and was not waited for has no words any more.
fn runs(pid: u64) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| !words.is_empty())
}

#[test]
fn a_copy_does_not_command_the_original() {
    let project = Project::new("process");
    project.up(&[]).ok();
    let pids =
        |project: &Project| ["user", "product", "order"].map(|name| project.service(name)["pid"].clone());
    let before = pids(&project);
    assert!(before.iter().all(Value::is_u64), "{before:?}");
    let copied =
        Command::new("cp").arg("-rp").arg(project.dir()).arg(project.state.path().join("copy")).status();
    assert!(copied.expect("runs").success());
    for (args, code) in [
        (&["status"][..], 4),
        (&["restart", "product"], 4),
        (&["chaos", "kill", "order"], 4),
        (&["chaos", "pause", "order"], 4),
        (&["product", "list"], 4),
        (&["down"], 0),
        (&["down", "--volumes"], 1),
    ] {
        let ended = run_on(project.state.path(), "copy", args);
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {}", said(&ended));
    }
    assert_eq!(pids(&project), before);
    assert_eq!(project.service("order")["state"], "ready");
    // It can become a project of its own, beside the original.
    let up = run_on(project.state.path(), "copy", &["up", "--runtime", "process", "--port", "auto"]);
    assert!(up.status.success(), "{}", said(&up));
    assert_eq!(pids(&project), before);
    let down = run_on(project.state.path(), "copy", &["down", "--volumes"]);
    assert!(down.status.success() && !project.state.path().join("copy").exists(), "{}", said(&down));
    assert_eq!(pids(&project), before);
}

#[test]
fn lock_files_that_were_removed_let_no_second_instance_in() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    let before = project.service("order")["pid"].clone();
    for name in ["process/supervisor.lock", "process/children.lock", "process/apply.lock", "change.lock"] {
        fs::remove_file(project.dir().join(name)).expect("removes");
    }
    let mut second = Command::new(binary());
    let second = second.arg("supervise").arg("--dir").arg(project.dir()).output().expect("runs");
    assert!(
        !second.status.success() && said(&second).contains("has a supervisor already"),
        "{}",
        said(&second)
    );
    let service = project.service("order");
    assert_eq!((&service["pid"], service["state"].as_str()), (&before, Some("ready")), "{service}");
    let down = project.run(&["down"]).ok();
    let removed = down.data["projects"][0]["removed"].to_string();
    assert!(removed.contains("supervisor") && removed.contains("service all"), "{removed}");
    assert!(!runs(before.as_u64().expect("a pid")), "it has ended");
}

#[test]
fn children_whose_leash_and_record_were_removed_are_found_and_named() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    let pid = project.service("order")["pid"].as_u64().expect("a pid");
    kill(project.supervisor());
    for name in ["process/children.lock", "process/state.json"] {
        fs::remove_file(project.dir().join(name)).expect("removes");
    }
    let down = project.run(&["down"]).ok();
    let removed = down.data["projects"][0]["removed"].to_string();
    assert!(removed.contains(&format!("process {pid}")), "{removed}");
    assert!(!runs(pid), "it has ended");
}

/// What the supervisor has written down may be removed while it runs: nothing is started anew for that.
#[test]
fn up_knows_what_runs_when_the_supervisors_files_are_gone() {
    let project = Project::new("process");
    project.up(&[]).ok();
    let pids = || ["user", "product", "order"].map(|name| project.service(name)["pid"].clone());
    let (before, ports) = (pids(), project.run(&["status"]).ok().data["endpoints"].clone());
    for name in ["supervisor.lock", "state.json"] {
        let file = project.dir().join("process").join(name);
        fs::remove_file(&file).expect("removes");
        let began = Instant::now();
        while name == "state.json" && !file.exists() {
            assert!(began.elapsed() < Duration::from_secs(10), "it is not written again");
            std::thread::sleep(Duration::from_millis(5));
        }
        let up = project.up(&[]).ok();
        assert!(up.said.contains("unchanged"), "{name}: {}", up.said);
        let told: Vec<_> =
            up.data["services"].as_array().expect("a list").iter().map(|one| one["pid"].clone()).collect();
        assert_eq!((pids(), told), (before.clone(), before.to_vec()), "{name}");
        assert_eq!(project.run(&["status"]).ok().data["endpoints"], ports, "{name}");
    }
}
