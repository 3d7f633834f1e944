//! The connections of a service, and which of them is closed in favour of another when there are too many.
//!
//! No address has a fixed share: behind a proxy all callers have one address, and a load test is one caller.
//! Shares are compared only once connections or bytes run out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::connection::Connection;

/// Connections that may be closing while their successors are open already.
const CLOSING: usize = 64;

/// How long it must have been the turn of a connection's client before the connection may be closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct EvictionAge {
    /// For a newcomer whose network has less than others.
    pub(super) for_smaller_network: Duration,
    /// For any newcomer.
    pub(super) for_any_network: Duration,
}

/// When a connection is closed so that another gets its permit.
const PERMIT_EVICTION: EvictionAge =
    EvictionAge { for_smaller_network: Duration::ZERO, for_any_network: Duration::from_secs(1) };
/// How long a connection that waits for a probe keeps its permit.
const PROBE_EVICTION: Duration = Duration::from_millis(20);
/// When a connection is closed so that another answer may be sent: a page takes so long at 400 KiB a second.
const BYTES_EVICTION: EvictionAge =
    EvictionAge { for_smaller_network: Duration::from_secs(1), for_any_network: Duration::from_secs(5) };

/// Connections by network.
type Networks = HashMap<IpAddr, Vec<Arc<Connection>>>;

/// How many connections may be open, and how many bytes may be on their way over them.
#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    max_open: usize,
    usual: EvictionAge,
    networks: Mutex<Networks>,
    open: AtomicUsize,
    max_bytes: usize,
    /// Bytes of large bodies and answers that are on their way.
    pub(super) held: AtomicUsize,
}

impl ConnectionLimit {
    /// A limit of so many connections, which may make us hold so many bytes.
    pub(super) fn new(max_open: usize, max_bytes: usize) -> Self {
        let (networks, open, held) = (Mutex::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        Self { max_open, usual: PERMIT_EVICTION, networks, open, max_bytes, held }
    }

    /// A limit under which newcomers soon get a permit: the connection that has been silent longest is closed.
    pub(super) fn for_probes(max_open: usize) -> Self {
        let usual = EvictionAge { for_any_network: PROBE_EVICTION, ..PERMIT_EVICTION };
        Self { usual, ..Self::new(max_open, 0) }
    }

    /// A crowd whose connections replace each other leaves room for newcomers from elsewhere.
    fn eviction_age(&self, closing: usize) -> EvictionAge {
        let for_any_network = if closing < CLOSING / 2 { self.usual.for_any_network } else { Duration::MAX };
        EvictionAge { for_any_network, ..self.usual }
    }

    fn networks(&self) -> MutexGuard<'_, Networks> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many may be open.
    pub(super) fn max_open(&self) -> usize {
        self.max_open
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// A permit for a connection from this address, if one is left or another connection can be closed for it.
    pub(super) fn acquire(self: &Arc<Self>, peer: IpAddr) -> Option<ConnectionPermit> {
        let mut networks = self.networks();
        if let Some(closing) = self.open().checked_sub(self.max_open) {
            let eviction_age = self.eviction_age(closing);
            if closing >= CLOSING || !evict(&networks, peer, |_| 1, eviction_age) {
                return None;
            }
        }
        let connection = Arc::new(Connection::new(peer, Arc::clone(self)));
        networks.entry(network(peer)).or_default().push(Arc::clone(&connection));
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(ConnectionPermit { connection, limit: Arc::clone(self) })
    }

    /// Whether so many more bytes may be held.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.held.load(Ordering::Relaxed).saturating_add(bytes) <= self.max_bytes
    }

    /// Closes the connection whose answer has waited too long, if there is one.
    pub(super) fn make_room(&self, newcomer: IpAddr) -> bool {
        evict(&self.networks(), newcomer, Connection::bytes, BYTES_EVICTION)
    }

    /// Closes the connection that has been silent longest, if it has been for a while.
    pub(super) fn evict_idle(&self) {
        let nowhere = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let eviction_age =
            EvictionAge { for_smaller_network: PERMIT_EVICTION.for_any_network, ..PERMIT_EVICTION };
        evict(&self.networks(), nowhere, |_| 1, eviction_age);
    }

    /// Closes all connections on which it is the client's turn.
    pub(super) fn close_idle(&self) {
        for connection in self.networks().values().flatten() {
            if let Some(waited) = connection.waited() {
                connection.close(waited);
            }
        }
    }
}

/// Closes one connection in favour of a newcomer: of the network that holds most, the one whose client has had its
/// turn longest. False if none has had it long enough.
fn evict(
    networks: &Networks,
    newcomer: IpAddr,
    amount: impl Fn(&Connection) -> usize,
    eviction_age: EvictionAge,
) -> bool {
    let amount_of = |connections: &Vec<Arc<Connection>>| -> usize {
        connections.iter().map(|connection| amount(connection)).sum()
    };
    let own = networks.get(&network(newcomer)).map_or(0, amount_of);
    let most = networks.values().map(amount_of).max().unwrap_or(0);
    let needed = if own < most { eviction_age.for_smaller_network } else { eviction_age.for_any_network };
    let richest = networks.values().filter(|connections| amount_of(connections) == most);
    let holders = richest.flatten().filter(|connection| amount(connection) > 0);
    let waiting = holders.filter_map(|connection| Some((connection, connection.waited()?)));
    let longest = waiting.max_by_key(|(_, waited)| waited.long);
    let Some((connection, waited)) = longest.filter(|(_, waited)| waited.long >= needed) else {
        return false;
    };
    connection.close(waited);
    true
}

/// The unit in which shares are compared: an IPv4 address, or the 64 bits of IPv6 that one customer has.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// The permit of one open connection, given back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    pub(super) connection: Arc<Connection>,
    limit: Arc<ConnectionLimit>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut networks = self.limit.networks();
        let network = network(self.connection.peer());
        if let Some(connections) = networks.get_mut(&network) {
            connections.retain(|other| !Arc::ptr_eq(other, &self.connection));
            if connections.is_empty() {
                networks.remove(&network);
            }
        }
        self.limit.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    /// The connection is being closed now, or not at all.
    async fn is_closing(permit: &ConnectionPermit) -> bool {
        tokio::time::timeout(Duration::from_millis(1), permit.connection.closed()).await.is_ok()
    }

