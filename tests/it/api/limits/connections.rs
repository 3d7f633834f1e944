//! Connections that are kept, and limits of open files.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ordersys_contract::Role;
use ordersys_contract::client::Client;
use ordersys_contract::user::NewUser;
use ordersys_testkit::shop::a_product;
use ordersys_testkit::{LIMIT, Processes, binary, order_of, quiet};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::{Served, address, connect_from, one, open_files};

/// Lets this process open as many files as it may.
fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the hard limit");
}

/// Keeps a connection by asking every eight seconds, and makes another whenever it was closed.
async fn cling(to: SocketAddr) {
    const EVERY: Duration = Duration::from_secs(8);
    let (mut kept, mut room) = (None, [0; 1024]);
    loop {
        let stream = match kept.take() {
            Some(stream) => Ok(stream),
            None => connect_from([127, 0, 0, 2], to).await,
        };
        if let Ok(mut stream) = stream
            && stream.write_all(b"GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n").await.is_ok()
            && matches!(stream.read(&mut room).await, Ok(1..))
        {
            kept = Some(stream);
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_takes_all_connections_and_probes_are_always_answered() {
    const CLINGING: usize = 4300;
    let _turn = quiet().await;
    raise_open_files();
    let served = Served::user(&["--log", "warn"], Stdio::null()).await;
    let mut crowd = JoinSet::new();
    for _ in 0..CLINGING {
        crowd.spawn(cling(served.address));
    }
    let open = || open_files(&served.child);
    let began = Instant::now();
    while open() < 4096 {
        assert!(began.elapsed() < LIMIT, "only {} files are open", open());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut took = Vec::new();
    for _ in 0..20 {
        let (status, time) = one([127, 0, 0, 1], served.address, "/nothing").await;
        assert_eq!(status, "404", "another address gets a place");
        let (probe, _) = one([127, 0, 0, 2], served.address, "/readyz").await;
        assert_eq!(probe, "200", "also from the crowded address");
        took.push(time);
    }
    took.sort();
    assert!(took[10] < Duration::from_millis(100), "{took:?}");
    assert!(open() < 4096 + 200, "{} files are open", open());
}

#[tokio::test]
async fn probes_are_answered_while_every_connection_is_in_use() {
    let served = Served::user(&["--log", "warn", "--max-connections", "4"], Stdio::null()).await;
    // Bodies that do not come keep their connections busy.
    let mut busy = Vec::new();
    for _ in 0..4 {
        let mut stream = connect_from([127, 0, 0, 1], served.address).await.expect("connects");
        let head = "POST /users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
        stream.write_all(head.as_bytes()).await.expect("sends");
        busy.push(stream);
    }
    let (refused, _) = one([127, 0, 0, 1], served.address, "/nothing").await;
    assert_eq!(refused, "503");
    for path in ["/livez", "/readyz", "/health"] {
        assert_eq!(one([127, 0, 0, 1], served.address, path).await.0, "200", "{path}");
    }
    assert_eq!(one([127, 0, 0, 9], served.address, "/nothing").await.0, "404", "has fewer");
    tokio::time::sleep(Duration::from_millis(1100)).await; // idle for longer than the longest may be kept
    assert_eq!(one([127, 0, 0, 1], served.address, "/nothing").await.0, "404", "the longest idle gave way");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_limit_of_open_files_is_never_taken_for_anything_else() {
    const CLIENTS: usize = 1500;
    raise_open_files();
    let mut processes = Processes::start_under(1024).await.expect("starts");
    let admin = processes.client("admin.token").expect("a client");
    let order = address(&admin.endpoints().order);
    let mut crowd = JoinSet::new();
    for _ in 0..CLIENTS {
        crowd.spawn(cling(order));
    }
    let process = processes.child(Role::Order).expect("runs");
    let began = Instant::now();
    while open_files(process) < 700 {
        assert!(began.elapsed() < LIMIT, "only {} files are open", open_files(process));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The service needs files for all of this: its store, and connections to the other two.
    let user = admin.create_user(&NewUser::guest("Bo", "bo@example.com")).await.expect("creates a user");
    let product = a_product(&admin, 1000).await.expect("creates a product");
    for _ in 0..20 {
        let client = Client::new(admin.endpoints().clone());
        client.place(&order_of(&user, &[(&product, 1)]), None).await.expect("is placed");
    }
    let log = processes.log(Role::Order);
    assert!(log.contains("allows fewer connections") && !log.contains("os error 24"), "{log}");
}

#[test]
fn a_limit_of_open_files_that_is_too_low_is_refused_with_what_is_needed() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = |limit: u32, more: &[&str]| {
        let script = format!("ulimit -n {limit} && exec timeout 20 \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).arg(binary()).args(["serve", "user", "--port", "0", "--data-dir"]);
        shell.arg(dir.path()).args(more).stdin(Stdio::null()).output().expect("runs")
    };
    for (limit, more, needed) in
        [(100, &[][..], "ulimit -n 352"), (1024, &["--max-connections", "4096"], "4416")]
    {
        let output = run(limit, more);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("open files") && said.contains(needed), "{said}");
    }
}
