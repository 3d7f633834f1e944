//! Tests that measure time take turns, and so do those that load the machine for long: beside each other they would
//! measure one another.

use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// A turn, until it is dropped.
#[must_use = "the turn is over when this is dropped"]
pub struct Quiet {
    _turn: MutexGuard<'static, ()>,
}

/// Waits for the turn of a test that measures time or loads the machine.
pub async fn quiet() -> Quiet {
    Quiet { _turn: TURN.lock().await }
}

/// The same, for tests that are not asynchronous.
pub fn quiet_blocking() -> Quiet {
    Quiet { _turn: TURN.blocking_lock() }
}
