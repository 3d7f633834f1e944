//! The connections of a service, and which of them gives way when there are too many.
//!
//! No address has a fixed share: behind a proxy all callers have one address, and a load test is one caller.
//! Only when something runs out does it count who has how much of it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::connection::Connection;

/// Connections that may be closing while their successors are open already.
const CLOSING: usize = 64;

/// How long it must have been the turn of a connection's client before the connection gives way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a newcomer whose network has less than others.
    pub(super) with_others: Duration,
    /// For any newcomer.
    pub(super) with_all: Duration,
}

/// When a connection gives its place to another.
const FOR_A_PLACE: Patience = Patience { with_others: Duration::ZERO, with_all: Duration::from_secs(1) };
/// How long a connection may keep a place that it has only in passing.
const IN_PASSING: Duration = Duration::from_millis(20);
/// When the answer on a connection gives way to another: a page takes so long at 400 KiB a second.
const FOR_BYTES: Patience =
    Patience { with_others: Duration::from_secs(1), with_all: Duration::from_secs(5) };

/// Connections by network.
type Networks = HashMap<IpAddr, Vec<Arc<Connection>>>;

/// The places for connections.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    usual: Patience,
    networks: Mutex<Networks>,
    taken: AtomicUsize,
    most_bytes: usize,
    /// Bytes of large bodies and answers that are on their way.
    pub(super) held: AtomicUsize,
}

impl Places {
    /// Places for so many connections, which may make us hold so many bytes.
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        let (networks, taken, held) = (Mutex::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        Self { most, usual: FOR_A_PLACE, networks, taken, most_bytes, held }
    }

    /// Places in which newcomers soon find one: the connection that has been silent longest gives way.
    pub(super) fn in_passing(most: usize) -> Self {
        let usual = Patience { with_all: IN_PASSING, ..FOR_A_PLACE };
        Self { usual, ..Self::new(most, 0) }
    }

    /// A crowd whose connections replace each other leaves room for newcomers from elsewhere.
    fn patience(&self, closing: usize) -> Patience {
        let with_all = if closing < CLOSING / 2 { self.usual.with_all } else { Duration::MAX };
        Patience { with_all, ..self.usual }
    }

    fn networks(&self) -> MutexGuard<'_, Networks> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// A place for a connection from this address, if there is one or another connection gives way.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut networks = self.networks();
        if let Some(closing) = self.taken().checked_sub(self.most) {
            let patience = self.patience(closing);
            if closing >= CLOSING || !give_way(&networks, peer, |_| 1, patience) {
                return None;
            }
        }
        let connection = Arc::new(Connection::new(peer, Arc::clone(self)));
        networks.entry(network(peer)).or_default().push(Arc::clone(&connection));
        self.taken.fetch_add(1, Ordering::Relaxed);
        Some(Place { connection, places: Arc::clone(self) })
    }

    /// Whether so many more bytes may be held.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.held.load(Ordering::Relaxed).saturating_add(bytes) <= self.most_bytes
    }

    /// Has the connection give way whose answer should, if there is one.
    pub(super) fn make_room(&self, newcomer: IpAddr) -> bool {
        give_way(&self.networks(), newcomer, Connection::bytes, FOR_BYTES)
    }

    /// Gives up the connection that has been silent longest, if it has been for a while.
    pub(super) fn free_one(&self) {
        let nowhere = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let patience = Patience { with_others: FOR_A_PLACE.with_all, ..FOR_A_PLACE };
        give_way(&self.networks(), nowhere, |_| 1, patience);
    }

    /// Gives up all connections on which it is the client's turn.
    pub(super) fn close_waiting(&self) {
        for connection in self.networks().values().flatten() {
            if let Some(waited) = connection.waited() {
                connection.give_up(waited);
            }
        }
    }
}

