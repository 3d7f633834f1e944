//! An order system in this process, on a free port: for tests of the real generator and verification.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ordersys_contract::Client;
use ordersys_contract::client::Endpoints;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::tests::shop::{Answer, Defect, Shop};

/// What the network or the process does wrong, to every so-many-th order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// Acts, then breaks the connection.
    Reset,
    /// Acts, then answers too late.
    Late,
    /// Answers 202 first.
    Accept,
    /// Answers 503 without acting.
    Overloaded,
    /// Answers no client for a while, once.
    Stall(Duration),
}

/// Every so-many-th order meets the trouble; the first of them at a stall.
const EVERY: usize = 40;

/// How much of our contract it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contract {
    Full,
    Article,
}

/// What it does wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    pub(super) defect: Defect,
    pub(super) trouble: Trouble,
    pub(super) contract: Contract,
}

impl Default for Habits {
    fn default() -> Self {
        Self { defect: Defect::None, trouble: Trouble::None, contract: Contract::Full }
    }
}

struct State {
    shop: Mutex<Shop>,
    habits: Habits,
    posted: AtomicUsize,
    stall: Arc<tokio::sync::RwLock<()>>,
}

/// Starts the system on a thread of its own; it lives as long as the test process.
pub(super) fn start(habits: Habits) -> Client {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(serve(habits, &sender));
    });
    let address = receiver.recv().expect("the responder listens");
    let url = || format!("http://{address}");
    Client::new(Endpoints { user: url(), product: url(), order: url(), ..Endpoints::default() })
}

async fn serve(habits: Habits, listening: &std::sync::mpsc::Sender<SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listening.send(listener.local_addr().expect("bound")).expect("the test waits");
    let state = Arc::new(State {
        shop: Mutex::new(Shop::new(habits.defect)),
        habits,
        posted: AtomicUsize::new(0),
        stall: Arc::default(),
    });
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let state = state.clone();
        let service = service_fn(move |request| respond(state.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Breaks the connection: hyper gives up on a service that fails.
#[derive(Debug, thiserror::Error)]
#[error("broken on purpose")]
struct Broken;

async fn respond(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let body = request.into_body().collect().await.map_err(|_| Broken)?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let answer = if method == Method::POST && uri.path() == "/orders" {
        post_order(&state, key.as_deref(), &body).await?
    } else {
        let mut shop = state.shop.lock().unwrap_or_else(PoisonError::into_inner);
        route(&mut shop, state.habits.contract, &method, &uri, &body)
    };
    let (status, body) = answer;
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = http::StatusCode::from_u16(status).map_err(|_| Broken)?;
    Ok(response)
}

async fn post_order(state: &State, key: Option<&str>, body: &Value) -> Result<Answer, Broken> {
    let posted = state.posted.fetch_add(1, Ordering::Relaxed) + 1;
    let met = posted.is_multiple_of(EVERY);
    if let Trouble::Stall(pause) = state.habits.trouble
        && posted == EVERY
    {
        let stalled = state.stall.clone().write_owned().await;
        // A task of its own: the caller may hang up before the stall is over.
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            drop(stalled);
        });
    }
    drop(state.stall.read().await);
    if met && state.habits.trouble == Trouble::Overloaded {
        return Ok((503, json!({"code": "overloaded", "error": "try later"})));
    }
    let key = key.filter(|_| state.habits.contract == Contract::Full);
    let answer = state.shop.lock().unwrap_or_else(PoisonError::into_inner).place(key, body);
    match state.habits.trouble {
        Trouble::Reset if met => Err(Broken),
        Trouble::Late if met => {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok(answer)
        }
        Trouble::Accept if met && answer.0 == 201 => Ok((202, answer.1)),
        _ => Ok(answer),
    }
}

fn route(shop: &mut Shop, contract: Contract, method: &Method, uri: &Uri, body: &Value) -> Answer {
    let full = contract == Contract::Full;
    let tokens: Vec<_> = uri.path().split('/').skip(1).collect();
    match (method.as_str(), &*tokens) {
        ("GET", ["livez"]) => (200, json!("ok")),
        ("GET", ["health"]) => (200, json!({"status": "ok"})),
        ("POST", ["users"]) => shop.make_user(),
        ("POST", ["products"]) if full => shop.make_product(body),
        ("GET", ["products"]) => shop.products(),
        ("GET", ["products", id]) => shop.product(id),
        ("GET", ["orders"]) if full => {
            let user = uri.query().and_then(|query| query.strip_prefix("userId=")?.split('&').next());
            shop.orders(user.unwrap_or_default())
        }
        ("GET", ["orders", id]) => shop.order(id),
        ("POST", ["orders", id, "cancel"]) if full => shop.cancel(id),
        ("POST", ["products", id, "restock"]) if full => shop.restock(id, body),
        _ => (404, json!({"error": "no such route"})),
    }
}
