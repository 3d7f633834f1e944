//! What callers may do that need no account: off unless configured, since behind a proxy and in Docker all
//! callers have one address, and a load test is one caller.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use ordersys_chassis::Caller;
use ordersys_chassis::resilience::rate_limit::{KeyedRate, Rate, party};
use ordersys_contract::UserId;
use ordersys_contract::reservation::Line;
use ordersys_contract::user::UserKindName;

use crate::OrderError;
use crate::domain::access::Owner;

/// Limits for each minute; as much may come at once. Without one there is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Orders that one address may post.
    pub orders_per_address: Option<NonZeroU32>,
    /// Orders that may be made for one guest.
    pub orders_per_guest: Option<NonZeroU32>,
    /// Units of all products that may be ordered for one guest.
    pub units_per_guest: Option<NonZeroU32>,
}

/// Counts what is placed.
pub(super) struct Allowed {
    addresses: Option<KeyedRate<IpAddr>>,
    guests: Option<KeyedRate<UserId>>,
    units: Option<(KeyedRate<UserId>, NonZeroU32)>,
}

impl Allowed {
    pub(super) fn new(allowance: Allowance) -> Self {
        Self {
            addresses: allowance.orders_per_address.map(|most| KeyedRate::new(Rate::per_minute(most))),
            guests: allowance.orders_per_guest.map(|most| KeyedRate::new(Rate::per_minute(most))),
            units: allowance.units_per_guest.map(|most| (KeyedRate::new(Rate::per_minute(most)), most)),
        }
    }

    /// Counts a post, before anything is done for it.
    pub(super) fn post(&self, caller: Caller, from: IpAddr) -> Result<(), OrderError> {
        let limited = self.addresses.as_ref().filter(|_| caller != Caller::Admin);
        limited.map_or(Ok(()), |rate| rate.check(&party(from))).map_err(|wait| too_fast("this address", wait))
    }

    /// Counts a new order, before anything is written.
    pub(super) fn order(&self, caller: Caller, owner: &Owner, lines: &[Line]) -> Result<(), OrderError> {
        if owner.kind != UserKindName::Guest || caller == Caller::Admin {
            return Ok(());
        }
        if let Some((rate, most)) = &self.units {
            let units: u64 = lines.iter().map(|line| u64::from(line.quantity.get())).sum();
            let fits = u32::try_from(units).ok().and_then(NonZeroU32::new).filter(|units| units <= most);
            let units = fits.ok_or(OrderError::GuestUnits { most: most.get() })?;
            rate.check_many(&owner.id, units).map_err(|wait| too_fast("this guest", wait))?;
        }
        let guests = self.guests.as_ref();
        guests.map_or(Ok(()), |rate| rate.check(&owner.id)).map_err(|wait| too_fast("this guest", wait))
    }
}

fn too_fast(whose: &'static str, retry_in: Duration) -> OrderError {
    OrderError::TooFast { whose, retry_in }
}
