//! The command line on a project of its own, which is taken down with its data however a test ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::{LIMIT, binary};

/// A project of its own.
pub struct Project {
    /// Its state directory, which has no other project.
    pub state: TempDir,
    /// Its name.
    pub name: String,
    /// `process` or `docker`: where [`Project::up`] runs it.
    pub runtime: &'static str,
}

/// How a command ended.
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it printed, as JSON; null if it is none.
    pub data: Value,
    /// What it said: all of its standard error.
    pub said: String,
}

impl Project {
    /// A project of which nothing is there.
    pub fn new(runtime: &'static str) -> Self {
        let name = format!("test-{runtime}-{}", uuid::Uuid::new_v4().simple());
        Self { state: tempfile::tempdir().expect("a directory"), name: name[..24].to_owned(), runtime }
    }

    /// The project's own directory.
    pub fn dir(&self) -> PathBuf {
        self.state.path().join(&self.name)
    }

    /// The process of its supervisor.
    pub fn supervisor(&self) -> u32 {
        supervisor_in(&self.dir())
    }

    /// The command with the flags that name this project.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(["--project", &self.name, "-o", "json", "--state-dir"]).arg(self.state.path());
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Makes the next `up` start its services with this log filter, as if the last one had: also with one that the
    /// command line refuses, with which a service ends at its start.
    pub fn remember_log(&self, filter: &str) {
        let path = self.dir().join("started.json");
        let mut started: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("was started")).expect("JSON");
        started["log"] = filter.into();
        std::fs::write(&path, started.to_string()).expect("writes");
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&self.command(args).output().expect("runs"))
    }

    /// The arguments of a quick `up` on free ports, and more.
    pub fn up_args<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        let args = ["up", "--runtime", self.runtime, "--durability", "memory", "--port", "auto"];
        [&args, more].concat()
    }

    /// Runs `up` with those.
    pub fn up(&self, more: &[&str]) -> Ended {
        self.run(&self.up_args(more))
    }

    /// A service as `status` shows it; null if it does not.
    pub fn service(&self, name: &str) -> Value {
        let status = self.run(&["status"]);
        let services = status.data["services"].as_array().cloned().unwrap_or_default();
        services.into_iter().find(|service| service["name"] == name).unwrap_or_default()
    }

    /// Waits until `status` shows a service like this, and returns how long that took.
    pub fn until(&self, name: &str, holds: impl Fn(&Value) -> bool) -> Duration {
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
    /// Waits for the end of a command that was started with pipes.
    pub fn wait(child: Child) -> Self {
        Self::of(&child.wait_with_output().expect("ends"))
    }

    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            data: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            said: in_words(&output.stderr),
        }
    }

    /// The same, of a command that has to succeed.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.said);
        self
    }
}

/// What a command said. An error that it told as JSON is told as a person is told it.
pub fn in_words(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said).into_owned();
    let (before, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    let Ok(Value::Object(told)) = serde_json::from_str(last) else { return text };
    let error = &told["error"];
    let words = |value: &Value| value.as_str().map(str::to_owned);
    let causes = error["causes"].as_array().into_iter().flatten().filter_map(words);
    let causes: Vec<_> = causes.map(|cause| format!("  cause: {cause}\n")).collect();
    let causes = causes.concat();
    let hint = words(&error["hint"]).map_or_else(String::new, |hint| format!("\nhint: {hint}\n"));
    let message = words(&error["message"]).unwrap_or_default();
    format!("{before}\nerror: {message}\n{causes}{hint}")
}

/// The process of the supervisor of the project in this directory.
pub(crate) fn supervisor_in(dir: &Path) -> u32 {
    let lock = std::fs::read(dir.join("process/supervisor.lock")).expect("a supervisor ran");
    let holder: Value = serde_json::from_slice(&lock).expect("signed");
    u32::try_from(holder["identity"]["pid"].as_u64().expect("a pid")).expect("a pid")
}

/// Whether the tests on containers can run. Where `ORDERSYS_TEST_DOCKER=required` they must.
pub fn has_engine() -> bool {
    static ANSWERS: LazyLock<bool> = LazyLock::new(|| {
        let probe = Project::new("docker").up(&["--dry-run"]);
        let answers = probe.code == Some(0);
        let required = std::env::var("ORDERSYS_TEST_DOCKER").is_ok_and(|text| text == "required");
        assert!(answers || !required, "a Docker engine is required and none answers: {}", probe.said);
        answers
    });
    *ANSWERS
}
