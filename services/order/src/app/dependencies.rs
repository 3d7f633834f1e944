//! What the use cases work with.

use std::sync::Arc;
use std::time::Instant;

use ordersys_chassis::resilience::breaker::{GuardedCall, Settings};
use ordersys_chassis::{Breaker, BreakerMetrics, ConcurrencyLimit, Metrics};
use ordersys_contract::health::Peer;

use super::{Allowance, BatcherMetrics};
use crate::Orders;
#[cfg(feature = "defects")]
use crate::ports::DefectiveInventory;
use crate::ports::{Inventory, Users};

/// How the order service reaches the other two.
#[derive(Clone)]
pub struct Ports {
    /// The user service.
    pub users: Arc<dyn Users>,
    /// The product service, for new orders.
    pub inventory: Arc<dyn Inventory>,
    /// The product service again, on connections of their own, for finishing orders.
    pub drivers: Arc<dyn Inventory>,
}

#[cfg(feature = "defects")]
impl Ports {
    /// The same, with the mistakes that tests switch on.
    pub(crate) fn defective(self) -> Self {
        let mistaken = |port| Arc::new(DefectiveInventory(port)) as Arc<dyn Inventory>;
        Self { users: self.users, inventory: mistaken(self.inventory), drivers: mistaken(self.drivers) }
    }
}

/// The breakers in front of the other two services.
#[derive(Clone)]
pub(crate) struct Breakers {
    pub(super) users: Breaker,
    pub(super) inventory: Breaker,
}

impl Breakers {
    pub(crate) fn new(settings: Settings, metrics: &Metrics) -> Self {
        let (shared, now) = (BreakerMetrics::registered(metrics), Instant::now());
        let breaker = |peer, call| Breaker::new(GuardedCall { peer, call }, settings, now, shared.clone());
        Self { users: breaker("user", "lookup"), inventory: breaker("product", "reserve") }
    }

    /// How calls to the other services fare.
    pub(crate) fn report(&self) -> Vec<Peer> {
        let now = Instant::now();
        vec![self.users.report(now), self.inventory.report(now)]
    }
}

/// What the use cases work with.
pub(crate) struct Dependencies {
    pub(crate) orders: Orders,
    pub(crate) ports: Ports,
    pub(crate) breakers: Breakers,
    pub(crate) admission: ConcurrencyLimit,
    pub(crate) batchers: BatcherMetrics,
    pub(crate) allowance: Allowance,
}
