//! Answers that are large, and clients that do not read them.

use std::net::SocketAddr;
use std::process::Child;
use std::time::{Duration, Instant};

use ordersys_contract::client::Client;
use ordersys_contract::order::NewOrder;
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::user::NewUser;
use ordersys_contract::{Currency, Money, Role};
use ordersys_testkit::{LIMIT, Processes, Stack, order_of};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{PAGE_BYTES, address, connect_from, open_files};

/// What clients that do not read may cost a service, in KiB.
const GROWTH_KIB: u64 = 64 * 1024;
/// Connections that ask and do not read.
const DEAF: usize = 60;
/// Orders of a hundred lines with long names: more than a page holds.
const ORDERS: usize = 120;

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
        let price = Money::from_minor(100).expect("not negative");
        let name = format!("{number:0>200}");
        let new = NewProduct { name, price, stock: 1_000_000, currency: Currency::USD, test: false };
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
    let mut stack = Stack::start_on_files().await;
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
