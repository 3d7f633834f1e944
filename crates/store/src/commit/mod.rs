//! Commands on their way to the disk: queued, run in one transaction, synced together, answered.

pub(crate) mod checkpoint;
pub(crate) mod command;
pub(crate) mod queue;
pub(crate) mod writer;
