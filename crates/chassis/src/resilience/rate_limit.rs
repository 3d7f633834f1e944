//! How often each of many may do something, with a bounded memory of them.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

/// Keys that are remembered at a time. When there are more, new ones are rejected.
const MAX_REMEMBERED: usize = 20_000;
/// How often those that may go on freely are forgotten, when too many are remembered.
const FORGET_PAUSE: Duration = Duration::from_secs(1);
/// Bits of an IPv4 address that the addresses of one network share.
const NETWORK_BITS_V4: u32 = 24;
/// Bits of an IPv6 address that the addresses of one network share.
const NETWORK_BITS_V6: u32 = 56;
/// Bits of an IPv6 address that one party has for itself.
const PARTY_BITS_V6: u32 = 64;

/// How many may come in a row, and how long until one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many in a row.
    pub burst: NonZeroU32,
    /// How long until one more.
    pub pause: Duration,
}

impl Rate {
    /// So many in each minute, all at once if need be.
    #[must_use]
    pub fn per_minute(most: NonZeroU32) -> Self {
        Self { burst: most, pause: Duration::from_mins(1) / most.get() }
    }
}

/// The part of an address that one party has for itself: all of it, or the first half of IPv6.
#[must_use]
pub fn party(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(first_bits(address, PARTY_BITS_V6)),
    }
}

/// The network of an address: neighbours have the same.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let rest = u32::BITS - NETWORK_BITS_V4;
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() >> rest << rest))
        }
        IpAddr::V6(address) => IpAddr::V6(first_bits(address, NETWORK_BITS_V6)),
    }
}

fn first_bits(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    let rest = u128::BITS - bits;
    Ipv6Addr::from_bits(address.to_bits() >> rest << rest)
}

/// Counts for each key.
pub struct KeyedRate<K: Hash + Eq + Clone> {
    rates: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    forgot: Mutex<Instant>,
}

impl<K: Hash + Eq + Clone> KeyedRate<K> {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new(Rate { burst, pause }: Rate) -> Self {
        let quota = Quota::with_period(pause).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let rates = DefaultKeyedRateLimiter::keyed(quota.allow_burst(burst));
        Self { rates, clock: DefaultClock::default(), forgot: Mutex::new(Instant::now()) }
    }

    /// Counts one, or says how long to wait.
    ///
    /// # Errors
    /// How long to wait.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        self.make_room()?;
        self.rates.check_key(key).map_err(|not_yet| not_yet.wait_time_from(self.clock.now()))
    }

    /// Counts several at once, all or none. More than may come in a row never do.
    ///
    /// # Errors
    /// How long to wait.
    pub fn check_many(&self, key: &K, count: NonZeroU32) -> Result<(), Duration> {
        self.make_room()?;
        match self.rates.check_key_n(key, count) {
            Ok(checked) => checked.map_err(|not_yet| not_yet.wait_time_from(self.clock.now())),
            Err(_too_many) => Err(Duration::MAX),
        }
    }

    fn make_room(&self) -> Result<(), Duration> {
        if self.rates.len() >= MAX_REMEMBERED {
            self.forget();
            if self.rates.len() >= MAX_REMEMBERED {
                return Err(FORGET_PAUSE);
            }
        }
        Ok(())
    }

    fn forget(&self) {
        let mut forgot = self.forgot.lock().unwrap_or_else(PoisonError::into_inner);
        if forgot.elapsed() >= FORGET_PAUSE {
            *forgot = Instant::now();
            self.rates.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(burst: u32, pause: Duration) -> Rate {
        Rate { burst: NonZeroU32::new(burst).expect("not zero"), pause }
    }

    #[test]
    fn each_key_has_a_burst_of_its_own_and_memory_is_bounded() {
        let rates = KeyedRate::new(rate(3, Duration::from_hours(1)));
        for _ in 0..3 {
            assert_eq!(rates.check(&0), Ok(()));
        }
        assert!(rates.check(&0).is_err_and(|wait| wait > Duration::from_secs(3500)));
        assert_eq!(rates.check(&1), Ok(()));
        for key in 2..30_000 {
            let _ = rates.check(&key);
        }
        assert_eq!(rates.rates.len(), MAX_REMEMBERED);
        assert_eq!(rates.check(&40_000), Err(FORGET_PAUSE));
    }

    #[test]
    fn several_are_counted_together_or_not_at_all() {
        let rates = KeyedRate::new(rate(5, Duration::from_hours(1)));
        let many = |count| rates.check_many(&0, NonZeroU32::new(count).expect("not zero"));
        assert_eq!(many(4), Ok(()));
        assert!(many(2).is_err());
        assert_eq!(many(1), Ok(()), "the two were not counted");
        assert_eq!(many(6), Err(Duration::MAX));
    }

    #[test]
    fn neighbours_are_one_network_and_in_ipv6_one_party() {
        let of = |which: fn(IpAddr) -> IpAddr, text: &str| which(text.parse().expect("an address"));
        assert_eq!(of(party, "2001:db8::1"), of(party, "2001:db8::ffff:1"));
        assert_ne!(of(party, "2001:db8::1"), of(party, "2001:db8:0:1::1"));
        assert_eq!(of(party, "::ffff:10.0.0.1"), of(party, "10.0.0.1"));
        assert_ne!(of(party, "10.0.0.1"), of(party, "10.0.0.2"));
        assert_eq!(of(network, "2001:db8::1"), of(network, "2001:db8:0:ff::1"));
        assert_ne!(of(network, "2001:db8::1"), of(network, "2001:db8:0:100::1"));
        assert_eq!(of(network, "10.0.0.1"), of(network, "::ffff:10.0.0.254"));
        assert_ne!(of(network, "10.0.0.1"), of(network, "10.0.1.1"));
    }

    #[test]
    fn a_rate_of_a_minute_may_come_all_at_once() {
        let sixty = NonZeroU32::new(60).expect("not zero");
        assert_eq!(Rate::per_minute(sixty), rate(60, Duration::from_secs(1)));
    }

    #[test]
    fn keys_that_may_go_on_freely_are_forgotten_for_new_ones_once_a_second() {
        let rates = KeyedRate::new(rate(1, Duration::from_nanos(1)));
        let count = |pause: Duration, key: usize| {
            let forgot = Instant::now().checked_sub(pause).expect("the machine is up for longer");
            *rates.forgot.lock().expect("not poisoned") = forgot;
            rates.check(&key)
        };
        for key in 0..MAX_REMEMBERED {
            assert_eq!(count(Duration::ZERO, key), Ok(()));
        }
        assert_eq!(count(Duration::ZERO, MAX_REMEMBERED), Err(FORGET_PAUSE));
        assert_eq!(count(FORGET_PAUSE, MAX_REMEMBERED), Ok(()));
        assert_eq!(rates.rates.len(), 1);
    }
}
