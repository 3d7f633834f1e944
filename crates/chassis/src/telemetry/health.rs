//! Whether a service lives, whether it is ready for requests, and what it has to do without.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ordersys_contract::Timestamp;
use ordersys_contract::health::{Peer, Readiness};

use crate::ClockSkew;

/// How far a service has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    Starting = 0,
    Serving = 1,
    Draining = 2,
}

/// The health of a service; clones share it.
#[derive(Clone)]
pub struct Health {
    phase: Arc<AtomicU8>,
    storage: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    peers: Arc<dyn Fn() -> Vec<Peer> + Send + Sync>,
    clock_skew: Option<ClockSkew>,
}

impl Health {
    /// The health of a service that is starting; `storage` says why its store cannot do its work, if it cannot.
    pub fn starting(storage: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        let phase = Arc::new(AtomicU8::new(Phase::Starting as u8));
        Self { phase, storage: Arc::new(storage), peers: Arc::new(Vec::new), clock_skew: None }
    }

    /// The same, telling how calls to other services fare as well.
    #[must_use]
    pub fn with_peers(mut self, peers: impl Fn() -> Vec<Peer> + Send + Sync + 'static) -> Self {
        self.peers = Arc::new(peers);
        self
    }

    /// The same, warning when the newest time of its store lies ahead of the clock.
    #[must_use]
    pub fn with_clock_skew(mut self, clock_skew: ClockSkew) -> Self {
        self.clock_skew = Some(clock_skew);
        self
    }

    /// Recovery has loaded its work: requests are welcome.
    pub fn serving(&self) {
        self.phase.store(Phase::Serving as u8, Ordering::Release);
    }

    /// No new requests, please.
    pub fn draining(&self) {
        self.phase.store(Phase::Draining as u8, Ordering::Release);
    }

    /// Whether the service is being stopped.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.phase.load(Ordering::Acquire) == Phase::Draining as u8
    }

    /// Why no requests should be sent here, if they should not. A store that cannot do its work may be why a start
    /// does not come to its end.
    #[must_use]
    pub fn unready(&self) -> Option<Cow<'static, str>> {
        let phase = self.phase.load(Ordering::Acquire);
        if phase == Phase::Draining as u8 {
            return Some("draining".into());
        }
        let starting = (phase == Phase::Starting as u8).then_some("starting".into());
        (self.storage)().map(Cow::from).or(starting)
    }

    /// What it reports of itself. A service that has to do without another one, or holds times that cannot be
    /// right, is degraded, not unready.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let ahead = self.clock_skew.as_ref().and_then(|skew| skew.ahead(Timestamp::now()));
        Readiness::new(self.unready().as_deref(), (self.peers)(), ahead.into_iter().collect())
    }
}
