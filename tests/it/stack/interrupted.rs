//! Commands interrupted and killed at random moments: nothing is left behind, nothing stays stopped. The ones that take
//! minutes are run by a command of their own, which also says how often each signal is sent:
//! `ORDERSYS_TEST_MOMENTS=50 cargo test --test it -- --ignored interrupted`. A few moments are tried always.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::command::engine::left_of;
use ordersys_testkit::{LIMIT, Project, binary, has_engine};
use rustix::process::{Pid, Signal, kill_process};

/// How often each signal is sent, unless the environment says so: in tests of their own, and in the others.
const MOMENTS: u32 = 50;
const FEW_MOMENTS: u32 = 2;
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

/// Processes whose command line has this.
fn commands_with(mark: &str) -> Vec<String> {
    let commands = std::fs::read_dir("/proc").expect("proc").filter_map(Result::ok);
    let commands = commands.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    commands.filter(|command| command.contains(mark)).collect()
}

/// Processes whose command line names the project's state, and what the engine has of it by label.
fn left(project: &Project) -> Vec<String> {
    let mut left = commands_with(&project.state.path().display().to_string());
    if project.runtime == "docker" {
        left.extend(left_of(&project.name));
    }
    left
}

fn moments(unless_said: u32) -> u32 {
    std::env::var("ORDERSYS_TEST_MOMENTS").map_or(unless_said, |text| text.parse().expect("a number"))
}

/// The signals that ask a command to end. Where the end of the terminal is ignored, as under `nohup`, it stays so.
fn requests_to_end() -> Vec<Signal> {
    let status = std::fs::read_to_string("/proc/self/status").expect("reads");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a mask");
    let ignored = u64::from_str_radix(ignored.trim(), 16).expect("a mask");
    let all = [Signal::INT, Signal::TERM, Signal::HUP].into_iter();
    all.filter(|signal| *signal != Signal::HUP || ignored & 1 == 0).collect()
}

/// Runs a command and sends it a signal after a while; what it said, and how it ended.
fn sent(mut command: Command, signal: Signal, after: Duration) -> (ExitStatus, String) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
    std::thread::sleep(after);
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, signal).expect("signals: it is not reaped");
    let status = wait(&mut child);
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    // Before it listens for signals, the signal itself ends it: nothing was begun.
    assert!(
        [None, Some(0), Some(130)].contains(&status.code()),
        "{signal:?} after {after:?}: {status}: {said}"
    );
    (status, said)
}

/// A random moment within so long.
fn within(limit: Duration) -> Duration {
    limit.mul_f64(rand::random())
}

/// How long an `up` takes without an interruption.
fn undisturbed(project: &Project) -> Duration {
    let begun = Instant::now();
    project.run(&project.up_args(&[])).ok();
    let took = begun.elapsed();
    project.run(&["down", "--volumes"]).ok();
    took
}

fn at_random_moments(runtime: &'static str, signal: Signal, moments: u32) {
    let project = Project::new(runtime);
    let latest = undisturbed(&project).mul_f64(LATEST);
    let mut stopped = 0;
    for round in 0..moments {
        let mut command = project.command(&project.up_args(&[]));
        let mut up = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let moment = latest.mul_f64(rand::random());
        std::thread::sleep(moment);
        let pid = Pid::from_raw(i32::try_from(up.id()).expect("a pid")).expect("a pid");
        kill_process(pid, signal).expect("signals: it is not reaped");
        let status = wait(&mut up);
        match (signal != Signal::KILL, status.code()) {
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
    at_random_moments("process", Signal::INT, moments(MOMENTS));
}

#[test]
#[ignore = "takes minutes: a command of its own"]
fn interrupted_by_a_kill_ups_of_processes_leave_nothing() {
    at_random_moments("process", Signal::KILL, moments(MOMENTS));
}

#[test]
#[ignore = "takes minutes: a command of its own"]
fn interrupted_ups_of_containers_leave_nothing() {
    if has_engine() {
        at_random_moments("docker", Signal::INT, moments(MOMENTS));
    }
}

#[test]
#[ignore = "takes minutes: a command of its own"]
fn interrupted_by_a_kill_ups_of_containers_leave_nothing() {
    if has_engine() {
        at_random_moments("docker", Signal::KILL, moments(MOMENTS));
    }
}

#[test]
fn an_up_ends_by_each_signal_alike() {
    for signal in requests_to_end() {
        at_random_moments("process", signal, moments(FEW_MOMENTS));
    }
}

#[test]
fn an_interrupted_restart_leaves_nothing_stopped() {
    let project = Project::new("process");
    project.up(&[]).ok();
    let begun = Instant::now();
    project.run(&["restart"]).ok();
    let undisturbed = begun.elapsed();
    for signal in requests_to_end().repeat(moments(FEW_MOMENTS) as usize) {
        let (status, said) = sent(project.command(&["restart"]), signal, within(undisturbed));
        for name in ["user", "product", "order"] {
            // A supervisor that was told to start a service does so, whoever waits for it.
            project.until(name, |service| service["state"] == "ready");
        }
        if status.code() == Some(130) && !said.contains("when the restart was done") {
            assert!(said.contains("`ordersys restart ") || said.contains("nothing more"), "{said}");
        }
    }
}

#[test]
fn an_interrupted_seed_says_how_far_it_came() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let seed = ["seed", "--users", "200000", "--products", "1"];
    for signal in requests_to_end() {
        let (status, said) = sent(project.command(&seed), signal, Duration::from_secs(2));
        assert_eq!(status.code(), Some(130), "{said}");
        assert!(said.contains(" of 200001 users"), "{said}");
    }
}

/// What a smoke test leaves in the directory for temporary files, and which processes of it run on.
fn smoke_leaves_nothing(runtime: &str, signal: Signal, after: Duration) {
    let temporary = tempfile::tempdir().expect("a directory");
    let mut smoke = Command::new(binary());
    smoke.args(["smoke", "--runtime", runtime]).env("TMPDIR", temporary.path()).stdin(Stdio::null());
    let (_, said) = sent(smoke, signal, after);
    let mark = temporary.path().display().to_string();
    let left: Vec<_> = std::fs::read_dir(temporary.path()).expect("lists").flatten().collect();
    assert!(left.is_empty(), "{signal:?} after {after:?}: {left:?}: {said}");
    assert_eq!(commands_with(&mark), Vec::<String>::new(), "{signal:?} after {after:?}: {said}");
}

#[test]
fn a_smoke_test_whose_terminal_closes_leaves_nothing() {
    if let Some(signal) = requests_to_end().last() {
        smoke_leaves_nothing("process", *signal, within(Duration::from_secs(6)));
    }
}

#[test]
#[ignore = "takes minutes: a command of its own"]
fn interrupted_smoke_tests_leave_nothing() {
    let runtimes = if has_engine() { &["process", "docker"][..] } else { &["process"] };
    for signal in requests_to_end().repeat(moments(MOMENTS) as usize) {
        for runtime in runtimes {
            smoke_leaves_nothing(runtime, signal, within(Duration::from_secs(6)));
        }
    }
}
