//! `up` interrupted and killed at random moments: afterwards `down` leaves nothing. These take minutes and
//! are run by a command of their own, which also says how often each signal is sent:
//! `ORDERSYS_TEST_MOMENTS=50 cargo test --test it -- --ignored interrupted`.

use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::command::engine::left_of;
use ordersys_testkit::{LIMIT, Project, has_engine};
use rustix::process::{Pid, Signal, kill_process};

/// How often each signal is sent, unless the environment says so.
const MOMENTS: u32 = 50;
/// The latest moment, as a share of what an undisturbed `up` took here: some should find it done.
const LATEST: f64 = 1.2;

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().expect("waits") {
            return status;
        }
        assert!(Instant::now() < deadline, "goes on after the signal");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Processes whose command line names the project's state, and what the engine has of it by label.
fn left(project: &Project) -> Vec<String> {
    let mark = project.state.path().display().to_string();
    let commands = std::fs::read_dir("/proc").expect("proc").filter_map(Result::ok);
    let commands = commands.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    let mut left: Vec<String> = commands.filter(|command| command.contains(&mark)).collect();
    if project.runtime == "docker" {
        left.extend(left_of(&project.name));
    }
    left
}

fn moments() -> u32 {
    std::env::var("ORDERSYS_TEST_MOMENTS").map_or(MOMENTS, |text| text.parse().expect("a number"))
}

/// How long an `up` takes without an interruption.
fn undisturbed(project: &Project) -> Duration {
    let begun = Instant::now();
    project.run(&project.up_args(&[])).ok();
    let took = begun.elapsed();
    project.run(&["down", "--volumes"]).ok();
    took
}

fn at_random_moments(runtime: &'static str, signal: Signal) {
    let project = Project::new(runtime);
    let latest = undisturbed(&project).mul_f64(LATEST);
    let (mut stopped, moments) = (0, moments());
    for round in 0..moments {
        let mut command = project.command(&project.up_args(&[]));
        let mut up = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let moment = latest.mul_f64(rand::random());
        std::thread::sleep(moment);
        let pid = Pid::from_raw(i32::try_from(up.id()).expect("a pid")).expect("a pid");
        kill_process(pid, signal).expect("signals: it is not reaped");
        let status = wait(&mut up);
        match (signal == Signal::INT, status.code()) {
            (_, Some(0)) => {} // it was done before
            (true, code) => {
                stopped += 1;
                // Before it listens for signals, the signal itself ends it: nothing was begun.
                assert!(code.is_none_or(|code| code == 130), "round {round} at {moment:?}: {status}");
                assert_eq!(
                    project.run(&["status"]).code,
                    Some(4),
                    "round {round} at {moment:?}: something is up"
                );
            }
            (false, _) => stopped += 1,
        }
        project.run(&["down", "--volumes"]).ok();
        assert_eq!(left(&project), Vec::<String>::new(), "round {round} at {moment:?}");
    }
    assert!(stopped >= moments / 10, "only {stopped} of {moments} were stopped within {latest:?}");
}

#[test]
#[ignore = "takes minutes: a command of its own"]
fn interrupted_ups_of_processes_leave_nothing() {
    at_random_moments("process", Signal::INT);
}

#[test]
#[ignore = "takes minutes: a command of its own"]
fn interrupted_by_a_kill_ups_of_processes_leave_nothing() {
    at_random_moments("process", Signal::KILL);
}

#[test]
#[ignore = "takes minutes: a command of its own"]
fn interrupted_ups_of_containers_leave_nothing() {
    if has_engine() {
        at_random_moments("docker", Signal::INT);
    }
}

#[test]
#[ignore = "takes minutes: a command of its own"]
fn interrupted_by_a_kill_ups_of_containers_leave_nothing() {
    if has_engine() {
        at_random_moments("docker", Signal::KILL);
    }
}
