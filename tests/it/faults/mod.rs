//! What goes wrong around the services: killed processes, peers that fail, disks that are full, files that are damaged.

mod bad_peers;
mod chaos;
mod crash;
mod resilience;
pub(crate) mod storage;
