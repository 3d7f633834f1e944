//! Which of a service's addresses a call goes to: each in turn, and one that just gave no answer last.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Endpoints;
use crate::Role;

/// How long an address that gave no answer comes after the others.
const SHUNNED: Duration = Duration::from_secs(1);

/// The services that have several addresses.
#[derive(Debug)]
pub(super) struct Replicas(Vec<Service>);

/// One service, and all its addresses.
#[derive(Debug)]
pub(super) struct Service {
    addresses: Vec<Address>,
    turn: AtomicUsize,
}

/// One of several addresses of a service.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) url: String,
    silent_since: Mutex<Option<Instant>>,
}

impl Replicas {
    pub(super) fn of(endpoints: &Endpoints) -> Self {
        let several = |role: &Role| endpoints.further.get(role).is_some_and(|further| !further.is_empty());
        let roles = Role::ALL.into_iter().filter(several);
        Self(roles.map(|role| Service::new(&endpoints.all(role))).collect())
    }

    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The service that is called by this base URL, the first of its addresses, if it has others.
    pub(super) fn called_by(&self, base: &str) -> Option<&Service> {
        self.0.iter().find(|service| service.addresses.first().is_some_and(|first| first.url == base))
    }
}

impl Service {
    fn new(urls: &[&str]) -> Self {
        let address = |url: &&str| Address { url: (*url).to_owned(), silent_since: Mutex::default() };
        // Many clients that start at once begin at different addresses.
        Self {
            addresses: urls.iter().map(address).collect(),
            turn: AtomicUsize::new(rand::random::<u16>().into()),
        }
    }

    /// The addresses in the order in which the next call tries them.
    pub(super) fn next(&self, now: Instant) -> Vec<&Address> {
        let start = self.turn.fetch_add(1, Ordering::Relaxed) % self.addresses.len().max(1);
        let (before, from) = self.addresses.split_at(start);
        let mut order: Vec<&Address> = from.iter().chain(before).collect();
        order.sort_by_key(|address| address.is_shunned(now)); // stable: the turn decides among equals
        order
    }
}

impl Address {
    /// It gave no answer at that moment.
    pub(super) fn fell_silent(&self, at: Instant) {
        *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    fn is_shunned(&self, now: Instant) -> bool {
        let since = *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| now.saturating_duration_since(since) < SHUNNED)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn replicas() -> Replicas {
        let orders = ["http://a", "http://b", "http://c"].map(str::to_owned);
        let users = ["http://u".to_owned()];
        Replicas::of(&Endpoints::default().with(Role::Order, &orders).with(Role::User, &users))
    }

    fn urls(service: &Service, now: Instant) -> Vec<&str> {
        service.next(now).into_iter().map(|address| address.url.as_str()).collect()
    }

    #[test]
    fn calls_begin_at_each_address_in_turn() {
        let (replicas, now) = (replicas(), Instant::now());
        let service = replicas.called_by("http://a").expect("has several");
        let rounds: Vec<Vec<&str>> = (0..3).map(|_| urls(service, now)).collect();
        let first: BTreeSet<&str> = rounds.iter().map(|round| round[0]).collect();
        assert_eq!(first.len(), 3, "{rounds:?}");
        assert!(rounds.iter().all(|round| round.iter().collect::<BTreeSet<_>>().len() == 3), "{rounds:?}");
    }

    #[test]
    fn only_a_service_with_several_addresses_has_a_choice() {
        let replicas = replicas();
        for base in ["http://u", "http://b", "", "http://a/orders"] {
            assert!(replicas.called_by(base).is_none(), "{base}");
        }
        assert!(Replicas::of(&Endpoints::default()).are_none());
    }

    #[test]
    fn a_silent_address_comes_last_for_a_while() {
        let (replicas, now) = (replicas(), Instant::now());
        let service = replicas.called_by("http://a").expect("has several");
        service.addresses[1].fell_silent(now);
        assert!((0..6).all(|_| urls(service, now)[2] == "http://b"));
        let later = now + SHUNNED;
        assert!((0..3).any(|_| urls(service, later)[0] == "http://b"));
    }
}
