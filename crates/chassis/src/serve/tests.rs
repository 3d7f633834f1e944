//! Refusals on real connections: spread over time under a flood, and let go when the service stops.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::*;
use crate::shed::{BETWEEN, LONGEST};
use crate::{Counting, Metrics};

const POST: &str = "POST /orders HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}";

/// A service that has no place for anybody.
struct Full {
    address: SocketAddr,
    shedding: Shedding,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Full {
    async fn start() -> Self {
        let metrics = Metrics::new("test", Counting::On);
        let route = (http::Method::POST, "/orders");
        let shedding = Shedding::new("test", route, "too many", &metrics, || true);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (health, shutdown) = (Health::starting(|| None), CancellationToken::new());
        let router = (Router::new(), shedding.clone());
        let serving = tokio::spawn(serve_shedding(router, listener, health, shutdown.clone()));
        Self { address, shedding, shutdown, serving }
    }

    /// Refuses so many requests that never came.
    fn refuse(&self, times: usize) -> Duration {
        let request = Request::post("/orders").body(()).expect("a request");
        let (head, ()) = request.into_parts();
        let refused = (0..times).filter_map(|_| self.shedding.refusal(&head));
        refused.map(|refused| refused.hold).last().expect("full")
    }
}

/// Sends so many requests on one connection, each after the answer to the one before; the last answer.
async fn refused(address: SocketAddr, times: usize) -> String {
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
async fn refusals_are_spread_over_time() {
    const CLIENTS: u32 = 50;
    const EACH: u32 = 8;
    let full = Full::start().await;
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(refused(full.address, EACH as usize));
    }
    clients.join_all().await;
    let least = BETWEEN * (CLIENTS * EACH - 1);
    assert!(began.elapsed() >= least, "{:?} for what takes {least:?}", began.elapsed());
}

#[tokio::test]
async fn a_stop_lets_go_what_is_held_back() {
    let full = Full::start().await;
    assert_eq!(full.refuse(10_000), LONGEST);
    let client = tokio::spawn(refused(full.address, 1));
    // Held back once it is seen: the others never were on a connection.
    let held = async {
        while full.shedding.held() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DRAIN, held).await.expect("is held back");
    let began = Instant::now();
    full.shutdown.cancel();
    let answer = client.await.expect("is answered");
    assert!(began.elapsed() < LONGEST / 2, "answered after {:?}", began.elapsed());
    assert!(answer.contains("connection: close"), "{answer}");
    full.serving.await.expect("no panic").expect("serves");
}
