//! The stack as containers of a Docker engine. The only user of bollard: its types stay in here.

#[cfg(test)]
mod compose_tests;
pub(crate) mod container;
pub(crate) mod engine;
pub(crate) mod image;
pub(crate) mod labels;
pub(crate) mod member;
pub(crate) mod network;
pub(crate) mod observe;
pub(crate) mod owner;
pub(crate) mod resources;
pub(crate) mod stack;
pub(crate) mod teardown;
pub(crate) mod undo;
pub(crate) mod volumes;

pub(crate) use crate::docker::container::cgroup::processes_in;
pub(crate) use crate::docker::container::faults::Containers;
pub use crate::docker::container::logs::ContainerLog;
pub use crate::docker::container::logs::{ContainerLine, Lines, Reading};
pub(crate) use crate::docker::container::memory::add_known as add_known_memory;
pub use crate::docker::engine::discover::discover;
pub use crate::docker::engine::discover_error::DiscoverError;
pub use crate::docker::engine::endpoints::{Candidate, Candidates, Lookup, Tls};
pub use crate::docker::engine::error::{EngineError, EngineSaid};
pub use crate::docker::engine::{Api, Engine};
pub use crate::docker::observe::port_owner;
pub(crate) use crate::docker::owner::{check_owner, check_volumes};
pub(crate) use crate::docker::stack::DockerStack;
pub(crate) use crate::docker::teardown::{ProjectSweep, projects_of, remove_unused_images};

/// The user and group services run as in their containers; no account on the machine has them.
const USER_ID: u64 = 65_532;
const GROUP_ID: u64 = USER_ID;
/// Where the data volumes are mounted.
const DATA_DIR: &str = "/data";
/// Where the volume of credentials is mounted.
const SECRETS_DIR: &str = "/run/ordersys/secrets";

/// The machine a static Linux program is for, in Go's words, or why it cannot be an image.
pub fn machine_of(program: &[u8]) -> Result<&'static str, String> {
    image::elf::inspect(program).map(image::elf::Machine::name).map_err(|error| error.to_string())
}
