//! The measurements, a file each: what takes turns, the table, and the limits that its figures have to keep.

pub(crate) mod accounts;
pub(crate) mod footprint;
pub(crate) mod growth;
pub(crate) mod logging;
pub(crate) mod memory;
pub(crate) mod orchestrator;
pub(crate) mod overload;
pub(crate) mod record;
pub(crate) mod store;
pub(crate) mod variants;
