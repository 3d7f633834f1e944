//! The command line on a project of its own, which is taken down with its data however a test ends.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::LIMIT;

/// A project of its own.
pub(crate) struct Project {
    pub(crate) state: tempfile::TempDir,
    pub(crate) name: String,
    pub(crate) runtime: &'static str,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) data: Value,
    pub(crate) said: String,
}

impl Project {
    pub(crate) fn new(runtime: &'static str) -> Self {
        let name = format!("test-{runtime}-{}", uuid::Uuid::new_v4().simple());
        Self { state: tempfile::tempdir().expect("a directory"), name: name[..24].to_owned(), runtime }
    }

    /// The command with the flags that name this project.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordersys"));
        command.args(["--project", &self.name, "-o", "json", "--state-dir"]).arg(self.state.path());
        command.args(args).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        let output = self.command(args).output().expect("runs");
        Ended {
            code: output.status.code(),
            data: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The arguments of a quick `up` on free ports, and more.
    pub(crate) fn up_args<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        let args = ["up", "--runtime", self.runtime, "--durability", "memory", "--port", "auto"];
        [&args, more].concat()
    }

    pub(crate) fn up(&self, more: &[&str]) -> Ended {
        self.run(&self.up_args(more))
    }

    /// A service as `status` shows it; null if it does not.
    pub(crate) fn service(&self, name: &str) -> Value {
        let status = self.run(&["status"]);
        let services = status.data["services"].as_array().cloned().unwrap_or_default();
        services.into_iter().find(|service| service["name"] == name).unwrap_or_default()
    }

    /// Waits until `status` shows a service like this, and returns how long that took.
    pub(crate) fn until(&self, name: &str, holds: impl Fn(&Value) -> bool) -> Duration {
        let started = Instant::now();
        loop {
            let service = self.service(name);
            if holds(&service) {
                return started.elapsed();
            }
            assert!(started.elapsed() < LIMIT, "{name}: {service}");
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let down = self.run(&["down", "--volumes"]);
        if !std::thread::panicking() {
            assert_eq!(down.code, Some(0), "{}", down.said);
        }
    }
}

impl Ended {
    /// The same, of a command that has to succeed.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.said);
        self
    }
}

/// Whether the tests on containers can run. Where `ORDERSYS_TEST_DOCKER=required` they must.
pub(crate) fn has_engine() -> bool {
    let probe = Project::new("docker").up(&["--dry-run"]);
    let answers = probe.code == Some(0);
    let required = std::env::var("ORDERSYS_TEST_DOCKER").is_ok_and(|text| text == "required");
    assert!(answers || !required, "a Docker engine is required and none answers: {}", probe.said);
    answers
}
