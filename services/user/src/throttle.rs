//! How often an address or an account may make us work, decided before the work.
//!
//! No stranger can spend what an owner needs: tries for an account count by the network they come from. Only
//! tries from networks the account never logged in from meet a limit together. What shows a living session is
//! not held to what strangers of the same address do.

use std::future::Future;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ordersys_chassis::resilience::rate_limit::{KeyedRate, Rate, network, party};
use ordersys_contract::UserId;
use tokio::sync::Semaphore;

use crate::UserError;

/// Passwords an address may try or set in a row, and how long until it may once more.
const PASSWORDS_OF_ADDRESS: Rate = rate(20, Duration::from_millis(500));
/// Passwords that may be tried in a row for an account from one network, and how long until once more.
const PASSWORDS_OF_NETWORK: Rate = rate(10, Duration::from_secs(6));
/// The same from all networks that the account never logged in from. Three of them at full rate reach it.
const PASSWORDS_OF_STRANGERS: Rate = rate(60, Duration::from_secs(2));
/// How often the holder of a token may change the password in a row, and how long until once more.
const CHANGES_OF_ACCOUNT: Rate = rate(10, Duration::from_secs(6));
/// Guests or refreshes that an address may ask for in a row, and how long until once more.
const CALLS_OF_ADDRESS: Rate = rate(10_000, Duration::from_millis(2));
/// How long the answer to a refused caller is held back: who calls again at once, calls slowly.
const HOLD_BACK: Duration = Duration::from_secs(1);
/// Answers that are held back at a time; further ones go out at once.
const MAX_HELD_BACK: usize = 512;

const fn rate(burst: u32, pause: Duration) -> Rate {
    match NonZeroU32::new(burst) {
        Some(burst) => Rate { burst, pause },
        None => Rate { burst: NonZeroU32::MIN, pause },
    }
}

/// The limits; clones share their counts.
#[derive(Clone)]
pub(crate) struct Throttle(Arc<Limits>);

/// Tries for an account from a network.
type Tries = KeyedRate<(String, IpAddr)>;

struct Limits {
    addresses: KeyedRate<IpAddr>,
    networks: Tries,
    strangers: KeyedRate<String>,
    /// Apart from `networks`: strangers cannot fill its memory.
    known: Tries,
    changes: KeyedRate<UserId>,
    guests: KeyedRate<IpAddr>,
    refreshes: KeyedRate<IpAddr>,
    held_back: Semaphore,
}

impl Throttle {
    /// `guests` is how many guests an address may make in a minute, if that is limited.
    pub(crate) fn new(guests: Option<NonZeroU32>) -> Self {
        Self(Arc::new(Limits {
            addresses: KeyedRate::new(PASSWORDS_OF_ADDRESS),
            networks: KeyedRate::new(PASSWORDS_OF_NETWORK),
            strangers: KeyedRate::new(PASSWORDS_OF_STRANGERS),
            known: KeyedRate::new(PASSWORDS_OF_NETWORK),
            changes: KeyedRate::new(CHANGES_OF_ACCOUNT),
            guests: KeyedRate::new(guests.map_or(CALLS_OF_ADDRESS, Rate::per_minute)),
            refreshes: KeyedRate::new(CALLS_OF_ADDRESS),
            held_back: Semaphore::new(MAX_HELD_BACK),
        }))
    }

    /// Lets an address make us compare a password with that of an account. `known` tells whether the account
    /// logged in from this network before; it is asked only if strangers would be refused.
    pub(crate) async fn log_in(
        &self,
        from: IpAddr,
        account: &str,
        known: impl Future<Output = bool>,
    ) -> Result<(), UserError> {
        let mut free = self.stranger(from, account);
        if free.is_err() && known.await {
            free = self.0.known.check(&(account.to_owned(), network(from)));
        }
        self.or_hold_back(free).await
    }

    fn stranger(&self, from: IpAddr, account: &str) -> Result<(), Duration> {
        self.0.addresses.check(&party(from))?;
        self.0.networks.check(&(account.to_owned(), network(from)))?;
        self.0.strangers.check(&account.to_owned())
    }

    /// Lets an address make us hash the password of a new account.
    pub(crate) async fn registration(&self, from: IpAddr) -> Result<(), UserError> {
        self.or_hold_back(self.0.addresses.check(&party(from))).await
    }

    /// Lets the holder of a user's token make us compare and hash passwords.
    pub(crate) async fn change(&self, user: UserId) -> Result<(), UserError> {
        self.or_hold_back(self.0.changes.check(&user)).await
    }

    /// Lets an address make a guest.
    pub(crate) async fn guest(&self, from: IpAddr) -> Result<(), UserError> {
        self.or_hold_back(self.0.guests.check(&party(from))).await
    }

    /// Lets an address refresh a session. `lives` tells whether the token is that of a session; it is asked only
    /// if the address would be refused.
    pub(crate) async fn refresh(
        &self,
        from: IpAddr,
        lives: impl Future<Output = bool>,
    ) -> Result<(), UserError> {
        let mut free = self.0.refreshes.check(&party(from));
        if free.is_err() && lives.await {
            free = Ok(());
        }
        self.or_hold_back(free).await
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

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn what_one_network_tries_another_does_not_pay_for() {
        let throttle = Throttle::new(None);
        // Far more than one network may, from two addresses of it.
        for host in [1, 2] {
            for _ in 0..100 {
                let _ = throttle.stranger(address(&format!("10.0.0.{host}")), "ada@example.com");
            }
        }
        assert!(throttle.stranger(address("10.0.0.3"), "ada@example.com").is_err(), "a neighbour");
        assert_eq!(throttle.stranger(address("10.0.1.1"), "ada@example.com"), Ok(()));
        assert_eq!(throttle.stranger(address("10.0.0.3"), "bob@example.com"), Ok(()), "another account");
    }

    #[tokio::test(start_paused = true)]
    async fn many_networks_meet_a_limit_that_known_ones_do_not() {
        let throttle = Throttle::new(None);
        let mut tried = 0;
        for network in 0..100 {
            for _ in 0..10 {
                let from = address(&format!("10.1.{network}.1"));
                tried += u32::from(throttle.stranger(from, "ada@example.com").is_ok());
            }
        }
        assert!((60..=61).contains(&tried), "{tried} passwords of a thousand were tried");
        let fresh = address("10.2.0.1");
        let log_in = |known| throttle.log_in(fresh, "ada@example.com", async move { known });
        assert!(log_in(false).await.is_err(), "one more stranger");
        for _ in 0..10 {
            assert!(log_in(true).await.is_ok(), "it logged in before");
        }
        assert!(log_in(true).await.is_err(), "but may not guess without end");
    }

    #[tokio::test(start_paused = true)]
    async fn a_living_session_is_refreshed_whatever_its_neighbours_do() {
        let throttle = Throttle::new(NonZeroU32::new(5));
        let from = address("10.0.0.1");
        for _ in 0..20_000 {
            let _ = throttle.0.refreshes.check(&from);
        }
        assert!(throttle.refresh(from, async { false }).await.is_err());
        assert!(throttle.refresh(from, async { true }).await.is_ok());
        for _ in 0..5 {
            assert!(throttle.guest(from).await.is_ok());
        }
        assert!(throttle.guest(from).await.is_err(), "five in a minute");
    }
}
