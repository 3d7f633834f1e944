//! `ordersys logs -f` of containers that are restarted and replaced, over connections that break: each line
//! once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use ordersys_testkit::command::engine::Wire;
use ordersys_testkit::{LIMIT, Project, has_engine};

/// Requests sent between two disturbances, half of them right before the next.
const REQUESTS: u32 = 20;

/// `logs -f` of the user service that writes to a file.
struct Following {
    child: Child,
    output: PathBuf,
}

impl Following {
    fn start(project: &Project, wire: &Wire) -> Self {
        let output = project.state.path().join("followed");
        let mut command = project.command(&["logs", "-f", "user"]);
        command.env("DOCKER_HOST", format!("unix://{}", wire.path().display()));
        command.stdout(File::create(&output).expect("creates"));
        Self { child: command.spawn().expect("starts"), output }
    }

    /// How often each request was shown.
    fn shown(&self) -> BTreeMap<String, u32> {
        let text = fs::read_to_string(&self.output).expect("reads");
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let mut shown = BTreeMap::new();
        for line in whole.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("one object a line");
            if let Some(id) = line["requestId"].as_str().filter(|id| id.starts_with("r-")) {
                *shown.entry(id.to_owned()).or_default() += 1;
            }
        }
        shown
    }

    async fn until_shown(&self, id: &str) {
        let deadline = Instant::now() + LIMIT;
        while !self.shown().contains_key(id) {
            assert!(Instant::now() < deadline, "{id} is not shown");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Requests with ids of their own.
struct Asking {
    http: reqwest::Client,
    url: String,
    sent: u32,
}

impl Asking {
    async fn ask(&mut self, times: u32) -> String {
        for _ in 0..times {
            self.sent += 1;
            let request = self.http.get(format!("{}/users", self.url)).timeout(LIMIT);
            request.header("x-request-id", format!("r-{}", self.sent)).send().await.expect("answers");
        }
        format!("r-{}", self.sent)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_container_is_shown_once_whatever_happens_to_it() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    let up = project.up(&[]).ok();
    let url = up.data["services"][0]["url"].as_str().expect("a URL").to_owned();
    let wire = Wire::new(project.state.path().join("engine.sock"));
    let following = Following::start(&project, &wire);
    let mut asking = Asking { http: reqwest::Client::new(), url, sent: 0 };
    for disturbance in 0..6 {
        let last = asking.ask(REQUESTS / 2).await;
        following.until_shown(&last).await;
        asking.ask(REQUESTS / 2).await;
        match disturbance {
            0..=3 => wire.break_now(),
            4 => drop(project.run(&["restart", "user"]).ok()),
            _ => drop(project.up(&["--log", "info,none=warn"]).ok()),
        }
    }
    let last = asking.ask(1).await;
    following.until_shown(&last).await;
    let wrong: Vec<_> = (1..=asking.sent)
        .map(|number| (number, following.shown().get(&format!("r-{number}")).copied().unwrap_or(0)))
        .filter(|(_, times)| *times != 1)
        .collect();
    assert_eq!(wrong, [], "requests that are not shown once, and how often they are");
}