    #[tokio::test]
    async fn the_longest_idle_of_the_network_with_most_is_closed_for_one_with_fewer() {
        let limit = Arc::new(ConnectionLimit::new(3, 0));
        let many: Vec<_> = (0..2).map(|_| limit.acquire(address(2)).expect("a permit")).collect();
        let other = limit.acquire(address(1)).expect("a permit");
        tokio::time::sleep(Duration::from_millis(5)).await;
        many[0].connection.clients_turn();
        let newcomer = limit.acquire(address(1)).expect("a permit");
        assert!(is_closing(&many[1]).await, "silent longest");
        assert!(!is_closing(&many[0]).await && !is_closing(&other).await && !is_closing(&newcomer).await);
    }

    #[tokio::test]
    async fn the_network_with_most_gets_no_permit_of_others_and_work_is_never_cut_off() {
        let limit = Arc::new(ConnectionLimit::new(3, 0));
        let many: Vec<_> = (0..2).map(|_| limit.acquire(address(2)).expect("a permit")).collect();
        let other = limit.acquire(address(1)).expect("a permit");
        assert!(limit.acquire(address(2)).is_none(), "its own are not idle for long enough");
        assert!(many.iter().all(|permit| permit.connection.our_turn()));
        assert!(limit.acquire(address(1)).is_none(), "all of the other network are worked on");
        many[0].connection.clients_turn();
        assert!(limit.acquire(address(3)).is_some());
        assert!(is_closing(&many[0]).await && !is_closing(&many[1]).await && !is_closing(&other).await);
        assert!(!many[0].connection.our_turn(), "too late to begin");
        drop((many, other));
        assert_eq!(limit.open(), 0);
    }

    #[tokio::test]
    async fn a_permit_for_a_probe_is_soon_there_for_every_newcomer() {
        let limit = Arc::new(ConnectionLimit::for_probes(2));
        let first = limit.acquire(address(2)).expect("a permit");
        let second = limit.acquire(address(2)).expect("a permit");
        assert!(limit.acquire(address(2)).is_none(), "they have a moment");
        assert!(limit.acquire(address(1)).is_some(), "of another network");
        tokio::time::sleep(2 * PROBE_EVICTION).await;
        let third = limit.acquire(address(2)).expect("a permit");
        assert!(is_closing(&first).await && is_closing(&second).await && !is_closing(&third).await);
    }

    #[tokio::test]
    async fn bytes_are_counted_until_they_are_gone() {
        let limit = Arc::new(ConnectionLimit::new(9, 100));
        let [one, two] = [1, 2].map(|last| limit.acquire(address(last)).expect("a permit"));
        let room = one.connection.try_reserve(80).expect("room");
        assert!(two.connection.try_reserve(30).is_none(), "the other answer is young");
        assert!(two.connection.try_reserve(20).is_some());
        let forced = two.connection.reserve(500);
        assert!(one.connection.try_reserve(1).is_none());
        drop((room, forced));
        assert!(one.connection.try_reserve(100).is_some());
    }

    #[test]
    fn customers_are_networks() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("::ffff:127.0.0.2"), of("127.0.0.2"));
        assert_ne!(of("127.0.0.2"), of("127.0.0.3"));
    }
}
