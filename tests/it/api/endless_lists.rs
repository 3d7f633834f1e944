//! Servers that name a next page for ever: every command that reads a list ends, and says what was wrong.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ordersys_testkit::binary;

/// How long a command may take to see that a list has no end.
const ENDS_WITHIN: Duration = Duration::from_mins(1);

/// How long a page of ever new ones takes.
const TRICKLE: Duration = Duration::from_millis(50);

/// A page with one product.
const PRODUCT: &str = r#"[{"id":"019a0000-0000-7000-8000-000000000001","name":"Hub","price":5.00,"currency":"USD","stock":1,"version":1,"createdAt":"2025-11-01T00:00:00.000Z"}]"#;

/// How a list goes on for ever.
#[derive(Debug, Clone, Copy)]
enum Endless {
    /// Each page is empty and names another one.
    Empty,
    /// Each page is empty and names itself.
    Circle,
    /// Each page has one item and names another one.
    Trickle,
}

/// Serves such a list at every path; counts the requests.
fn serve(how: Endless) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                    let number = counted.fetch_add(1, Ordering::SeqCst);
                    let cursor = match how {
                        Endless::Empty | Endless::Trickle => number,
                        Endless::Circle => 7,
                    };
                    let items = match how {
                        Endless::Empty | Endless::Circle => "[]",
                        Endless::Trickle => PRODUCT,
                    };
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                         link: </next?cursor={cursor}>; rel=\"next\"\r\n\r\n{items}",
                        items.len()
                    );
                    if matches!(how, Endless::Trickle) {
                        std::thread::sleep(TRICKLE);
                    }
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, count)
}

/// A command under way, and its state directory.
struct Running {
    child: Child,
    what: String,
    began: Instant,
    _state: tempfile::TempDir,
}

impl Running {
    /// Starts a command on services that are all at this address.
    fn start(url: &str, args: &[&str]) -> Self {
        let state = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(binary());
        command.args(["--user-url", url, "--product-url", url, "--order-url", url, "--state-dir"]);
        command.arg(state.path()).args(args).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        Self { child, what: format!("{args:?}"), began: Instant::now(), _state: state }
    }

    /// Waits for its end; what its exit code is and what it said.
    fn ends(mut self) -> (Option<i32>, String) {
        while self.child.try_wait().expect("waits").is_none() {
            if self.began.elapsed() > ENDS_WITHIN {
                self.child.kill().expect("kills");
                panic!("{} does not end", self.what);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = self.child.wait_with_output().expect("ended");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn commands_end_where_a_list_does_not() {
    let (ever_new, asked_for_new) = serve(Endless::Trickle);
    let trickled = Running::start(&ever_new, &["product", "list"]); // beside the others: it takes its time
    let commands: [&[&str]; 5] = [
        &["product", "list"],
        &["product", "get", "Hub"],
        &["product", "restock", "Hub", "1"],
        &["order", "list", "--as", "anyone"],
        &["check"],
    ];
    for (how, said, at_most) in [
        (Endless::Empty, "1000 pages in a row hold nothing", 2100),
        (Endless::Circle, "names a next page that was read before", 20),
    ] {
        for command in commands {
            let (url, count) = serve(how);
            let (code, error) = Running::start(&url, command).ends();
            assert_ne!(code, Some(0), "{how:?} {command:?}: {error}");
            // The check has a rule of its own: none of its lists has an empty page.
            assert!(error.contains(said) || command == ["check"], "{how:?} {command:?}: {error}");
            let asked = count.load(Ordering::SeqCst);
            assert!(asked <= at_most, "{how:?} {command:?}: {asked} requests");
        }
    }
    let (code, error) = trickled.ends();
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("its time limit of 30 s"), "{error}");
    assert!(asked_for_new.load(Ordering::SeqCst) > 100);
}
