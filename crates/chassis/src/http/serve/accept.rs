//! Taking connections from the system, one after the other. Each needs a permit afterwards: only then its
//! address is known.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::Network;
use crate::telemetry::LogThrottle;

/// How long to wait after accepting failed, e.g. for want of file descriptors.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// The next connection. While the process is cut off, none is accepted: the system holds them open,
/// unanswered. `failed` is called with each failure, before the next try.
pub(super) async fn accept_on(
    mut network: Network,
    socket: &TcpListener,
    failed: impl Fn(&io::Error),
) -> (TcpStream, IpAddr) {
    loop {
        network.up().await;
        tokio::select! {
            biased;
            () = network.down() => {}
            accepted = accept(socket, &failed) => return accepted,
        }
    }
}

/// The next connection. Failing to accept one says nothing about the next.
async fn accept(listener: &TcpListener, failed: impl Fn(&io::Error)) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection cannot be tuned");
                }
                return (stream, address.ip());
            }
            Err(error) => {
                failed(&error);
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }
}

/// Logs failures to accept a connection, with the cause the system gives.
pub(super) fn report_failure(throttle: &LogThrottle, error: &io::Error) {
    if let Some(times) = throttle.record() {
        tracing::warn!(%error, times, "connections cannot be accepted");
    }
}
