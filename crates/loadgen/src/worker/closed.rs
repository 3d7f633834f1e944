//! The closed loop: each connection sends when its last request is answered.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::worker::virtual_user::VirtualUser;
use ordersys_workload::model::schedule::Share;

/// How many requests that count are left, for all threads of a run that ends by count.
#[derive(Debug, Clone)]
pub(crate) struct Quota(Arc<AtomicI64>);

impl Quota {
    /// So many requests.
    #[must_use]
    pub(crate) fn new(count: u64) -> Self {
        Self(Arc::new(AtomicI64::new(i64::try_from(count).unwrap_or(i64::MAX))))
    }

    /// Whether there was one left; takes it.
    #[must_use]
    pub(crate) fn take(&self) -> bool {
        // Goes below zero by at most one for each connection, since each stops at the first refusal.
        self.0.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

/// Whose turn it is among the connections of one thread.
#[derive(Debug)]
pub(crate) struct Turns {
    share: Share,
    next: Cell<u64>,
    quota: Option<Quota>,
}

impl Turns {
    /// The turns of one thread.
    #[must_use]
    pub(crate) fn new(share: Share, quota: Option<Quota>) -> Self {
        Self { share, next: Cell::new(0), quota }
    }

    fn number(&self) -> u64 {
        let local = self.next.get();
        self.next.set(local + 1);
        self.share.number(local)
    }
}

/// Sends order after order until the run is over.
pub(crate) async fn run(mut user: VirtualUser, turns: Rc<Turns>) {
    loop {
        let (now, window) = (user.state().clock.now(), user.state().task.timeline.window);
        if now >= window.closes {
            return;
        }
        if window.counts(now) && turns.quota.as_ref().is_some_and(|quota| !quota.take()) {
            return;
        }
        let scheduled = user.state().plan(turns.number(), now, now);
        user.send(scheduled).await;
    }
}
