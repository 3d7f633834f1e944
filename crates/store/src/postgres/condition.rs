//! Whether the database can be reached and written, as the store's sessions saw it last.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What keeps a store from its work.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// No server that can be written answers.
    Unreachable(String),
    /// The server's disk is full.
    Full(String),
}

/// The condition of one store; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Reachability {
    name: &'static str,
    address: Arc<str>,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl Reachability {
    pub(crate) fn new(name: &'static str, address: &str) -> Self {
        Self { name, address: address.into(), trouble: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sentence for any reader, if something is the matter.
    pub(crate) fn reason(&self) -> Option<String> {
        self.lock().as_ref().map(|trouble| match trouble {
            Trouble::Unreachable(why) => {
                format!("no server of the database {} can be written: {why}", self.address)
            }
            Trouble::Full(_) => format!("the disk of the database {} is full", self.address),
        })
    }

    fn notice(&self, trouble: Trouble) {
        let mut now = self.lock();
        let is_same =
            now.as_ref().is_some_and(|now| std::mem::discriminant(now) == std::mem::discriminant(&trouble));
        *now = Some(trouble);
        drop(now);
        if let Some(reason) = self.reason().filter(|_| !is_same) {
            tracing::error!(store = self.name, "{reason}");
        }
    }

    pub(crate) fn unreachable(&self, why: &str) {
        self.notice(Trouble::Unreachable(why.to_owned()));
    }

    pub(crate) fn full(&self, why: &str) {
        self.notice(Trouble::Full(why.to_owned()));
    }

    /// A server that can be written was found. Whether there is room on its disk is not known by that.
    pub(crate) fn found(&self) {
        if matches!(*self.lock(), Some(Trouble::Unreachable(_))) {
            self.reached();
        }
    }

    /// Something was written.
    pub(crate) fn reached(&self) {
        if self.lock().take().is_some() {
            tracing::info!(store = self.name, "the database can be written again");
        }
    }
}
