//! The one integration test binary: everything through the front door, real services on free
//! ports, real connections. A folder for each subject.

mod accounts;
mod api;
mod bench;
mod database;
mod docs;
mod faults;
mod orders;
#[cfg(target_os = "linux")]
mod output;
mod stack;