/// Has one connection give way to a newcomer: of the network that holds most, the one whose client has had its
/// turn longest. False if none has had it long enough.
fn give_way(
    networks: &Networks,
    newcomer: IpAddr,
    amount: impl Fn(&Connection) -> usize,
    patience: Patience,
) -> bool {
    let amount_of = |connections: &Vec<Arc<Connection>>| -> usize {
        connections.iter().map(|connection| amount(connection)).sum()
    };
    let own = networks.get(&network(newcomer)).map_or(0, amount_of);
    let most = networks.values().map(amount_of).max().unwrap_or(0);
    let needed = if own < most { patience.with_others } else { patience.with_all };
    let richest = networks.values().filter(|connections| amount_of(connections) == most);
    let holders = richest.flatten().filter(|connection| amount(connection) > 0);
    let waiting = holders.filter_map(|connection| Some((connection, connection.waited()?)));
    let longest = waiting.max_by_key(|(_, waited)| waited.long);
    let Some((connection, waited)) = longest.filter(|(_, waited)| waited.long >= needed) else {
        return false;
    };
    connection.give_up(waited);
    true
}

/// Who shares a fate: an IPv4 address, or the 64 bits of IPv6 that one customer has.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// The place of one connection until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) connection: Arc<Connection>,
    places: Arc<Places>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut networks = self.places.networks();
        let network = network(self.connection.peer());
        if let Some(connections) = networks.get_mut(&network) {
            connections.retain(|other| !Arc::ptr_eq(other, &self.connection));
            if connections.is_empty() {
                networks.remove(&network);
            }
        }
        self.places.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    /// The connection is given up now, or not at all.
    async fn is_given_up(place: &Place) -> bool {
        tokio::time::timeout(Duration::from_millis(1), place.connection.until_given_up()).await.is_ok()
    }

    #[tokio::test]
    async fn the_longest_idle_of_the_network_with_most_gives_way_to_one_with_fewer() {
        let places = Arc::new(Places::new(3, 0));
        let many: Vec<_> = (0..2).map(|_| places.take(address(2)).expect("a place")).collect();
        let other = places.take(address(1)).expect("a place");
        tokio::time::sleep(Duration::from_millis(5)).await;
        many[0].connection.clients_turn();
        let newcomer = places.take(address(1)).expect("a place");
        assert!(is_given_up(&many[1]).await, "silent longest");
        assert!(!is_given_up(&many[0]).await && !is_given_up(&other).await && !is_given_up(&newcomer).await);
    }

    #[tokio::test]
    async fn the_network_with_most_gets_no_place_of_others_and_work_is_never_given_up() {
        let places = Arc::new(Places::new(3, 0));
        let many: Vec<_> = (0..2).map(|_| places.take(address(2)).expect("a place")).collect();
        let other = places.take(address(1)).expect("a place");
        assert!(places.take(address(2)).is_none(), "its own are not idle for long enough");
        assert!(many.iter().all(|place| place.connection.our_turn()));
        assert!(places.take(address(1)).is_none(), "all of the other network are worked on");
        many[0].connection.clients_turn();
        assert!(places.take(address(3)).is_some());
        assert!(is_given_up(&many[0]).await && !is_given_up(&many[1]).await && !is_given_up(&other).await);
        assert!(!many[0].connection.our_turn(), "too late to begin");
        drop((many, other));
        assert_eq!(places.taken(), 0);
    }

    #[tokio::test]
    async fn a_place_in_passing_is_soon_there_for_every_newcomer() {
        let places = Arc::new(Places::in_passing(2));
        let first = places.take(address(2)).expect("a place");
        let second = places.take(address(2)).expect("a place");
        assert!(places.take(address(2)).is_none(), "they have a moment");
        assert!(places.take(address(1)).is_some(), "of another network");
        tokio::time::sleep(2 * IN_PASSING).await;
        let third = places.take(address(2)).expect("a place");
        assert!(is_given_up(&first).await && is_given_up(&second).await && !is_given_up(&third).await);
    }

    #[tokio::test]
    async fn bytes_are_counted_until_they_are_gone() {
        let places = Arc::new(Places::new(9, 100));
        let (one, two) =
            (places.take(address(1)).expect("a place"), places.take(address(2)).expect("a place"));
        let room = one.connection.room(80).expect("room");
        assert!(two.connection.room(30).is_none(), "the other answer is young");
        assert!(two.connection.room(20).is_some());
        let forced = two.connection.take(500);
        assert!(one.connection.room(1).is_none());
        drop((room, forced));
        assert!(one.connection.room(100).is_some());
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
