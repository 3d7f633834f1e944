//! How often an address or an account may make us work, decided before the work.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use tokio::sync::Semaphore;

use crate::UserError;

/// Passwords an address may try or set in a row, and how long until it may once more.
const PASSWORDS_OF_ADDRESS: (u32, Duration) = (20, Duration::from_millis(500));
/// Passwords that may be tried in a row for an account, and how long until once more.
const PASSWORDS_OF_ACCOUNT: (u32, Duration) = (10, Duration::from_secs(6));
/// Cheap calls an address may make in a row - a guest, a refresh - and how long until once more.
const CALLS_OF_ADDRESS: (u32, Duration) = (10_000, Duration::from_millis(2));
/// Addresses or accounts that are remembered at a time. When there are more, new ones are refused.
const MAX_REMEMBERED: usize = 20_000;
/// How often those that may go on freely are forgotten, when too many are remembered.
const FORGET_PAUSE: Duration = Duration::from_secs(1);
/// How long the answer to a refused caller is held back: who calls again at once, calls slowly.
const HOLD_BACK: Duration = Duration::from_secs(1);
/// Answers that are held back at a time; further ones go out at once.
const MAX_HELD_BACK: usize = 512;

/// The limits; clones share their counts.
#[derive(Clone)]
pub(crate) struct Throttle(Arc<Limits>);

struct Limits {
    addresses: Limiter<IpAddr>,
    accounts: Limiter<String>,
    calls: Limiter<IpAddr>,
    held_back: Semaphore,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Limits {
            addresses: Limiter::new(PASSWORDS_OF_ADDRESS),
            accounts: Limiter::new(PASSWORDS_OF_ACCOUNT),
            calls: Limiter::new(CALLS_OF_ADDRESS),
            held_back: Semaphore::new(MAX_HELD_BACK),
        }))
    }

    /// Lets an address make us hash a password for an account.
    pub(crate) async fn password(&self, from: IpAddr, account: &str) -> Result<(), UserError> {
        let free = self.0.addresses.check(&network(from));
        let free = free.and_then(|()| self.0.accounts.check(&account.to_owned()));
        self.or_hold_back(free).await
    }

    /// Lets an address make a call that costs little.
    pub(crate) async fn call(&self, from: IpAddr) -> Result<(), UserError> {
        self.or_hold_back(self.0.calls.check(&network(from))).await
    }

    async fn or_hold_back(&self, free: Result<(), Duration>) -> Result<(), UserError> {
        let Err(wait) = free else { return Ok(()) };
        if let Ok(_one_of_few) = self.0.held_back.try_acquire() {
            tokio::time::sleep(HOLD_BACK).await;
        }
        let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
        Err(UserError::TooFast { seconds })
    }
}

/// The part of an address that one party has for itself: all of it, or the first half of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

struct Limiter<K: Hash + Eq + Clone> {
    rates: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    forgot: Mutex<Instant>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new((burst, pause): (u32, Duration)) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(pause).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let rates = DefaultKeyedRateLimiter::keyed(quota.allow_burst(burst));
        Self { rates, clock: DefaultClock::default(), forgot: Mutex::new(Instant::now()) }
    }

    /// Counts one, or says how long to wait.
    fn check(&self, key: &K) -> Result<(), Duration> {
        if self.rates.len() >= MAX_REMEMBERED {
            self.forget();
            if self.rates.len() >= MAX_REMEMBERED {
                return Err(FORGET_PAUSE);
            }
        }
        self.rates.check_key(key).map_err(|not_yet| not_yet.wait_time_from(self.clock.now()))
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

    #[test]
    fn each_key_has_a_burst_of_its_own_and_memory_is_bounded() {
        let limiter = Limiter::new((3, Duration::from_hours(1)));
        for _ in 0..3 {
            assert_eq!(limiter.check(&0), Ok(()));
        }
        assert!(limiter.check(&0).is_err_and(|wait| wait > Duration::from_secs(3500)));
        assert_eq!(limiter.check(&1), Ok(()));
        for key in 2..30_000 {
            let _ = limiter.check(&key);
        }
        assert_eq!(limiter.rates.len(), MAX_REMEMBERED);
        assert_eq!(limiter.check(&40_000), Err(FORGET_PAUSE));
    }

    #[test]
    fn neighbours_in_ipv6_are_one_party() {
        let network = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
        assert_ne!(network("10.0.0.1"), network("10.0.0.2"));
    }
}
