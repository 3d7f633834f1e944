//! Accepting connections with limits, and stopping without losing a request.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{Health, Listener, Network};

/// Most connections at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;
/// How long a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// How long requests in flight may take to finish once the service stops.
const DRAIN: Duration = Duration::from_secs(20);
/// How long to wait after accepting failed, e.g. for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serving ended other than by request.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener is unusable.
    #[error("the listening socket failed")]
    Listener(#[from] std::io::Error),
}

/// Serves `router` on `listener` until `shutdown`, then lets requests in flight finish.
pub async fn serve(
    router: Router,
    listener: impl Into<Listener>,
    health: Health,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let Listener { socket, network } = listener.into();
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { break };
        let stream = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept_on(network.clone(), &socket) => accepted,
        };
        let service = router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let service = service.clone();
            async move {
                let Ok(response) = service.oneshot(request.map(Body::new)).await;
                Ok::<_, Infallible>(response)
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        let mut network = network.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                },
                () = network.down() => tracing::debug!("a connection was cut"),
            }
            drop(permit);
        });
    }
    health.draining();
    drop(socket);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
    Ok(())
}

/// The next connection. While the process is cut off, none is accepted: the system holds them open,
/// unanswered.
async fn accept_on(mut network: Network, socket: &TcpListener) -> TcpStream {
    loop {
        network.up().await;
        tokio::select! {
            biased;
            () = network.down() => {}
            stream = accept(socket) => return stream,
        }
    }
}

/// The next connection. Failing to accept one says nothing about the next.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection cannot be tuned");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
