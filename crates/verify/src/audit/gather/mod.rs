//! Reads what is judged, page by page, and again what looked wrong while the system went on.

pub(crate) mod failure;
pub(crate) mod read;
pub(crate) mod reread;
pub(crate) mod users;
