//! `bench --live` on a terminal of its own: what it shows, how it is ended, and that the terminal comes back.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::command::terminal::Terminal;
use ordersys_testkit::{LIMIT, binary};
use rustix::process::{Pid, Signal, kill_process};

/// What begins and ends the use of the whole screen (xterm's control sequences), and shows the cursor again.
const ENTERS: &str = "\x1b[?1049h";
const LEAVES: &str = "\x1b[?1049l";
const SHOWS_CURSOR: &str = "\x1b[?25h";

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn ends(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("waits") {
                return status;
            }
            assert!(began.elapsed() < LIMIT, "goes on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A run that shows itself on a terminal, against a server that answers everything.
fn scene(length: &str) -> (Running, Terminal, Running) {
    let server = Command::new(binary()).arg("respond").stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut server = Running(server.expect("starts"));
    let mut url = String::new();
    let said = server.0.stdout.take().expect("piped");
    BufReader::new(said).read_line(&mut url).expect("a line");
    let (url, terminal) = (url.trim(), Terminal::open(80));
    let mut bench = Command::new(binary());
    bench.args([
        "bench",
        "--live",
        "-c",
        "2",
        "--rate",
        "500",
        "--warmup",
        "0s",
        "--no-verify",
        "--sell-existing",
    ]);
    bench.args(["--duration", length, "--user-url", url, "--product-url", url, "--order-url", url]);
    bench.stdin(terminal.side()).stdout(terminal.side()).stderr(terminal.side());
    let bench = Running(bench.spawn().expect("starts"));
    (server, terminal, bench)
}

/// The terminal was taken, given back, and then told the end.
fn gave_back(terminal: &Terminal, last: &str) {
    terminal.until(last);
    assert!(terminal.is_as_usual(), "{}", terminal.text());
    let text = terminal.text();
    let (taken, given) = (text.find(ENTERS).expect("taken"), text.rfind(LEAVES).expect("given back"));
    assert!(taken < given && text[taken..].contains(SHOWS_CURSOR), "{text}");
    assert!(given < text.rfind(last).expect("is there"), "what comes after it stays on the screen: {text}");
}

#[test]
fn the_view_shows_figures_and_q_ends_the_run() {
    let (_server, mut terminal, mut bench) = scene("10m");
    terminal.until("right answers a second: now ");
    terminal.until("so far ");
    assert!(!terminal.is_as_usual(), "what is typed is for the view");
    terminal.master.write_all(b"q").expect("types");
    assert_eq!(bench.ends().code(), Some(130));
    gave_back(&terminal, "INTERRUPTED");
}

#[test]
fn ctrl_c_and_a_request_to_terminate_end_it_in_the_same_way() {
    let (_server, mut terminal, mut bench) = scene("10m");
    terminal.until(ENTERS);
    terminal.master.write_all(b"\x03").expect("types");
    assert_eq!(bench.ends().code(), Some(130));
    gave_back(&terminal, "interrupted");

    let (_server, terminal, mut bench) = scene("10m");
    terminal.until("right answers a second: now ");
    kill_process(Pid::from_child(&bench.0), Signal::TERM).expect("is running");
    assert_eq!(bench.ends().code(), Some(130));
    gave_back(&terminal, "INTERRUPTED");
}

#[test]
fn a_run_that_ends_by_itself_leaves_its_report() {
    let (_server, terminal, mut bench) = scene("1s");
    assert!(matches!(bench.ends().code(), Some(0 | 8)), "{}", terminal.text());
    gave_back(&terminal, "exit code");
}

#[test]
fn without_a_terminal_it_is_refused() {
    let command = ["bench", "--live", "--duration", "1s"];
    let mut output = Command::new(binary());
    let urls =
        ["--user-url", "--product-url", "--order-url"].map(|flag| [flag, "http://127.0.0.1:1"]).concat();
    let output = output.args(command).args(urls).stdin(Stdio::null()).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--live needs a terminal") && said.contains("hint:"), "{said}");
}
