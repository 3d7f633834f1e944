//! Open connections: each is accepted within the limits, served in a task of its own, and drained at the end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;

use super::accept::{accept_on, report_failure};
use super::connection_limit::{ConnectionLimit, ConnectionPermit};
use super::handler::Handler;
use super::stream::TimeLimited;
use crate::telemetry::LogThrottle;
use crate::{Capacity, Listener, Network};

/// How long a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Connections over the limit at a time whose one request may be a probe.
const MAX_PROBE_CONNECTIONS: usize = 128;
/// How long such a connection may take for its one request and the answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long to wait for one of these to end: each has a moment for its request.
const PROBE_STEP: Duration = Duration::from_millis(5);
/// How long requests in flight may take to finish once the service stops.
pub(super) const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the service waits for clients in that time: to send the rest of a request, or to read an answer.
const CLIENT_DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// How often connections that are still open then are looked at.
const DRAIN_STEP: Duration = Duration::from_millis(100);
/// How long connections are still served after a stop was asked for, if there are any.
const LAME_DUCK_PERIOD: Duration = Duration::from_millis(100);
/// How often they are counted in that time.
const LAME_DUCK_STEP: Duration = Duration::from_millis(5);

/// What a connection is admitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admitted {
    /// Any number of requests.
    ToAll,
    /// One request, which has to be a probe.
    ToProbes,
}

/// Open connections, and how a further one is served.
pub(super) struct Connections {
    handler: Arc<Handler>,
    http: http1::Builder,
    limit: Arc<ConnectionLimit>,
    probes: Arc<ConnectionLimit>,
    graceful: GracefulShutdown,
    failures: LogThrottle,
    rejections: LogThrottle,
}

impl Connections {
    pub(super) fn new(handler: Arc<Handler>, capacity: Capacity) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
        let limit = Arc::new(ConnectionLimit::new(capacity.connections, capacity.bytes));
        let probes = Arc::new(ConnectionLimit::for_probes(MAX_PROBE_CONNECTIONS));
        let (graceful, failures, rejections) =
            (GracefulShutdown::new(), LogThrottle::new(), LogThrottle::new());
        Self { handler, http, limit, probes, graceful, failures, rejections }
    }

    /// Accepts one connection, and serves it in a task of its own.
    pub(super) async fn accept(&self, listener: &Listener) {
        let failed = |error: &std::io::Error| {
            report_failure(&self.failures, error);
            self.limit.evict_idle();
        };
        let (stream, peer) = accept_on(listener.network.clone(), &listener.socket, failed).await;
        if self.limit.open() >= self.limit.max_open() {
            tokio::task::yield_now().await; // connections that are being closed have a chance to go
        }
        if let Some(permit) = self.limit.acquire(peer) {
            self.serve(stream, permit, Admitted::ToAll, listener.network.clone());
            return;
        }
        if let Some(times) = self.rejections.record() {
            tracing::warn!(
                times,
                most = self.limit.max_open(),
                "all connections are in use: clients are refused"
            );
        }
        let permit = loop {
            match self.probes.acquire(peer) {
                Some(permit) => break permit,
                None => tokio::time::sleep(PROBE_STEP).await,
            }
        };
        self.serve(stream, permit, Admitted::ToProbes, listener.network.clone());
    }

    fn serve(&self, stream: TcpStream, permit: ConnectionPermit, admitted: Admitted, mut network: Network) {
        let (handler, connection) = (Arc::clone(&self.handler), Arc::clone(&permit.connection));
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (handler, connection) = (Arc::clone(&handler), Arc::clone(&connection));
            async move {
                Ok::<_, Infallible>(match admitted {
                    Admitted::ToAll => handler.answer(connection, request).await,
                    Admitted::ToProbes => handler.answer_probe(connection, request).await,
                })
            }
        });
        let served = self.http.serve_connection(TokioIo::new(TimeLimited::new(stream)), service);
        let served = self.graceful.watch(served);
        let timeout = async move {
            match admitted {
                Admitted::ToAll => std::future::pending().await,
                Admitted::ToProbes => tokio::time::sleep(PROBE_TIMEOUT).await,
            }
        };
        tokio::spawn(async move {
            tokio::select! {
                biased;
                ended = served => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                },
                () = network.down() => tracing::debug!("a connection was cut"),
                () = permit.connection.closed() => tracing::debug!("a connection was closed for another"),
                () = timeout => tracing::debug!("a connection without a permit took too long"),
            }
            drop(permit); // after the connection itself
        });
    }

    fn are_open(&self) -> bool {
        self.limit.open() > 0
    }

    /// Goes on for a moment: answers say that the connection ends, so that busy clients leave by
    /// themselves, and what is on its way here still arrives. Idle clients get no such answer.
    pub(super) async fn serve_lame_duck(&self, listener: &Listener) {
        let end = Instant::now() + LAME_DUCK_PERIOD;
        loop {
            let pending = tokio::time::timeout(LAME_DUCK_STEP, self.accept(listener)).await.is_ok();
            if Instant::now() >= end || !(pending || self.are_open()) {
                return;
            }
        }
    }

    /// Waits until all connections have ended: for what we work on as long as that may take, for clients only
    /// a while.
    pub(super) async fn drain(self) {
        let closing = async {
            tokio::time::sleep(CLIENT_DRAIN_TIMEOUT).await;
            loop {
                self.limit.close_idle();
                tokio::time::sleep(DRAIN_STEP).await;
            }
        };
        let drained = async {
            tokio::select! {
                () = self.graceful.shutdown() => {}
                () = closing => {}
            }
        };
        if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
    }
}
