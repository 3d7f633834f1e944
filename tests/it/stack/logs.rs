//! `ordersys logs` as a person or a script runs it.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::{LIMIT, binary};

fn ordersys(state: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(["--project", "test", "--state-dir"]).arg(state).args(args);
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

fn run(state: &Path, args: &[&str]) -> Output {
    ordersys(state, args).output().expect("runs")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

fn line(second: u32, service: &str, level: &str, order: &str) -> String {
    format!(
        r#"{{"timestamp":"2026-01-01T12:00:{second:02}.000000Z","level":"{level}","service":"{service}","message":"request","orderId":"{order}"}}"#
    )
}

fn append(state: &Path, service: &str, lines: &[String]) {
    let dir = state.join("test/logs");
    fs::create_dir_all(&dir).expect("directory");
    let path = dir.join(format!("{service}.log"));
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("opens");
    for line in lines {
        writeln!(file, "{line}").expect("writes");
    }
}

/// A stack's logs: two services and a line of a panic.
fn logs() -> tempfile::TempDir {
    let state = tempfile::tempdir().expect("directory");
    let panic = "thread 'main' panicked at src/x.rs".to_owned();
    append(state.path(), "user", &[line(1, "user", "INFO", "o-1"), line(4, "user", "WARN", "o-2")]);
    append(state.path(), "order", &[line(2, "order", "INFO", "o-1"), panic, line(3, "order", "INFO", "o-2")]);
    state
}

#[test]
fn lines_of_all_services_come_in_the_order_of_their_times() {
    let state = logs();
    let output = run(state.path(), &["logs"]);
    let expected = "12:00:01.000 user       INFO  request orderId=o-1\n\
                    12:00:02.000 order      INFO  request orderId=o-1\n\
                    12:00:02.000 order      thread 'main' panicked at src/x.rs\n\
                    12:00:03.000 order      INFO  request orderId=o-2\n\
                    12:00:04.000 user       WARN  request orderId=o-2\n";
    assert_eq!((stdout(&output), output.status.code()), (expected, Some(0)));
}

#[test]
fn flags_narrow_what_is_shown() {
    let state = logs();
    let cases: [(&[&str], usize); 9] = [
        (&["logs", "order"], 3),
        (&["logs", "--level", "warn"], 2),
        (&["logs", "--order", "o-1"], 2),
        (&["logs", "user", "--order", "o-1"], 1),
        (&["logs", "--since", "2026-01-01T12:00:03Z"], 2),
        (&["logs", "--since", "2026-01-01T12:00:02Z", "--until", "2026-01-01T12:00:03Z"], 3),
        (&["logs", "--level", "error", "user"], 0),
        (&["logs", "--tail", "2"], 2),
        (&["logs", "order", "-n", "all"], 3),
    ];
    for (args, expected) in cases {
        let output = run(state.path(), args);
        assert_eq!(stdout(&output).lines().count(), expected, "{args:?}: {}", stdout(&output));
        let output = run(state.path(), &[args, &["-o", "json"][..]].concat());
        let services = stdout(&output).lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("one object a line");
            line["service"].as_str().map(str::to_owned).expect("a service")
        });
        assert_eq!(services.count(), expected, "{args:?}");
    }
}

#[test]
fn the_last_lines_are_those_of_all_services_and_the_others_are_counted() {
    let state = logs();
    let output = run(state.path(), &["logs", "-n", "1"]);
    assert_eq!(stdout(&output), "12:00:04.000 user       WARN  request orderId=o-2\n");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("left out: 4 earlier lines; --tail all"), "{said}");
    let whole = run(state.path(), &["logs", "-n", "9"]);
    assert!(!String::from_utf8_lossy(&whole.stderr).contains("left out"), "{whole:?}");
}

#[test]
fn a_request_or_order_without_a_line_is_not_found() {
    let state = logs();
    for flag in ["--request", "--order"] {
        let output = run(state.path(), &["logs", flag, "nope"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("no line is about the") && said.contains("`nope`"), "{said}");
    }
}

#[test]
fn wrong_names_and_missing_stacks_have_their_exit_codes() {
    let state = logs();
    let output = run(state.path(), &["logs", "orders"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("there is no service `orders`") && said.contains("order, user"), "{said}");
    let empty = tempfile::tempdir().expect("directory");
    let output = run(empty.path(), &["logs"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("hint: start a stack with `ordersys up --"));
}

/// Ends the process with the test, however that goes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn following_shows_new_lines_and_ends_quietly_with_its_reader() {
    let state = logs();
    let child = ordersys(state.path(), &["logs", "-f", "user", "-n", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut running = Running(child);
    let mut reader = BufReader::new(running.0.stdout.take().expect("piped"));
    let mut next = || {
        let mut text = String::new();
        reader.read_line(&mut text).expect("reads");
        text
    };
    assert!(next().contains("o-2"));
    append(state.path(), "user", &[line(5, "user", "INFO", "o-5")]);
    assert!(next().contains("o-5"));
    let log = state.path().join("test/logs/user.log");
    append(state.path(), "user", &[line(6, "user", "INFO", "o-6")]);
    fs::rename(&log, state.path().join("test/logs/user.log.1")).expect("moves");
    append(state.path(), "user", &[line(7, "user", "INFO", "o-7")]);
    assert!(next().contains("o-6") && next().contains("o-7"), "across a change of files");
    drop(reader);
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        append(state.path(), "user", &[line(8, "user", "INFO", "o-8")]);
        if let Some(status) = running.0.try_wait().expect("waits") {
            break status;
        }
        assert!(Instant::now() < deadline, "goes on without a reader");
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut said = String::new();
    std::io::Read::read_to_string(&mut running.0.stderr.take().expect("piped"), &mut said).expect("reads");
    assert_eq!(
        (status.code(), said.as_str()),
        (
            Some(0),
            "no stack is up; these are the logs of the last one\nleft out: 1 earlier line; --tail all shows every line\n"
        )
    );
}
