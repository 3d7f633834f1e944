//! The one integration test binary: everything through the front door.

mod logs;
#[cfg(unix)]
mod processes;
