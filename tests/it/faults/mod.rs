//! What goes wrong around the services: killed processes, peers that fail, disks that are full, files that are damaged.

mod bad_peers;
mod chaos;
mod crash;
mod resilience;
mod several_addresses;
pub(crate) mod storage;
