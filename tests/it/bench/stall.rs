//! A stopped server and a stopped generator, told apart by what `ordersys bench` reports.
//!
//! The arithmetic: a run of `T` seconds whose server stops for `S` seconds delays the share `S / T` of an
//! even plan by up to `S`. The longest hundredth of all responses was planned in the first `T / 100` seconds
//! of the stop, so their 99th percentile is at least `S - T / 100`, and not much more than `S`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::{LIMIT, binary, quiet_blocking};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long a run measures.
const RUN: Duration = Duration::from_secs(6);
/// How long one side is stopped.
const STOP: Duration = Duration::from_millis(1400);
/// How long the run goes on before that.
const BEFORE: Duration = Duration::from_millis(1500);
/// Requests planned a second.
const RATE: u32 = 2000;

/// A process that ends with the test; `None` once its output was taken.
struct Running(Option<Child>);

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().expect("starts")))
    }

    fn child(&self) -> &Child {
        self.0.as_ref().expect("is running")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child()), signal).expect("is running");
    }

    /// Stops it for a while; how long that was.
    fn stop(&self) -> Duration {
        self.signal(Signal::STOP);
        let stopped = Instant::now();
        std::thread::sleep(STOP);
        self.signal(Signal::CONT);
        stopped.elapsed()
    }

    /// Waits until it sends requests: it then has a thread of this name.
    fn loads(&self) {
        let (began, tasks) = (Instant::now(), format!("/proc/{}/task", self.child().id()));
        let is_loading = || {
            let tasks = std::fs::read_dir(&tasks).ok()?;
            let mut names =
                tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
            names.any(|name| name.trim() == "load-0").then_some(())
        };
        while is_loading().is_none() {
            assert!(began.elapsed() < LIMIT, "no request was sent");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn output(mut self) -> Output {
        self.0.take().expect("is running").wait_with_output().expect("ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A server and a run against it that goes on for [`BEFORE`].
fn scene() -> (Running, Running) {
    let mut server = Running::start(&["respond"]);
    let mut url = String::new();
    let said = server.0.as_mut().and_then(|server| server.stdout.take()).expect("piped");
    BufReader::new(said).read_line(&mut url).expect("a line");
    let (url, rate, run) = (url.trim(), RATE.to_string(), format!("{}s", RUN.as_secs()));
    let plan = ["bench", "--rate", &rate, "--arrivals", "even", "--duration", &run, "--warmup", "0s"];
    let system = ["--user-url", url, "--product-url", url, "--order-url", url, "--sell-existing"];
    let how = ["--concurrency", "16", "--no-verify", "-o", "json"];
    let bench = Running::start(&[&plan[..], &how, &system].concat());
    bench.loads();
    std::thread::sleep(BEFORE);
    (server, bench)
}

fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn a_stopped_server_shows_in_the_response_time_and_not_in_the_service_time() {
    let _turn = quiet_blocking();
    let (server, bench) = scene();
    let stopped = server.stop().as_secs_f64();
    let report = report(&bench.output());
    let seconds = |time: &str, quantile: &str| {
        report["latency"][time][quantile].as_f64().unwrap_or_else(|| panic!("{report:#}")) / 1e3
    };
    let (run, slack) = (RUN.as_secs_f64(), 0.03);
    let p99 = seconds("response", "p99");
    assert!((stopped - run / 100.0 - slack..stopped).contains(&p99), "stopped {stopped} s, p99 {p99} s");
    // A tenth of a run is less than the stop, so the same holds for the 90th percentile.
    let p90 = seconds("response", "p90");
    assert!((stopped - run / 10.0 - slack..stopped).contains(&p90), "stopped {stopped} s, p90 {p90} s");
    // Only one request of each connection was being answered.
    let service = seconds("service", "p99");
    assert!(service < 0.02, "service time p99 {service} s");
    let lag = seconds("generatorLag", "p99");
    assert!(lag < 0.1, "the stop is not the generator's: lag p99 {lag} s");
    assert_eq!(
        report["cpuMicrosPerRequest"]["server"],
        Value::Null,
        "it is not ours, as far as the run knows"
    );
    let planned = f64::from(RATE) * run;
    assert_eq!(report["totals"]["planned"], planned, "{report:#}");
    assert_eq!(report["totals"]["ok"], planned, "all are answered in the end: {report:#}");
}

#[test]
fn a_stopped_generator_makes_the_run_invalid_and_is_named_as_the_cause() {
    let _turn = quiet_blocking();
    let (_server, bench) = scene();
    bench.stop();
    let output = bench.output();
    let report = report(&output);
    assert_eq!(report["verdict"], "INVALID", "{report:#}");
    let cause = report["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("generator"), "{cause}");
    assert_eq!(output.status.code(), Some(8));
}
