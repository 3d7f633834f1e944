//! Rejections on real connections: spread over time under a flood, and let go when the service stops.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Method, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::connections::DRAIN_TIMEOUT;
use super::*;
use crate::resilience::load_shed::{MAX_DELAY, REJECTION_INTERVAL};
use crate::{Counting, Metrics, Route};

const POST: &str = "POST /orders HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}";

/// A service that is full.
struct Full {
    address: SocketAddr,
    shedder: LoadShedder,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Full {
    async fn start() -> Self {
        let metrics = Metrics::new("test", Counting::On);
        let route = Route { method: Method::POST, path: "/orders" };
        let shedder = LoadShedder::new("test", route, "too many", &metrics, || true);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (health, shutdown) = (Health::starting(|| None), CancellationToken::new());
        let served = serve_shedding(Router::new(), shedder.clone(), listener, health, shutdown.clone());
        let serving = tokio::spawn(served);
        Self { address, shedder, shutdown, serving }
    }

    /// Rejects so many requests that never came.
    fn reject(&self, times: usize) -> Duration {
        let request = Request::post("/orders").body(()).expect("a request");
        let (head, ()) = request.into_parts();
        let rejected = (0..times).filter_map(|_| self.shedder.rejection(&head));
        rejected.map(|rejected| rejected.hold).last().expect("full")
    }
}

/// Sends so many requests on one connection, each after the answer to the one before; the last answer.
async fn rejected(address: SocketAddr, times: usize) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let (mut answer, mut room) = (String::new(), [0; 4096]);
    for _ in 0..times {
        stream.write_all(POST.as_bytes()).await.expect("sends");
        answer.clear();
        while !answer.ends_with('}') {
            let count = stream.read(&mut room).await.expect("reads");
            assert!(count > 0, "closed after {answer:?}");
            answer.push_str(std::str::from_utf8(&room[..count]).expect("text"));
        }
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
    answer
}

#[tokio::test]
async fn rejections_are_spread_over_time() {
    const CLIENTS: u32 = 50;
    const EACH: u32 = 8;
    let full = Full::start().await;
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(rejected(full.address, EACH as usize));
    }
    clients.join_all().await;
    let least = REJECTION_INTERVAL * (CLIENTS * EACH - 1);
    assert!(began.elapsed() >= least, "{:?} for what takes {least:?}", began.elapsed());
}

#[tokio::test]
async fn a_stop_lets_go_what_is_held_back() {
    let full = Full::start().await;
    assert_eq!(full.reject(10_000), MAX_DELAY);
    let client = tokio::spawn(rejected(full.address, 1));
    // Held back once it is seen: the others never were on a connection.
    let held = async {
        while full.shedder.held() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DRAIN_TIMEOUT, held).await.expect("is held back");
    let began = Instant::now();
    full.shutdown.cancel();
    let answer = client.await.expect("is answered");
    assert!(began.elapsed() < MAX_DELAY / 2, "answered after {:?}", began.elapsed());
    assert!(answer.contains("connection: close"), "{answer}");
    full.serving.await.expect("no panic").expect("serves");
}
