//! Why a store does not open or does not do what it was asked.

mod open;

use std::sync::Arc;
use std::time::Duration;

use ordersys_contract::{Code, Problem};

use crate::database::fault::Fault;
use crate::postgres::Failed;

pub use open::OpenError;

/// When it makes sense to ask a store again that has to be restored first.
const RESTORING: Duration = Duration::from_mins(1);

/// Why a command or query did not happen. In every case but [`StoreError::Unknown`] nothing of it was written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Too many callers are waiting.
    #[error("the store's queue is full")]
    Overloaded,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// Another program holds the lock of the database.
    #[error("another program holds the lock of the database")]
    Busy,
    /// The system does not let the database be written.
    #[error("the database cannot be written")]
    Unwritable,
    /// What is stored cannot be read, or makes no sense.
    #[error("the database is damaged")]
    Damaged,
    /// There is no memory.
    #[error("there is no memory for it")]
    Memory,
    /// No server of the database can be reached, or none of them can be written.
    #[error("no server of the database can be written: {0}")]
    Unreachable(Arc<str>),
    /// The session with the database was lost while it committed: it may have been written or not.
    #[error("the database was lost while it committed: {0}")]
    Unknown(Arc<str>),
    /// The store was closed.
    #[error("the store is closed")]
    Stopped,
    /// Its caller's deadline passed before it began.
    #[error("the deadline passed; nothing was done")]
    Late,
    /// A new row has the key of another one.
    #[error("the key is taken")]
    Taken,
    /// A statement failed: a mistake of ours.
    #[error("a statement failed: {0}")]
    Statement(String),
}

impl StoreError {
    pub(crate) fn from_statement(error: &rusqlite::Error) -> Self {
        match Fault::of(error) {
            Fault::Full => Self::Full,
            Fault::Busy => Self::Busy,
            Fault::Unwritable | Fault::Broken | Fault::Unknown => Self::Unwritable,
            Fault::Damaged => Self::Damaged,
            Fault::Memory => Self::Memory,
            Fault::Taken => Self::Taken,
            Fault::Statement => Self::Statement(error.to_string()),
        }
    }
}

impl StoreError {
    pub(crate) fn from_failed(failed: &Failed) -> Self {
        use crate::postgres::PgFault as Fault;
        match failed {
            Failed::Unreachable(why) => Self::Unreachable(why.as_str().into()),
            Failed::Unknown(why) => Self::Unknown(why.as_str().into()),
            Failed::Refused(fault, error) => match fault {
                Fault::Full => Self::Full,
                Fault::Damaged => Self::Damaged,
                Fault::Lost | Fault::Exhausted => Self::Unreachable(error.to_string().into()),
                Fault::Contended => Self::Busy,
                Fault::Statement => Self::Statement(error.to_string()),
            },
        }
    }
}

impl From<&StoreError> for Problem {
    /// What clients read. A mistake of ours is logged here and not answered.
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::new(Code::Overloaded, "too many requests are waiting"),
            StoreError::Full => Self::new(Code::StorageFull, "the disk is full; nothing was written"),
            StoreError::Busy => Self::new(
                Code::StorageBusy,
                "another program holds the lock of the stored data; nothing was written",
            ),
            StoreError::Unwritable => {
                Self::new(Code::StorageUnwritable, "the stored data cannot be written; nothing was written")
            }
            StoreError::Damaged => {
                Self::new(Code::StorageDamaged, "the stored data is damaged; nothing was written")
                    .retry_in(RESTORING)
            }
            StoreError::Unreachable(_) => Self::new(
                Code::StorageUnwritable,
                "no server of the database can be written; nothing was written",
            ),
            StoreError::Unknown(_) => Self::new(
                Code::OutcomeUnknown,
                "the database was lost while it committed: repeat the request with the same Idempotency-Key",
            ),
            StoreError::Memory => Self::new(Code::Overloaded, "memory is short; nothing was written"),
            StoreError::Late => Self::new(Code::DeadlinePassed, error.to_string()),
            StoreError::Stopped => Self::new(Code::Unavailable, "the service is stopping"),
            StoreError::Taken => {
                tracing::error!(%error, "a row cannot be written");
                Self::new(Code::Internal, "an internal error")
            }
            StoreError::Statement(statement) => {
                tracing::error!(error = statement, "a statement failed");
                Self::new(Code::Internal, "an internal error")
            }
        }
    }
}
