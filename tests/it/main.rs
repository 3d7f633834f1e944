//! The one integration test binary: everything through the front door.

#[cfg(unix)]
mod processes;
