//! Tests that measure time take turns, alone or else beside light tests only: what loads the machine for seconds
//! would be measured, too.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

static MACHINE: RwLock<()> = RwLock::const_new(());

/// The turn of a test that measures time, until it is dropped.
#[must_use = "the turn is over when this is dropped"]
pub struct Quiet {
    _alone: RwLockWriteGuard<'static, ()>,
}

/// The turn of a test that loads the machine, until it is dropped.
#[must_use = "the turn is over when this is dropped"]
pub struct Busy {
    _shared: RwLockReadGuard<'static, ()>,
}

/// Waits until no other test measures time or loads the machine, and keeps them waiting.
pub async fn quiet() -> Quiet {
    Quiet { _alone: MACHINE.write().await }
}

/// The same, for tests that are not asynchronous.
pub fn quiet_blocking() -> Quiet {
    Quiet { _alone: MACHINE.blocking_write() }
}

/// Waits until no other test measures time. Several may load the machine at once.
pub async fn busy() -> Busy {
    Busy { _shared: MACHINE.read().await }
}

/// The same, for tests that are not asynchronous.
pub fn busy_blocking() -> Busy {
    Busy { _shared: MACHINE.blocking_read() }
}
