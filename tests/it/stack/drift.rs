//! What `up` does about a stack that is not as it should be: it repairs that, names the cause, and
//! touches nothing of others.

use std::process::{Child, Command, Stdio};

use ordersys_testkit::command::engine::{docker, left_of};
use ordersys_testkit::command::stage::kill;
use ordersys_testkit::{Ended, Project, binary, has_engine};
use serde_json::Value;

fn step(up: &Ended, resource: &str) -> (String, String) {
    let steps = up.data["changes"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["resource"] == resource).expect("a step");
    let part = |name: &str| step[name].as_str().unwrap_or("").to_owned();
    (part("action"), part("cause"))
}

fn pair(action: &str, cause: &str) -> (String, String) {
    (action.to_owned(), cause.to_owned())
}

#[test]
fn a_stopped_container_a_lost_network_and_another_program_are_repaired() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    project.up(&[]).ok();
    docker(&["kill", &format!("{}-user-1", project.name)]);
    let up = project.up(&[]).ok();
    assert_eq!(step(&up, "service user"), pair("start", "not running (exit code 137)"));

    for service in ["user", "product", "order"] {
        let (network, container) =
            (format!("{}_backend", project.name), format!("{}-{service}-1", project.name));
        docker(&["network", "disconnect", &network, &container]);
    }
    docker(&["network", "rm", &format!("{}_backend", project.name)]);
    let up = project.up(&[]).ok();
    assert_eq!(step(&up, &format!("network {}_backend", project.name)), pair("create", "not there"));
    assert_eq!(step(&up, "service order"), pair("recreate", "cut off the network"));

    // A program with another content: what follows the last section of an ELF file is ignored.
    let program = project.state.path().join("ordersys-next");
    std::fs::copy(binary(), &program).expect("copies");
    let mut file = std::fs::OpenOptions::new().append(true).open(&program).expect("opens");
    std::io::Write::write_all(&mut file, project.name.as_bytes()).expect("writes");
    drop(file);
    let up = project.up(&["--binary", program.to_str().expect("UTF-8")]).ok();
    let (action, cause) = step(&up, "service product");
    assert!(action == "recreate" && cause.starts_with("image changed: "), "{action}: {cause}");
    let up = project.up(&[]).ok();
    assert!(up.said.contains("no container uses it any more"), "the image of this test alone: {}", up.said);
    project.run(&["down", "--volumes"]).ok();
    assert_eq!(left_of(&project.name), Vec::<String>::new());
}

#[test]
fn a_foreign_container_is_named_and_not_touched() {
    if !has_engine() {
        return;
    }
    let (other, project) = (Project::new("docker"), Project::new("docker"));
    other.up(&[]).ok();
    let image = docker(&["inspect", "--format", "{{.Config.Image}}", &format!("{}-user-1", other.name)]);
    let name = format!("{}-product-1", project.name);
    let foreign = docker(&["create", "--name", &name, &image, "--version"]);
    let refused = project.up(&[]);
    let kept = docker(&["inspect", "--format", "{{.Id}}", &name]);
    docker(&["rm", &foreign]);
    assert_eq!(kept, foreign);
    assert_eq!(refused.code, Some(3), "{}", refused.said);
    let wanted = format!("a container named `{name}` exists and is not of project `{}`", project.name);
    assert!(refused.said.contains(&wanted), "{}", refused.said);
    assert_eq!(left_of(&project.name), Vec::<String>::new(), "what was made is taken back");
}

fn spawn_up(project: &Project) -> Child {
    let mut command = project.command(&project.up_args(&[]));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
}

fn two_at_once(project: &Project) {
    let both = [spawn_up(project), spawn_up(project)];
    let reports: Vec<Value> = both
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().expect("ends");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{said}");
            serde_json::from_slice(&output.stdout).expect("a report")
        })
        .collect();
    let made = |report: &Value| {
        let steps = report["changes"].as_array().expect("steps").iter();
        steps.filter(|step| step["action"] == "create" && step["resource"].as_str() != Some("image")).count()
    };
    let (one, two) = (made(&reports[0]), made(&reports[1]));
    assert!(one.min(two) == 0 && one.max(two) >= 3, "one made everything, one found it: {one}, {two}");
    assert_eq!(reports[0]["services"][2]["url"], reports[1]["services"][2]["url"]);
}

#[test]
fn two_ups_at_once_make_one_stack_of_processes() {
    two_at_once(&Project::new("process"));
}

#[test]
fn two_ups_at_once_make_one_stack_of_containers() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    two_at_once(&project);
    let filter = format!("label=ordersys.project={}", project.name);
    assert_eq!(docker(&["ps", "-aq", "--filter", &filter]).lines().count(), 3);
    assert_eq!(docker(&["network", "ls", "-q", "--filter", &filter]).lines().count(), 1);
}

#[test]
fn a_killed_supervisor_is_named_as_the_cause() {
    let project = Project::new("process");
    project.up(&[]).ok();
    kill(project.supervisor());
    project.until("user", |service| service["state"] == "unwatched");
    let up = project.up(&[]).ok();
    for service in ["user", "product", "order"] {
        let wanted = pair("recreate", "its supervisor was killed");
        assert_eq!(step(&up, &format!("service {service}")), wanted);
    }
}

/// A lock that a shell holds around `up` is free again when `up` has ended.
#[test]
fn what_stays_behind_holds_nothing_of_its_caller() {
    let project = Project::new("process");
    let lock = project.state.path().join("lock");
    let up = project.command(&project.up_args(&[]));
    let mut shell = Command::new("flock");
    shell.arg(&lock).arg(up.get_program()).args(up.get_args()).stdin(Stdio::null());
    let output = shell.output().expect("flock runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again = Command::new("flock").args(["-n"]).arg(&lock).arg("true").status().expect("flock runs");
    assert!(again.success(), "the supervisor holds the lock");
}

#[test]
fn the_log_of_a_failure_is_of_this_run_alone() {
    let project = Project::new("process");
    project.up(&[]).ok();
    project.remember_log("no such=filter=");
    let failed = project.up(&[]);
    assert_eq!(failed.code, Some(1), "{}", failed.said);
    assert!(failed.said.contains("no such=filter="), "{}", failed.said);
    assert!(!failed.said.contains("\"listening\""), "a line of the run before: {}", failed.said);
}

#[test]
fn bad_input_is_refused_before_anything_starts() {
    let project = Project::new("process");
    for (args, wanted) in [
        (&["up", "--port", "orders=1"][..], "none of user, product, order"),
        (&["up", "--port", "order=x"], "neither a port (1 to 65535) nor `auto`"),
        (&["up", "--topology", "mesh"], "services, monolith"),
    ] {
        let refused = project.run(args);
        assert_eq!(refused.code, Some(2), "{args:?}: {}", refused.said);
        assert!(refused.said.contains(wanted), "{args:?}: {}", refused.said);
    }
    let file = project.state.path().join("a-file");
    std::fs::write(&file, "").expect("writes");
    let elsewhere = |name: &str| {
        let mut command = Command::new(binary());
        command.args(["up", "--runtime", "process", "--project", name, "--state-dir"]).arg(&file);
        let output = command.stdin(Stdio::null()).output().expect("runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = elsewhere("Not.Docker!");
    assert!(code == Some(2) && said.contains("a project name has 1 to 40 of a-z"), "{said}");
    let (code, said) = elsewhere("test");
    assert!(code == Some(3) && said.contains("cannot make the directory"), "{said}");
    assert_eq!(project.run(&["status"]).code, Some(4));
}
