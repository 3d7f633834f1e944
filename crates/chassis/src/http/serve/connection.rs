//! What is known of one connection while it is open: whose turn it is, and what it makes us hold.
//!
//! It is the client's turn while it sends a request or reads an answer, and ours while the request is worked
//! on. A connection may be closed only in the client's turn: then nothing of it is being worked on.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::connection_limit::ConnectionLimit;

/// The state of a connection on which we work.
const OURS: u64 = 0;
/// The state of a connection that is about to be closed.
const CLOSING: u64 = u64::MAX;

/// An open connection, shared by its task, its requests and its answers.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: IpAddr,
    limit: Arc<ConnectionLimit>,
    /// [`OURS`], [`CLOSING`], or since when it is the client's turn: in milliseconds after `opened`, plus one.
    turn: AtomicU64,
    opened: Instant,
    bytes: AtomicUsize,
    closing: Notify,
}

impl Connection {
    /// A connection on which the client has said nothing yet.
    pub(super) fn new(peer: IpAddr, limit: Arc<ConnectionLimit>) -> Self {
        let (turn, opened, bytes) = (AtomicU64::new(1), Instant::now(), AtomicUsize::new(0));
        Self { peer, limit, turn, opened, bytes, closing: Notify::new() }
    }

    /// The address of its client.
    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// The client may send a request, or read an answer, from now on.
    pub(super) fn clients_turn(&self) {
        let millis = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(0);
        self.turn.store(millis.saturating_add(1), Ordering::Relaxed);
    }

    /// The request has arrived. False if the connection is being closed: then nothing may be begun.
    #[must_use]
    pub(super) fn our_turn(&self) -> bool {
        let before = self.turn.swap(OURS, Ordering::Relaxed);
        if before == CLOSING {
            self.turn.store(CLOSING, Ordering::Relaxed);
        }
        before != CLOSING
    }

    /// How long it has been the client's turn, if it is.
    pub(super) fn waited(&self) -> Option<Waited> {
        let turn = self.turn.load(Ordering::Relaxed);
        if turn == OURS || turn == CLOSING {
            return None;
        }
        let since = self.opened + Duration::from_millis(turn - 1);
        Some(Waited { turn, long: Instant::now().saturating_duration_since(since) })
    }

    /// Closes the connection, unless its turn has changed since.
    pub(super) fn close(&self, waited: Waited) {
        let (expected, order) = (waited.turn, Ordering::Relaxed);
        if self.turn.compare_exchange(expected, CLOSING, order, order).is_ok() {
            self.closing.notify_one();
        }
    }

    /// Returns once the connection is to be closed.
    pub(super) async fn closed(&self) {
        self.closing.notified().await;
    }

    /// The bytes of large bodies and answers that it makes us hold.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Room for so many bytes, if there is any or another connection can be closed for it.
    pub(crate) fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Room> {
        (self.limit.has_room(bytes) || self.limit.make_room(self.peer)).then(|| self.reserve(bytes))
    }

    /// Room for so many bytes of what cannot be rejected.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: usize) -> Room {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.limit.held.fetch_add(bytes, Ordering::Relaxed);
        Room { bytes, connection: Arc::clone(self) }
    }
}

/// How long a client has had its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waited {
    turn: u64,
    pub(super) long: Duration,
}

/// Bytes that are counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    bytes: usize,
    connection: Arc<Connection>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.connection.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.connection.limit.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
