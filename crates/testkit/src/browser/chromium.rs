//! A real browser without a window: what a page becomes once its scripts have run.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a page may take, in the page's own clock: the browser does not wait while nothing happens.
const VIRTUAL_TIME: Duration = Duration::from_secs(10);
/// How long the browser may take in all.
const PATIENCE: Duration = Duration::from_mins(1);

/// A page after its scripts.
#[derive(Debug)]
pub struct Rendered {
    /// The document as HTML.
    pub dom: String,
    /// What the page and the browser wrote to the console; a script that throws and an asset that the
    /// page's policy forbids are here.
    pub console: Vec<String>,
}

/// Whether Chromium can be started. Where `ORDERSYS_TEST_CHROMIUM=required` it must.
#[expect(clippy::print_stderr, reason = "says why a test did nothing")]
pub fn has_chromium() -> bool {
    let version = Command::new("chromium").arg("--version").stderr(Stdio::null()).output();
    let there = version.is_ok_and(|output| output.status.success());
    let required = std::env::var("ORDERSYS_TEST_CHROMIUM").is_ok_and(|text| text == "required");
    assert!(there || !required, "chromium is required and cannot be started: install the package chromium");
    if !there {
        eprintln!("skipped: the command chromium cannot be started");
    }
    there
}

/// Opens `url` (`http://...` or `file://...`) and waits until the page has nothing more to do.
pub fn render(url: &str) -> Rendered {
    run(url, &[])
}

/// The same where the host `name` is this machine, as a name server under foreign control may answer.
pub fn render_as(name: &str, url: &str) -> Rendered {
    run(url, &[&format!("--host-resolver-rules=MAP {name} 127.0.0.1")])
}

fn run(url: &str, more: &[&str]) -> Rendered {
    let profile = tempfile::tempdir().expect("a directory");
    let budget = format!("--virtual-time-budget={}", VIRTUAL_TIME.as_millis());
    // Into files: no thread has to empty a pipe meanwhile.
    let (dom, log) = (profile.path().join("dom"), profile.path().join("log"));
    let child = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--enable-logging=stderr", "--dump-dom", &budget])
        .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
        .args(more)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&dom).expect("a file"))
        .stderr(std::fs::File::create(&log).expect("a file"))
        .spawn()
        .expect("chromium starts");
    let ended = ends(child);
    let read = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let (dom, log) = (read(&dom), read(&log));
    assert!(ended, "chromium did not finish with {url}:\n{log}");
    let console = log.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    Rendered { dom, console }
}

/// Waits for the browser, and ends it if it takes too long. Whether it succeeded.
fn ends(mut child: Child) -> bool {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("is a child") {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}
