//! What is said of a stack comes from a look at it, also when its supervisor or all of it was killed.

use std::process::{Command, Stdio};

use ordersys_testkit::command::stage::kill;
use ordersys_testkit::{Project, binary};
use serde_json::Value;

fn pids(project: &Project) -> Vec<u32> {
    let pid = |name| project.service(name)["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
    ["user", "product", "order"].into_iter().filter_map(pid).collect()
}

/// As people see it.
fn table(project: &Project) -> String {
    let mut status = Command::new(binary());
    status.args(["status", "--project", &project.name, "--state-dir"]).arg(project.state.path());
    let output = status.stdin(Stdio::null()).output().expect("runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn urls(data: &Value) -> Vec<String> {
    let services = data["services"].as_array().expect("services").iter();
    services.map(|service| service["url"].as_str().expect("a URL").to_owned()).collect()
}

#[test]
fn without_its_supervisor_a_stack_is_not_watched_and_up_mends_that() {
    let project = Project::new("process");
    project.up(&[]).ok();
    assert!(!table(&project).contains("not watched"));
    kill(project.supervisor());
    let text = table(&project);
    assert!(!text.contains(" ready "), "{text}");
    let mend = format!(
        "not watched: the supervisor is gone; `ordersys up --project {} --state-dir {}` starts it again",
        project.name,
        project.state.path().display()
    );
    assert!(text.contains(&mend), "{text}");
    assert_eq!(project.service("order")["state"], "unwatched");
    let up = project.up(&[]).ok();
    assert!(up.data["services"].to_string().contains("ready"), "{}", up.data);
    let causes = up.data["changes"].to_string();
    assert!(causes.contains("what would start it again") || causes.contains("supervisor"), "{causes}");
    assert_eq!(project.service("order")["state"], "ready");
    let removed = project.run(&["down"]).ok().data["projects"][0]["removed"].to_string();
    assert!(removed.contains("supervisor"), "{removed}");
}

#[test]
fn a_stack_that_was_killed_comes_back_at_its_ports() {
    let project = Project::new("process");
    let first = project.up(&[]).ok();
    kill(project.supervisor());
    let killed = pids(&project);
    assert_eq!(killed.len(), 3);
    killed.into_iter().for_each(kill);
    let status = project.run(&["status"]);
    assert_eq!(status.code, Some(4), "{}", status.said);
    assert!(status.said.contains("nothing of the stack of project"), "{}", status.said);
    assert!(status.said.contains("was not taken down"), "{}", status.said);
    let up =
        status.said.split('`').find(|part| part.starts_with("ordersys up --project")).expect("a command");
    let line = up.replacen("ordersys", &binary().display().to_string(), 1);
    // A plain `up`, as it is advised.
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{line} --runtime process -o json")]);
    let pasted = shell.stdin(Stdio::null()).output().expect("runs");
    assert!(pasted.status.success(), "{}", String::from_utf8_lossy(&pasted.stderr));
    let again: Value = serde_json::from_slice(&pasted.stdout).expect("JSON");
    assert_eq!(urls(&again), urls(&first.data));
}
