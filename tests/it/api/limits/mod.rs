//! What callers can make a service hold: answers that they do not read, connections that they keep, open
//! files. Each time the service stays small, goes on for others, and names the true cause.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ordersys_contract::Role;
use ordersys_contract::client::Client;
use ordersys_contract::order::NewOrder;
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::user::NewUser;
use ordersys_contract::{Cents, Currency};
use ordersys_testkit::{LIMIT, Processes, Stack, binary, order_of};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Bytes of a page, as the documentation says.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// What clients that do not read may cost a service, in KiB.
const GROWTH_KIB: u64 = 64 * 1024;
/// Connections that ask and do not read.
const DEAF: usize = 60;
/// Orders of a hundred lines with long names: more than a page holds.
const ORDERS: usize = 120;

fn address(base: &str) -> SocketAddr {
    base.trim_start_matches("http://").parse().expect("an address")
}

/// Lets this process open as many files as it may.
fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the hard limit");
}

/// Connects from an address of this machine, with a small buffer for what is received.
async fn connect_from(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

/// A figure of a process in `/proc`, in KiB.
fn memory(child: &Child, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("is running");
    let line = status.lines().find(|line| line.starts_with(name)).expect("a figure");
    line.split_whitespace().nth(1).and_then(|figure| figure.parse().ok()).expect("a number")
}

/// A hundred products whose names are as long as names may be, and a user.
async fn large_order(admin: &Client) -> NewOrder {
    let mut products = Vec::new();
    for number in 0..100 {
        let price = Cents::from_minor(100).expect("not negative");
        let name = format!("{number:0>200}");
        let new = NewProduct { name, price, stock: 1_000_000, currency: Currency::USD };
        products.push(admin.create_product(&new).await.expect("creates a product"));
    }
    let user = admin.create_user(&NewUser::guest("Bo", "bo@example.com")).await.expect("creates a user");
    let lines: Vec<(&Product, u64)> = products.iter().map(|product| (product, 1)).collect();
    order_of(&user, &lines)
}

fn get(path: &str, admin: &Client) -> String {
    let credential = admin.credential().expect("the admin's").expose();
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {credential}\r\n\r\n")
}

/// Asks for a page on a connection that is kept and not read.
async fn ask(order: SocketAddr, request: &str) -> TcpStream {
    let mut stream = connect_from([127, 0, 0, 3], order).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("sends");
    stream
}

/// Reads a byte a second for as long as that goes.
async fn sip(mut stream: TcpStream) {
    while stream.read_u8().await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// How many files a process has open.
fn open_files(child: &Child) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", child.id())).expect("runs").count()
}

#[tokio::test]
async fn clients_that_do_not_read_cost_little_and_are_disconnected() {
    let mut processes = Processes::start().await.expect("starts");
    let admin = processes.client("admin.token").expect("a client");
    let order = large_order(&admin).await;
    for _ in 0..ORDERS {
        admin.place(&order, None).await.expect("is placed");
    }
    let base = admin.endpoints().order.clone();
    let (_, page) = admin.get_raw(&base, "/orders?limit=1000").await.expect("a page");
    assert!(page.len() <= PAGE_BYTES && page.len() > PAGE_BYTES / 2, "{} bytes", page.len());
    assert_eq!(all_records(&admin).await, (ORDERS, ORDERS), "the pages together are all there is");

    let process = processes.child(Role::Order).expect("runs");
    let (before, files) = (memory(process, "VmRSS:"), open_files(process));
    let request = get("/orders?limit=1000", &admin);
    let mut deaf = Vec::new();
    for _ in 0..DEAF {
        deaf.push(ask(address(&base), &request).await);
    }
    let began = Instant::now();
    let mut placed = 0;
    while began.elapsed() < Duration::from_secs(3) {
        admin.place(&order, None).await.expect("orders go on");
        placed += 1;
    }
    assert!(placed > 0);
    let grown = memory(process, "VmHWM:").saturating_sub(before);
    assert!(grown <= GROWTH_KIB, "{DEAF} clients that do not read cost {grown} KiB");

    let mut sips = JoinSet::new();
    for stream in deaf {
        sips.spawn(sip(stream));
    }
    while open_files(process) > files + DEAF / 4 {
        assert!(began.elapsed() < LIMIT, "{} files are open", open_files(process));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (status, page) = admin.get_raw(&base, "/orders?limit=1000").await.expect("a page");
    assert!(status.is_success() && page.len() > PAGE_BYTES / 2, "{status}");
}

/// How many orders and reservations all pages of the internal lists have together.
async fn all_records(admin: &Client) -> (usize, usize) {
    let (mut orders, mut next) = (0, None);
    loop {
        let page = admin.order_records(next.as_deref()).await.expect("a page");
        (orders, next) = (orders + page.items.len(), page.next);
        if next.is_none() {
            break;
        }
    }
    let mut reservations = 0;
    loop {
        let page = admin.reservation_records(next.as_deref()).await.expect("a page");
        (reservations, next) = (reservations + page.items.len(), page.next);
        if next.is_none() {
            return (orders, reservations);
        }
    }
}

#[tokio::test]
async fn accounts_of_many_products_come_in_pages() {
    const PRODUCTS: usize = 20_000;
    let mut stack = Stack::start().await;
    let some = stack.admin().stock_accounts().await.expect("reads").len();
    stack.end(Role::Product).await;
    let file = stack.data_dir().join("product").join("product.db");
    let store = ordersys_store::rusqlite::Connection::open(file).expect("opens");
    let insert = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
                  INSERT INTO product(id, name, price, currency, version, created_at, initial, available)
                  SELECT randomblob(16), 'Thing', 100, 'USD', 1, 0, 5, 5 FROM number";
    assert_eq!(store.execute(insert, [PRODUCTS]).expect("inserts"), PRODUCTS);
    drop(store);
    stack.begin(Role::Product).await;
    let admin = stack.admin();
    let page = stack.send_as_admin(Role::Product, "GET", "/internal/invariants", None).await;
    assert!(page.body.to_string().len() <= PAGE_BYTES && page.header("link").contains("next"));
    assert_eq!(admin.stock_accounts().await.expect("reads").len(), PRODUCTS + some);
    let evidence = admin.stock_evidence().await.expect("reads");
    assert_eq!(evidence.len(), PRODUCTS + some);
    assert!(evidence.iter().all(|one| one.account.is_balanced() && one.committed_lines == 0));
}

/// One request on a new connection; its status, and how long that took.
async fn one(from: [u8; 4], to: SocketAddr, path: &str) -> (String, Duration) {
    let began = Instant::now();
    let asked = async {
        let mut stream = connect_from(from, to).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&status[9..]).into_owned())
    };
    let answer = tokio::time::timeout(LIMIT, asked).await.expect("in time");
    (answer.unwrap_or_else(|error| error.to_string()), began.elapsed())
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

/// One service with its output to where it is wanted.
struct Served {
    child: Child,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Served {
    async fn user(arguments: &[&str], output: Stdio) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            free.local_addr().expect("bound").port()
        };
        let child = Command::new(binary())
            .args(["serve", "user", "--port", &port.to_string(), "--data-dir"])
            .arg(dir.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let served = Self { child, address, _dir: dir };
        let began = Instant::now();
        while one([127, 0, 0, 1], address, "/readyz").await.0 != "200" {
            assert!(began.elapsed() < LIMIT, "is not ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        served
    }

    /// Asks it to end; how long that took.
    fn end(&mut self, signal: Signal) -> Duration {
        let began = Instant::now();
        kill_process(Pid::from_child(&self.child), signal).expect("is running");
        while self.child.try_wait().expect("a child").is_none() {
            assert!(began.elapsed() < LIMIT, "does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_takes_all_connections_and_probes_are_always_answered() {
    const CLINGING: usize = 4300;
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
    let product = ordersys_testkit::shop::a_product(&admin, 1000).await.expect("creates a product");
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

/// Sends requests for what is not there, a hundred at a time, and reads their answers.
async fn ask_for_nothing(address: SocketAddr, batches: usize) {
    const BATCH: usize = 100;
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let requests = "GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(BATCH);
    let mut room = vec![0; 64 * 1024];
    for _ in 0..batches {
        stream.write_all(requests.as_bytes()).await.expect("sends");
        let mut answers = String::new();
        while answers.matches("HTTP/1.1 404").count() < BATCH || !answers.ends_with('}') {
            let count = tokio::time::timeout(LIMIT, stream.read(&mut room)).await.expect("in time");
            let count = count.expect("reads");
            assert!(count > 0, "the service hangs up");
            answers.push_str(std::str::from_utf8(&room[..count]).expect("text"));
        }
    }
}

/// Some lines fill the pipe; of many more than may wait some are dropped.
#[tokio::test]
async fn a_service_whose_output_is_not_read_goes_on_and_ends_when_asked_to() {
    for (signal, batches) in [(Signal::TERM, 10), (Signal::INT, 200)] {
        let (unread, output) = std::io::pipe().expect("a pipe");
        let mut served = Served::user(&[], output.into()).await;
        ask_for_nothing(served.address, batches).await;
        let took = served.end(signal);
        assert!(took < Duration::from_secs(8), "ends after {took:?}");
        drop(unread);
    }
}

#[tokio::test]
async fn a_service_ends_although_clients_do_not_read_or_do_not_send() {
    let mut served = Served::user(&["--log", "warn"], Stdio::null()).await;
    let mut deaf = connect_from([127, 0, 0, 1], served.address).await.expect("connects");
    let request = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
    deaf.write_all(request.as_bytes()).await.expect("sends");
    let mut mute = connect_from([127, 0, 0, 1], served.address).await.expect("connects");
    let head = "POST /users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    mute.write_all(head.as_bytes()).await.expect("sends");
    let took = served.end(Signal::TERM);
    assert!(took < Duration::from_secs(6), "ends after {took:?}");
}
