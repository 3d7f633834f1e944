//! What `bench` says and does when nothing succeeds, when nothing could, and when it would sell what is not its own:
//! through the real binary, against a system of the article's kind that answers orders as it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ordersys_testkit::{Project, binary};
use serde_json::Value;

/// A system that has one product with three units, and lets nobody make more.
struct System {
    url: String,
    ordered: Arc<AtomicUsize>,
}

impl System {
    /// Orders are answered with this status and body. Its threads end with the tests.
    fn start(status: u16, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let ordered = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&ordered);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || serve(&stream, (status, body), &counted));
            }
        });
        Self { url, ordered }
    }

    fn bench(&self, args: &[&str]) -> Output {
        let state = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(binary());
        command.args(["--state-dir".as_ref(), state.path()]);
        command.args(["--user-url", &self.url, "--product-url", &self.url, "--order-url", &self.url]);
        command.arg("bench").args(args).output().expect("runs")
    }
}

/// Answers the requests of a connection until it is closed.
fn serve(stream: &TcpStream, order: (u16, &str), ordered: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut request, mut length) = (String::new(), 0);
        reader.read_line(&mut request).ok().filter(|count| *count > 0)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let (status, body) = match request.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["GET", "/health"] => (200, r#"{"status":"ok"}"#),
            ["POST", "/users"] => (201, r#"{"id":"u1"}"#),
            ["GET", "/products"] => (200, r#"[{"id":"p1","name":"P","price":1.5,"stock":3}]"#),
            ["POST", "/orders"] => {
                ordered.fetch_add(1, Ordering::Relaxed);
                order
            }
            _ => (404, r#"{"error":"no such route"}"#),
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        (&*stream).write_all(&[head.as_bytes(), body.as_bytes()].concat()).ok()?;
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn data(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}

#[test]
fn a_run_in_which_nothing_succeeds_is_not_green_and_names_the_true_cause() {
    for (status, body, cause) in [
        (404, r#"{"error":"gone"}"#, r#"the system refused all 200 requests, such as 404: {"error":"gone"}"#),
        (503, "try later", "the system refused all 200 requests, such as 503: try later"),
        (500, r#"{"code":"internal"}"#, "the system failed all 200 requests, such as 500 internal"),
        (
            409,
            r#"{"code":"insufficient-stock"}"#,
            "the system refused all 200 requests, such as 409 insufficient-stock",
        ),
    ] {
        let system = System::start(status, body);
        let run = system.bench(&["-n", "200", "-c", "4", "--sell-existing", "--no-verify", "-o", "json"]);
        assert_eq!(run.status.code(), Some(1), "{status}: {}", said(&run));
        let expected = format!("nothing was sold: {cause}");
        assert!(said(&run).contains("nothing was sold: the system"), "{status}: {}", said(&run));
        let result = data(&run);
        assert_eq!((&result["verdict"], &result["exitCode"]), (&"FAILED".into(), &1.into()), "{result:#}");
        assert!(result["cause"].as_str().is_some_and(|cause| cause.starts_with(&expected)), "{result:#}");
    }
}

#[test]
fn a_search_and_a_comparison_are_not_green_either_when_nothing_succeeds() {
    let system = System::start(404, "{}");
    let load = ["-c", "2", "--sell-existing", "--no-verify"];
    let search = ["saturate", "--slo", "p99<1s", "--from", "1", "--step", "1s"];
    let search = system.bench(&[&search[..], &load].concat());
    // One request may be too few to keep its own second on a busy machine.
    assert!(matches!(search.status.code(), Some(6 | 8)), "{}", said(&search));
    let compare = system.bench(&[&["compare", "--aa", "--runs", "1", "--", "-n", "20"], &load[..]].concat());
    assert_eq!(compare.status.code(), Some(1), "{}", said(&compare));
    assert!(said(&compare).contains("nothing was sold"), "{}", said(&compare));
}

#[test]
fn what_could_show_nothing_is_refused_before_anything_is_sent() {
    let system = System::start(201, r#"{"id":"o1"}"#);
    for (args, why) in [
        (&["--rate", "0.2", "--arrivals", "even", "--duration", "3s", "--warmup", "0.5s"][..], "no request"),
        (&["--duration", "0s"], "no request"),
        (&["--quantity", "10001"], "at most 10000"),
        (&["--lines", "1..101", "--products", "200"], "at most 100"),
        (&["--quantity", "5", "--stock", "4"], "no order could be filled"),
        (&["saturate", "--slo", "p99<1s", "--quantity", "10001"], "at most 10000"),
        (&["compare", "--aa", "--", "--quantity", "10001"], "at most 10000"),
    ] {
        let refused = system.bench(args);
        let said = said(&refused);
        assert!(
            refused.status.code() == Some(2) && said.contains(why) && said.contains("hint:"),
            "{args:?}: {said}"
        );
    }
    assert_eq!(system.ordered.load(Ordering::Relaxed), 0);
}

#[test]
fn stock_that_is_there_is_sold_only_if_that_was_asked_for() {
    let system = System::start(201, r#"{"id":"o1"}"#);
    let refused = system.bench(&["-n", "1", "-c", "1"]);
    let said = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains("would sell the stock that is there: 3 units") && said.contains("--sell-existing"),
        "{said}"
    );
    assert_eq!(system.ordered.load(Ordering::Relaxed), 0, "nothing was sold");
    system.bench(&["-n", "1", "-c", "1", "--sell-existing", "--no-verify"]);
    assert_eq!(system.ordered.load(Ordering::Relaxed), 1);
}

#[test]
fn the_projects_own_stack_is_recognised_by_any_of_its_urls_and_sells_products_of_the_run_alone() {
    let project = Project::new("process");
    project.up(&[]).ok();
    let made = project.run(&["product", "create", "--name", "Lamp", "--price", "1.50", "--stock", "7"]).ok();
    let url = |name: &str| {
        let url = project.service(name)["url"].as_str().expect("a URL").to_owned();
        url.replace("127.0.0.1", "localhost")
    };
    let (user, product, order) = (url("user"), url("product"), url("order"));
    let urls = ["--user-url", &user, "--product-url", &product, "--order-url", &order];
    let run = project.run(&[&["bench", "-n", "20", "-c", "2"][..], &urls].concat());
    assert!(matches!(run.code, Some(0 | 8)), "{}", run.said);
    assert!(run.said.contains("makes its own products"), "{}", run.said);
    assert_eq!(run.data["settings"]["contract"], "full");
    let lamp = project.run(&["product", "get", made.data["id"].as_str().expect("an id")]).ok();
    assert_eq!(lamp.data["stock"], 7, "not one was sold");
}
