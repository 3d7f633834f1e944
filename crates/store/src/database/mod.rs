//! The database as files: found, recognised, opened, watched while it is in use.

pub(crate) mod condition;
pub(crate) mod directory;
pub(crate) mod fault;
pub(crate) mod holders;
pub(crate) mod identity;
pub(crate) mod inspect;
pub(crate) mod open;
pub(crate) mod schema;
pub(crate) mod watch;
