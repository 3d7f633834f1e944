//! Text that others wrote reaches nobody's terminal as it is: not in tables, nor in errors, nor in what is said.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use ordersys_command::steers;
use ordersys_testkit::binary;
use ordersys_testkit::command::terminal::Terminal;
use serde_json::{Value, json};

/// A title for the window, colours, a bell, controls of both ranges, letters turned round, marks of ours.
const EVIL: &str = "E\u{1b}]0;owned\u{7}\u{1b}[31mV\r\n\u{9b}2J\u{202e}I\u{2066}\u{fdd1}\u{fdd0}L";

const ID: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
const AT: &str = "2026-01-01T12:00:00.000Z";

/// What such a server answers to a request.
fn answer(method: &str, path: &str) -> (u16, Value) {
    let user =
        json!({"id": ID, "name": EVIL, "email": EVIL, "kind": "guest", "status": "active", "createdAt": AT});
    let product = json!({"id": ID, "name": EVIL, "price": 1.5, "currency": "USD", "stock": 1, "version": 1, "createdAt": AT});
    let line = json!({"productId": ID, "quantity": 1, "name": EVIL, "unitPrice": 1.5, "lineTotal": 1.5});
    let order = json!({
        "id": ID, "userId": ID, "userName": EVIL, "items": [line], "total": 1.5, "currency": "USD",
        "status": "confirmed", "version": 1, "createdAt": AT, "updatedAt": AT
    });
    match path.split('?').next().filter(|_| method == "GET").unwrap_or_default() {
        "/users" => (200, json!([user])),
        "/products" => (200, json!([product])),
        "/orders" => (200, json!([order])),
        path if path.starts_with("/orders/") && !path.ends_with("/events") => (200, order),
        _ => (
            409,
            json!({"type": "about:blank", "title": EVIL, "status": 409, "detail": EVIL, "error": EVIL, "code": "insufficient-stock"}),
        ),
    }
}

fn serve(mut stream: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
    let mut words = first.split(' ');
    let (status, body) = answer(words.next()?, words.next()?);
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
    stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes()).ok()
}

/// A server whose names and errors are evil; it ends with the test.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = serve(stream)));
    url
}

fn command(url: &str, state: &std::path::Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(["--user-url", url, "--product-url", url, "--order-url", url, "--state-dir"]).arg(state);
    command.args(args).stdin(Stdio::null()).env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

/// Each of these shows something evil.
const SHOWING: [&[&str]; 10] = [
    &["user", "list"],
    &["product", "list"],
    &["product", "list", "-o", "json"],
    &["order", "list"],
    &["order", "get", ID],
    &["order", "get", ID, "-o", "json"],
    &["order", "events", ID],
    &["product", "restock", ID, "1"],
    &["user", "create", "--name", "x", "--email", "x@example.com"],
    &["user", "create", "--name", "x", "--email", "x@example.com", "-o", "json"],
];

#[test]
fn what_others_wrote_is_shown_escaped() {
    let (url, dir) = (server(), tempfile::tempdir().expect("a directory"));
    for args in SHOWING {
        let output = command(&url, dir.path(), args).output().expect("runs");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        assert!(text.contains("owned"), "{args:?}: {text}");
        let steering: Vec<_> = text.chars().filter(|c| steers(*c) && *c != '\n').collect();
        assert!(steering.is_empty(), "{args:?}: {steering:?} in {text:?}");
        let lines = text
            .lines()
            .filter(|line| line.starts_with('L') || line.contains("2J") && line.starts_with('\\'));
        assert_eq!(lines.count(), 0, "{args:?}: no line is theirs: {text}");

        let (_, text) = Terminal::open(120).run(&mut command(&url, dir.path(), args));
        for part in ["\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{1b}[31mV"] {
            assert!(!text.contains(part), "{args:?}: {part:?} in {text:?}");
        }
    }
    let listed = command(&url, dir.path(), &["user", "list", "-o", "json"]).output().expect("runs");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(listed["users"][0]["name"], EVIL, "JSON keeps it");
}

#[test]
fn log_lines_and_arguments_are_shown_escaped() {
    let dir = tempfile::tempdir().expect("a directory");
    let logs = dir.path().join("ordersys/logs");
    fs::create_dir_all(&logs).expect("makes");
    fs::write(logs.join("user.log"), format!("panic: {}\n", EVIL.replace(['\r', '\n'], ""))).expect("writes");
    for args in [
        &["logs"][..],
        &["logs", "-o", "json"],
        &[EVIL],
        &["order", "get", EVIL],
        &["user", EVIL, "-o", "json"],
    ] {
        let mut ordersys = Command::new(binary());
        let output = ordersys.args(args).arg("--state-dir").arg(dir.path()).output().expect("runs");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        assert!(!text.is_empty() && (args[0] != "logs" || text.contains("owned")), "{args:?}: {text}");
        assert!(!text.contains(|c| steers(c) && c != '\n'), "{args:?}: {text:?}");
    }
}
