//! Whether a service lives and whether it is ready for requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

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
    writable: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Health {
    /// The health of a service that is starting; `writable` asks its store.
    pub fn starting(writable: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { phase: Arc::new(AtomicU8::new(Phase::Starting as u8)), writable: Arc::new(writable) }
    }

    /// Recovery has loaded its work: requests are welcome.
    pub fn serving(&self) {
        self.phase.store(Phase::Serving as u8, Ordering::Release);
    }

    /// No new requests, please.
    pub fn draining(&self) {
        self.phase.store(Phase::Draining as u8, Ordering::Release);
    }

    /// Why no requests should be sent here, if they should not.
    #[must_use]
    pub fn unready(&self) -> Option<&'static str> {
        let phase = self.phase.load(Ordering::Acquire);
        if phase == Phase::Starting as u8 {
            Some("starting")
        } else if phase == Phase::Draining as u8 {
            Some("draining")
        } else if !(self.writable)() {
            Some("the store cannot be written")
        } else {
            None
        }
    }
}
