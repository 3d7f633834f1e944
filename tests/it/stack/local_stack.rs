//! A stack of local processes through the command line: up, what it says, down.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use ordersys_testkit::binary;
use serde_json::Value;

fn ordersys(state: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(["--project", "local", "--state-dir"]).arg(state).args(args).stdin(Stdio::null());
    // Means the port of one service to `serve`, which must not see it.
    command.env("ORDERSYS_PORTS", "auto");
    let output = command.output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    output
}

/// Takes the stack down however the test ends.
struct Up<'a>(&'a Path);

impl Drop for Up<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut down = Command::new(binary());
            let _ = down.args(["--project", "local", "--state-dir"]).arg(self.0).arg("down").output();
        }
    }
}

#[test]
fn a_monolith_comes_up_logs_and_goes() {
    let state = tempfile::tempdir().expect("directory");
    let stack = Up(state.path());
    let up = ["up", "--runtime", "process", "--topology", "monolith", "--durability", "memory"];
    ordersys(stack.0, &up);
    let status: Value =
        serde_json::from_slice(&ordersys(stack.0, &["status", "-o", "json"]).stdout).expect("JSON");
    let services = status["services"].as_array().expect("a list");
    assert_eq!(services.len(), 3);
    assert!(services.iter().all(|service| service["state"] == "ready"), "{status}");
    let health = format!("{}/health", services[2]["url"].as_str().expect("a URL"));
    ordersys(stack.0, &["health", "--url", &health]);

    let lines = ordersys(stack.0, &["logs", "-o", "json"]).stdout;
    let lines: Vec<Value> = String::from_utf8_lossy(&lines)
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect();
    let said = |service: &str, message: &str| {
        lines.iter().any(|line| line["service"] == service && line["message"].as_str() == Some(message))
    };
    // The supervisor looks for itself, so its `ready` may come after that of `up`.
    assert!(lines.iter().any(|line| line["service"] == "supervisor"), "{lines:?}");
    assert!(said("order", "listening"), "{lines:?}");
    let order_only = ordersys(stack.0, &["logs", "order", "-o", "json"]).stdout;
    let order_only = String::from_utf8_lossy(&order_only).into_owned();
    assert!(order_only.lines().count() > 0, "a role can be named although all share a log");
    assert!(order_only.lines().all(|line| line.contains("\"service\":\"order\"")), "{order_only}");

    ordersys(stack.0, &["down"]);
    let mark = state.path().display().to_string();
    let commands = std::fs::read_dir("/proc").expect("proc").filter_map(Result::ok);
    let commands = commands.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    assert_eq!(commands.filter(|command| command.contains(&mark)).collect::<Vec<_>>(), Vec::<String>::new());
}
