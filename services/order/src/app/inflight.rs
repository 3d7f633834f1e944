//! Orders in the making by their idempotency key, so that a repeated post joins the first one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use ordersys_chassis::Caller;
use ordersys_contract::reservation::Line;
use ordersys_contract::{IdempotencyKey, UserId};
use tokio::sync::watch;

use super::place::Progress;

/// A key in use. Only the same caller joins: any other has to prove who it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct KeyInUse {
    pub(super) caller: Caller,
    pub(super) user: UserId,
    pub(super) key: IdempotencyKey,
}

/// The keys in use now.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<KeyInUse, Entered>>>);

#[derive(Debug)]
struct Entered {
    lines: Vec<Line>,
    progress: watch::Receiver<Progress>,
}

/// What entering a key found.
pub(super) enum Entrance {
    /// The key was free: place the order, and keep the ticket until its outcome is known.
    First(Ticket),
    /// The same order is in the making.
    Join(watch::Receiver<Progress>),
    /// Another order is in the making under this key.
    Conflict,
}

/// Frees the key when dropped.
pub(super) struct Ticket {
    keys: InFlight,
    key: KeyInUse,
}

impl InFlight {
    /// Enters a key, or finds the order it is in use for.
    pub(super) fn enter(
        &self,
        key: KeyInUse,
        lines: &[Line],
        progress: &watch::Receiver<Progress>,
    ) -> Entrance {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.entry(key.clone()) {
            Entry::Occupied(entry) if entry.get().lines == lines => {
                Entrance::Join(entry.get().progress.clone())
            }
            Entry::Occupied(_) => Entrance::Conflict,
            Entry::Vacant(entry) => {
                entry.insert(Entered { lines: lines.to_vec(), progress: progress.clone() });
                Entrance::First(Ticket { keys: self.clone(), key })
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
