//! `bench --faults` on both runtimes: done, felt, reported, and taken back however the run ends.

use std::process::Stdio;

use ordersys_testkit::{Project, has_engine, quiet_blocking};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn seconds(mark: &Value, name: &str) -> f64 {
    mark[name].as_f64().unwrap_or_else(|| panic!("{name}: {mark}"))
}

/// A short open loop, so that few connections are enough also while nothing is answered.
const LOAD: [&str; 8] = ["bench", "--rate", "100", "--warmup", "500ms", "--timeout", "2s", "--faults"];

fn faults_are_done_and_their_recovery_is_reported(project: &Project) {
    project.up(&[]).ok();
    let out = project.state.path().join("out");
    let out = out.to_str().expect("text");
    let faults = "kill:product@500ms,pause:user@2500ms+700ms,cut:order@5s+500ms";
    let turn = quiet_blocking();
    let run = project.run(&[&LOAD[..], &[faults, "--duration", "7s", "--out", out]].concat());
    drop(turn);
    assert!(matches!(run.code, Some(0 | 8)), "{:?}: {}", run.code, run.said);
    let result = std::fs::read(project.state.path().join("out/result.json")).expect("is there");
    let result: Value = serde_json::from_slice(&result).expect("JSON");
    let marks = result["marks"].as_array().expect("a list");
    let what: Vec<_> = marks.iter().filter_map(|mark| mark["what"].as_str()).collect();
    assert_eq!(what, ["kill:product", "pause:user", "partition:order"]);
    for (mark, at) in marks.iter().zip([0.5, 2.5, 5.0]) {
        assert!((at..at + 1.0).contains(&seconds(mark, "atSeconds")), "{mark}");
        assert!(seconds(mark, "recoverySeconds") < 3.0, "{mark}");
        assert_eq!(mark["error"], Value::Null);
    }
    assert_eq!(marks[0]["untilSeconds"], Value::Null, "a kill is over at once");
    for (mark, length) in marks[1..].iter().zip([0.7, 0.5]) {
        let lasted = seconds(mark, "untilSeconds") - seconds(mark, "atSeconds");
        assert!((length..length + 2.0).contains(&lasted), "{mark}");
    }
    assert_eq!(project.service("product")["restarts"], 1, "it was killed");
    for service in ["user", "product", "order"] {
        assert_eq!(project.service(service)["state"], "ready", "{service}");
    }
}

fn an_interrupted_run_takes_its_faults_back(project: &Project) {
    project.up(&[]).ok();
    let long = [&LOAD[..], &["pause:product@100ms+50s", "--duration", "60s"]].concat();
    let mut bench = project.command(&long);
    let mut bench = bench.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    project.until("product", |service| service["state"] == "paused");
    kill_process(Pid::from_child(&bench), Signal::INT).expect("is running");
    assert_eq!(bench.wait().expect("ends").code(), Some(130));
    assert_eq!(project.service("product")["state"], "ready");
}

#[test]
fn faults_on_processes_are_done_and_their_recovery_is_reported() {
    faults_are_done_and_their_recovery_is_reported(&Project::new("process"));
}

#[test]
fn faults_on_containers_are_done_and_their_recovery_is_reported() {
    if has_engine() {
        faults_are_done_and_their_recovery_is_reported(&Project::new("docker"));
    }
}

#[test]
fn an_interrupted_run_resumes_a_paused_process() {
    an_interrupted_run_takes_its_faults_back(&Project::new("process"));
}

#[test]
fn an_interrupted_run_resumes_a_paused_container() {
    if has_engine() {
        an_interrupted_run_takes_its_faults_back(&Project::new("docker"));
    }
}

#[test]
fn impossible_faults_are_refused_before_anything_is_done() {
    let project = Project::new("process");
    let refused = |args: &[&str]| {
        let ended = project.run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.said);
        ended.said
    };
    let mistake = refused(&["bench", "--faults", "kill:prodct@5s"]);
    assert!(mistake.contains("  kill:prodct@5s\n       ^"), "{mistake}");
    project.up(&["--topology", "monolith"]).ok();
    assert!(refused(&["bench", "--faults", "cut:user@1s+1s"]).contains("monolith"));
    assert!(refused(&["bench", "--faults", "kill:user@11s"]).contains("after the run is over"));
    let elsewhere = ["--order-url", "http://127.0.0.1:1", "bench", "--faults", "kill:user@1s"];
    assert!(refused(&elsewhere).contains("not the project's own stack"));
}
