//! Accepting connections with limits, and stopping without losing a request.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::body::discard;
use crate::shed::Refused;
use crate::{Health, Listener, Network, Shedding, steady};

/// Most connections at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;
/// How long a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// How long requests in flight may take to finish once the service stops.
const DRAIN: Duration = Duration::from_secs(20);
/// How long connections are still served after a stop was asked for, if there are any.
const FAREWELL: Duration = Duration::from_millis(100);
/// How often it is seen whether there are any.
const FAREWELL_STEP: Duration = Duration::from_millis(5);
/// How long to wait after accepting failed, e.g. for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serving ended other than by request.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener is unusable.
    #[error("the listening socket failed")]
    Listener(#[from] std::io::Error),
}

/// The address a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// Serves `router` on `listener` until `shutdown`, then lets requests in flight finish.
pub async fn serve(
    router: Router,
    listener: impl Into<Listener>,
    health: Health,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    run(Front { router, shedding: None, health, shutdown }, listener.into()).await;
    Ok(())
}

/// The same, refusing requests before any work is done for them while there is no place for them.
pub async fn serve_shedding(
    (router, shedding): (Router, Shedding),
    listener: impl Into<Listener>,
    health: Health,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    run(Front { router, shedding: Some(shedding), health, shutdown }, listener.into()).await;
    Ok(())
}

/// What answers requests.
struct Front {
    router: Router,
    shedding: Option<Shedding>,
    health: Health,
    shutdown: CancellationToken,
}

impl Front {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let refusal = self.shedding.as_ref().and_then(|shedding| Some((shedding, shedding.refusal(&head)?)));
        let mut response = if let Some((shedding, Refused { response, hold })) = refusal {
            if !body.is_end_stream() {
                discard(body).await;
            }
            shedding.hold_back(hold, &self.shutdown).await;
            response
        } else {
            let Ok(response) = self.router.clone().oneshot(Request::from_parts(head, Body::new(body))).await;
            response
        };
        if self.health.is_draining() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Open connections, and how a further one is served.
struct Connections {
    front: Arc<Front>,
    http: http1::Builder,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    fn new(front: Arc<Front>) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        Self { front, http, places, graceful: GracefulShutdown::new() }
    }

    /// Accepts one connection once there is a place for it, and serves it in a task of its own.
    async fn accept(&self, listener: &Listener) {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
        let (stream, peer) = accept_on(listener.network.clone(), &listener.socket).await;
        let front = Arc::clone(&self.front);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let front = Arc::clone(&front);
            request.extensions_mut().insert(peer);
            async move { Ok::<_, Infallible>(front.answer(request).await) }
        });
        let connection = self.graceful.watch(self.http.serve_connection(TokioIo::new(stream), service));
        let mut network = listener.network.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                },
                () = network.down() => tracing::debug!("a connection was cut"),
            }
            drop(place);
        });
    }

    fn are_open(&self) -> bool {
        self.places.available_permits() < MAX_CONNECTIONS
    }

    /// Goes on for a moment: answers say that the connection ends, so that busy clients leave by
    /// themselves, and what is on its way here still arrives. Idle clients cannot be told.
    async fn wave_goodbye(&self, listener: &Listener) {
        let end = Instant::now() + FAREWELL;
        loop {
            let pending = tokio::time::timeout(FAREWELL_STEP, self.accept(listener)).await.is_ok();
            if Instant::now() >= end || !(pending || self.are_open()) {
                return;
            }
        }
    }
}

async fn run(front: Front, listener: Listener) {
    let keeping_time = tokio::spawn(steady::keep());
    let front = Arc::new(front);
    let connections = Connections::new(Arc::clone(&front));
    while front.shutdown.run_until_cancelled(connections.accept(&listener)).await.is_some() {}
    front.health.draining();
    connections.wave_goodbye(&listener).await;
    drop(listener);
    if tokio::time::timeout(DRAIN, connections.graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
    keeping_time.abort();
}

/// The next connection. While the process is cut off, none is accepted: the system holds them open,
/// unanswered.
async fn accept_on(mut network: Network, socket: &TcpListener) -> (TcpStream, Peer) {
    loop {
        network.up().await;
        tokio::select! {
            biased;
            () = network.down() => {}
            accepted = accept(socket) => return accepted,
        }
    }
}

/// The next connection. Failing to accept one says nothing about the next.
async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection cannot be tuned");
                }
                return (stream, Peer(address.ip()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
