//! What the supervisor says about its own work, in the form of every service's log.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ordersys_contract::Timestamp;
use serde_json::json;

use crate::supervisor::output::Log;

/// A log larger than this gives way to a new one.
const MAX_JOURNAL_BYTES: u64 = 4 * 1024 * 1024;

/// The supervisor's log.
#[derive(Debug)]
pub(crate) struct Journal(Mutex<Log>);

/// How much an entry matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// As it should be.
    Info,
    /// Worth a look.
    Warn,
}

impl Journal {
    pub(crate) fn new(path: &Path) -> Self {
        Self(Mutex::new(Log::new(path, "supervisor", MAX_JOURNAL_BYTES)))
    }

    /// Notes what happened to a service, or to the supervisor itself.
    pub(crate) fn note(&self, weight: Weight, child: Option<&str>, message: &str) {
        let level = match weight {
            Weight::Info => "INFO",
            Weight::Warn => "WARN",
        };
        let mut line = json!({"timestamp": Timestamp::now(), "level": level, "service": "supervisor", "message": message});
        if let Some(child) = child {
            line["child"] = child.into();
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(format!("{line}\n").as_bytes());
    }
}
