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
use ordersys_contract::Code;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::body::discard;
use crate::observe::{is_probe, refused_early};
use crate::seldom::Seldom;
use crate::shed::Refused;
use crate::{Capacity, Health, Listener, Network, Refusal, Shedding, steady};

mod accept;
mod connection;
mod places;
mod stream;
mod transfer;

pub(crate) use connection::{Connection, Room};
pub(crate) use transfer::{SMALL, leaving};

use accept::{accept_on, tell};
use places::{Place, Places};
use stream::Paced;
use transfer::Arriving;

/// How long a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Connections without a place at a time that are asked whether they are a probe.
const PROBES: usize = 128;
/// How long such a connection may take for its one request and the answer.
const PROBE_LIMIT: Duration = Duration::from_secs(1);
/// How long to wait for one of these places to become free: those in them have a moment for their request.
const PROBE_STEP: Duration = Duration::from_millis(5);
/// How long requests in flight may take to finish once the service stops.
const DRAIN: Duration = Duration::from_secs(20);
/// How long the service waits for clients in that time: to send the rest of a request, or to read an answer.
const DRAIN_CLIENTS: Duration = Duration::from_secs(3);
/// How often it is seen whose turn it is on connections that are still open then.
const DRAIN_STEP: Duration = Duration::from_millis(100);
/// How long connections are still served after a stop was asked for, if there are any.
const FAREWELL: Duration = Duration::from_millis(100);
/// How often it is seen whether there are any.
const FAREWELL_STEP: Duration = Duration::from_millis(5);

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
        let connection = parts.extensions.get::<Arc<Connection>>();
        Ok(Self(connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |connection| connection.peer())))
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
    async fn answer(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        if !body.is_end_stream() {
            connection.clients_turn();
        } else if !connection.our_turn() {
            std::future::pending::<()>().await; // it is being closed
        }
        let body = Arriving::new(body, Arc::clone(&connection));
        let refusal = self.shedding.as_ref().and_then(|shedding| Some((shedding, shedding.refusal(&head)?)));
        let mut response = if let Some((shedding, Refused { response, hold })) = refusal {
            if !body.is_end_stream() {
                discard(body).await;
            }
            shedding.hold_back(hold, &self.shutdown).await;
            response
        } else {
            head.extensions.insert(Arc::clone(&connection));
            let Ok(response) = self.router.clone().oneshot(Request::from_parts(head, Body::new(body))).await;
            response
        };
        connection.clients_turn();
        if self.health.is_draining() {
            close_after(&mut response);
        }
        response
    }

    /// Answers a probe, and refuses anything else: the connection has no place.
    async fn answer_probe(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let mut response = if is_probe(request.uri().path()) {
            self.answer(connection, request).await
        } else {
            let (head, body) = request.into_parts();
            if !body.is_end_stream() {
                discard(body).await;
            }
            let why = "all connections that the service holds at a time are in use";
            refused_early(&head.headers, Refusal::new(Code::Overloaded, why))
        };
        close_after(&mut response);
        response
    }
}

/// Tells the client that the connection ends with this answer.
fn close_after(response: &mut Response<Body>) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// What a connection is admitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admitted {
    /// Any number of requests.
    ToAll,
    /// One request, which has to be a probe.
    ToProbes,
}

/// Open connections, and how a further one is served.
struct Connections {
    front: Arc<Front>,
    http: http1::Builder,
    places: Arc<Places>,
    probes: Arc<Places>,
    graceful: GracefulShutdown,
    failures: Seldom,
    refusals: Seldom,
}

impl Connections {
    fn new(front: Arc<Front>, capacity: Capacity) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
        let places = Arc::new(Places::new(capacity.connections, capacity.bytes));
        let probes = Arc::new(Places::in_passing(PROBES));
        let (graceful, failures, refusals) = (GracefulShutdown::new(), Seldom::new(), Seldom::new());
        Self { front, http, places, probes, graceful, failures, refusals }
    }

    /// Accepts one connection, and serves it in a task of its own.
    async fn accept(&self, listener: &Listener) {
        let failed = |error: &std::io::Error| {
            tell(&self.failures, error);
            self.places.free_one();
        };
        let (stream, peer) = accept_on(listener.network.clone(), &listener.socket, failed).await;
        if self.places.taken() >= self.places.most() {
            tokio::task::yield_now().await; // connections that gave way have a chance to close
        }
        if let Some(place) = self.places.take(peer) {
            self.serve(stream, place, Admitted::ToAll, listener.network.clone());
            return;
        }
        if let Some(times) = self.refusals.count() {
            tracing::warn!(
                times,
                most = self.places.most(),
                "all connections are in use: clients are refused"
            );
        }
        let place = loop {
            match self.probes.take(peer) {
                Some(place) => break place,
                None => tokio::time::sleep(PROBE_STEP).await,
            }
        };
        self.serve(stream, place, Admitted::ToProbes, listener.network.clone());
    }

    fn serve(&self, stream: TcpStream, place: Place, admitted: Admitted, mut network: Network) {
        let (front, connection) = (Arc::clone(&self.front), Arc::clone(&place.connection));
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (front, connection) = (Arc::clone(&front), Arc::clone(&connection));
            async move {
                Ok::<_, Infallible>(match admitted {
                    Admitted::ToAll => front.answer(connection, request).await,
                    Admitted::ToProbes => front.answer_probe(connection, request).await,
                })
            }
        });
        let served = self.http.serve_connection(TokioIo::new(Paced::new(stream)), service);
        let served = self.graceful.watch(served);
        let limit = async move {
            match admitted {
                Admitted::ToAll => std::future::pending().await,
                Admitted::ToProbes => tokio::time::sleep(PROBE_LIMIT).await,
            }
        };
        tokio::spawn(async move {
            tokio::select! {
                biased;
                ended = served => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                },
                () = network.down() => tracing::debug!("a connection was cut"),
                () = place.connection.until_given_up() => tracing::debug!("a connection gave way"),
                () = limit => tracing::debug!("a connection without a place took too long"),
            }
            drop(place); // after the connection itself
        });
    }

    fn are_open(&self) -> bool {
        self.places.taken() > 0
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

    /// Waits until all connections have ended: for what we work on as long as that may take, for clients only
    /// a while.
    async fn drain(self) {
        let closing = async {
            tokio::time::sleep(DRAIN_CLIENTS).await;
            loop {
                self.places.close_waiting();
                tokio::time::sleep(DRAIN_STEP).await;
            }
        };
        let drained = async {
            tokio::select! {
                () = self.graceful.shutdown() => {}
                () = closing => {}
            }
        };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
    }
}

async fn run(front: Front, listener: Listener) {
    let keeping_time = tokio::spawn(steady::keep());
    let front = Arc::new(front);
    let connections = Connections::new(Arc::clone(&front), listener.capacity);
    while front.shutdown.run_until_cancelled(connections.accept(&listener)).await.is_some() {}
    front.health.draining();
    connections.wave_goodbye(&listener).await;
    drop(listener);
    connections.drain().await;
    keeping_time.abort();
}

#[cfg(test)]
mod tests;
