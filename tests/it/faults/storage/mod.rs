//! What a service does when its disk, its files or other programs do not behave: it says what is the matter, loses
//! nothing, and goes on when it can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::{LIMIT, binary};
use serde_json::{Value, json};

mod damage;
mod identity;
mod private;
mod trouble;

/// One real service process without credentials.
struct Service {
    role: &'static str,
    data: PathBuf,
    log: PathBuf,
    child: Child,
    url: String,
}

/// An answer: its status, its `Retry-After`, and its body.
struct Answer {
    status: u16,
    retry_after: Option<String>,
    body: Value,
    took: Duration,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or(""))
    }
}

fn serve(role: &str, data: &Path, port: u16) -> Command {
    let mut command = Command::new(binary());
    command.args(["serve", role, "--log", "info", "--log-format", "json", "--port", &port.to_string()]);
    command.arg("--data-dir").arg(data).stdin(Stdio::null());
    command
}

/// A port that is free now. The services of these tests listen below those of outgoing connections.
fn free_port() -> u16 {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    port.expect("a free port").port()
}

impl Service {
    async fn start(role: &'static str, data: &Path) -> Self {
        Self::start_by(role, data, |command| command).await
    }

    async fn start_by(role: &'static str, data: &Path, by: impl FnOnce(Command) -> Command) -> Self {
        let service = Self::spawn(role, data, by);
        service.until("ready", |answer| answer.status == 200).await;
        service
    }

    fn spawn(role: &'static str, data: &Path, by: impl FnOnce(Command) -> Command) -> Self {
        let port = free_port();
        let log = data.with_extension("log");
        let to = fs::File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = by(serve(role, data, port));
        let child = command.stderr(to.try_clone().expect("clones")).stdout(to).spawn().expect("starts");
        Self { role, data: data.to_owned(), log, child, url: format!("http://127.0.0.1:{port}") }
    }

    fn file(&self, suffix: &str) -> PathBuf {
        file(self.role, &self.data, suffix)
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Option<Answer> {
        let began = Instant::now();
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request =
            reqwest::Client::new().request(method, format!("{}{path}", self.url)).timeout(LIMIT);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = serde_json::from_slice(&response.bytes().await.ok()?).unwrap_or(Value::Null);
        Some(Answer { status, retry_after, body, took: began.elapsed() })
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await.expect("answers")
    }

    /// Makes a user, or a product.
    async fn write(&self) -> Answer {
        let (path, body) = match self.role {
            "user" => ("/users", json!({"name": "x".repeat(200), "email": "ann@example.com"})),
            _ => ("/products", json!({"name": "x".repeat(200), "price": 1, "stock": 1})),
        };
        self.send("POST", path, Some(body)).await.expect("answers")
    }

    async fn until(&self, what: &str, holds: impl Fn(&Answer) -> bool) -> Answer {
        let began = Instant::now();
        loop {
            if let Some(answer) = self.send("GET", "/readyz", None).await
                && holds(&answer)
            {
                return answer;
            }
            assert!(began.elapsed() < LIMIT, "{} is not {what}:\n{}", self.role, self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until it is unready for its storage, and returns why.
    async fn trouble(&self) -> String {
        let file = format!("{}.db", self.role);
        let of_storage =
            |answer: &Answer| answer.body["reason"].as_str().is_some_and(|text| text.contains(&file));
        let unready = self.until("in trouble", of_storage).await;
        assert_eq!((unready.status, &unready.body["status"]), (503, &json!("unready")));
        let reason = unready.body["reason"].as_str().unwrap_or("").to_owned();
        assert!(!reason.contains('/'), "no path for strangers: {reason}");
        reason
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let other = |line: &&str| !line.contains(r#""message":"request""#);
        log.lines().filter(other).collect::<Vec<_>>().join("\n")
    }

    /// Waits until it has logged this: its log is written with a delay.
    async fn until_logged(&self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            assert!(began.elapsed() < LIMIT, "`{text}` is not logged:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("is a child").is_none()
    }

    /// Ends it, as `kill` does.
    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("signals");
        assert!(self.child.wait().expect("ends").success(), "{}", self.log());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn file(role: &str, data: &Path, suffix: &str) -> PathBuf {
    data.join(role).join(format!("{role}.db{suffix}"))
}

/// A second start on the same directory, which has to end by itself.
pub(crate) fn refused(role: &str, data: &Path, expected: &[&str]) {
    let mut child =
        serve(role, data, 0).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("starts");
    let began = Instant::now();
    while child.try_wait().expect("is a child").is_none() && began.elapsed() < LIMIT {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let output: Output = child.wait_with_output().expect("ends");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{expected:?}: {text}");
    for part in expected {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

fn directory() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    (dir, data)
}

/// Makes a store with many pages and stops it.
async fn filled(role: &'static str, data: &Path) {
    let service = Service::start(role, data).await;
    for _ in 0..60 {
        assert_eq!(service.write().await.status, 201);
    }
    service.stop();
}
