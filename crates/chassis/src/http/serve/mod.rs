//! Accepting connections with limits, and stopping without losing a request.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio_util::sync::CancellationToken;

use crate::{Health, Listener, LoadShedder, smoothed_clock};

mod accept;
mod capacity;
mod connection;
mod connection_limit;
mod connections;
mod handler;
mod stream;
#[cfg(test)]
mod tests;
mod transfer;

pub use capacity::{Capacity, DEFAULT_CONNECTIONS};
pub(crate) use connection::{Connection, Room};
pub(crate) use transfer::{SMALL_BODY_BYTES, count_large};

use connections::Connections;
use handler::Handler;

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
    run(Handler { router, load_shedder: None, health, shutdown }, listener.into()).await;
    Ok(())
}

/// The same, rejecting requests before any work is done for them while there is no permit for them.
pub async fn serve_shedding(
    router: Router,
    load_shedder: LoadShedder,
    listener: impl Into<Listener>,
    health: Health,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    run(Handler { router, load_shedder: Some(load_shedder), health, shutdown }, listener.into()).await;
    Ok(())
}

async fn run(handler: Handler, listener: Listener) {
    let keeping_time = tokio::spawn(smoothed_clock::track());
    let handler = Arc::new(handler);
    let connections = Connections::new(Arc::clone(&handler), listener.capacity);
    while handler.shutdown.run_until_cancelled(connections.accept(&listener)).await.is_some() {}
    handler.health.draining();
    connections.serve_lame_duck(&listener).await;
    drop(listener);
    connections.drain().await;
    keeping_time.abort();
}
