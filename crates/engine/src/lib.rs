//! A Docker engine: where it is, and what is made, watched and removed in it: images, containers, networks and
//! volumes, found by the labels of a project. It knows no stack: which containers there should be is for the
//! orchestrator to say. The only user of bollard, whose types stay in here.

pub mod container;
pub(crate) mod engine;
pub mod image;
pub mod labels;
pub mod network;
pub mod observe;
pub mod teardown;
pub mod undo;
pub mod volumes;

#[cfg(test)]
mod compose_tests;

pub use crate::engine::discover::discover;
pub use crate::engine::discover_error::DiscoverError;
pub use crate::engine::endpoints::{Lookup, Tls};
pub use crate::engine::error::{EngineError, EngineSaid};
pub use crate::engine::{Api, Engine};

/// The user and group services run as in their containers; no account on the machine has them.
const USER_ID: u64 = 65_532;
const GROUP_ID: u64 = USER_ID;
/// Where the data volumes are mounted: one in a folder for each role.
pub const DATA_DIR: &str = "/data";
/// Where the volume of credentials is mounted.
pub const SECRETS_DIR: &str = "/run/ordersys/secrets";

/// The machine a static Linux program is for, in Go's words, or why it cannot be an image.
pub fn machine_of(program: &[u8]) -> Result<&'static str, String> {
    image::elf::inspect(program).map(image::elf::Machine::name).map_err(|error| error.to_string())
}
