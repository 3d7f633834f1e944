//! Connections that end just when the server answers: what was committed, the services are not told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ordersys_contract::settings::{DatabaseAddress, DatabaseHost};
use ordersys_contract::{Client, Code, ProductId, Role};
use ordersys_postgres::Temporary;
use ordersys_testkit::shop::a_product;
use ordersys_testkit::{Processes, busy};
use rand::RngExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Crowd, healed};

/// How long answers are lost under the buyers.
const STORM: Duration = Duration::from_secs(5);
/// Of so many answers one is lost, and its connection with it.
const ONE_OF: u32 = 40;

/// Between the services and the server.
#[derive(Clone, Default)]
struct Way {
    is_bad: Arc<AtomicBool>,
    lost: Arc<AtomicUsize>,
}

impl Way {
    /// The address by which a database is reached this way.
    async fn to(&self, address: &DatabaseAddress) -> DatabaseAddress {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let (way, server) = (self.clone(), address.hosts[0].port);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(way.clone().carry(client, server));
            }
        });
        let host = DatabaseHost { name: "127.0.0.1".to_owned(), port };
        DatabaseAddress { hosts: vec![host], ..address.clone() }
    }

    async fn carry(self, client: TcpStream, server: u16) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let asking = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let mut answer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_server.read(&mut answer).await {
            if self.is_bad.load(Ordering::Relaxed) && rand::rng().random_ratio(1, ONE_OF) {
                self.lost.fetch_add(1, Ordering::Relaxed);
                break;
            }
            if to_client.write_all(&answer[..length]).await.is_err() {
                break;
            }
        }
        asking.abort();
    }
}

/// Adds a unit again and again, each time by a request of its own. Returns how often that was done, and how often it may
/// have been.
async fn add_on(client: Client, product: ProductId, stop: Arc<AtomicBool>) -> (u64, u64) {
    let (mut done, mut open) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        match client.restock(product, 1).await {
            Ok(_) => done += 1,
            Err(error) => match error.problem().map(|problem| problem.code) {
                Some(Code::OutcomeUnknown) | None => open += 1,
                Some(code) => assert_eq!(code.status().as_u16(), 503, "{error}"),
            },
        }
    }
    (done, open)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_without_an_answer_is_done_once() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let _turn = busy().await;
    let server = Temporary::shared();
    let way = Way::default();
    let address = way.to(&server.database().expect("a database")).await;
    let mut processes = Processes::start_on(&address, server.password()).await.expect("starts");
    let second = processes.second(&[Role::Product, Role::Order]).await.expect("starts");
    let clients = [&processes, &second].map(|of| of.client("admin.token").expect("a credential"));
    let product = a_product(&clients[0], 0).await.expect("made");
    let mut crowd = Crowd::begin(&clients, 6).await;
    let stop = Arc::<AtomicBool>::default();
    let adding = clients.clone().map(|client| tokio::spawn(add_on(client, product.id, Arc::clone(&stop))));
    way.is_bad.store(true, Ordering::Relaxed);
    let began = Instant::now();
    while began.elapsed() < STORM {
        crowd.buys(1).await;
    }
    way.is_bad.store(false, Ordering::Relaxed);
    stop.store(true, Ordering::Relaxed);
    healed(&mut processes).await;
    crowd.buys(20).await;
    let (mut done, mut open) = (0, 0);
    for added in adding {
        let (is_done, may_be) = added.await.expect("no panic");
        (done, open) = (done + is_done, open + may_be);
    }
    let lost = way.lost.load(Ordering::Relaxed);
    assert!(lost > 20 && done > 20, "{lost} answers were lost, {done} units added");
    let accounts = clients[0].stock_accounts().await.expect("reads");
    let account = accounts.iter().find(|account| account.product_id == product.id).expect("is there");
    assert!((done..=done + open).contains(&account.restocked), "{done} to {}: {account:?}", done + open);
    crowd.close().await;
}
