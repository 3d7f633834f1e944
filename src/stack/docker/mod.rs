//! The stack as containers of a Docker engine. The only user of bollard: its types stay in here.

mod archive;
#[cfg(test)]
mod compose_tests;
mod container_body;
mod containers;
mod discover;
mod discover_error;
mod elf;
mod engine;
mod error;
mod faults;
mod here;
mod image;
mod labels;
mod logs;
mod lookup;
mod memory;
mod network;
mod observe;
mod owner;
mod project_sweep;
mod stack;
mod surroundings;
mod undo;
mod volumes;

pub use discover::discover;
pub use discover_error::DiscoverError;
pub use engine::{Api, Engine};
pub use error::{EngineError, EngineSaid};
pub(in crate::stack) use faults::Containers;
pub(in crate::stack) use here::processes_in;
pub use logs::ContainerLog;
pub(in crate::stack) use logs::Reading;
pub use lookup::{Candidate, Candidates, Lookup, Tls};
pub(in crate::stack) use memory::add_known as add_known_memory;
pub(in crate::stack) use observe::port_owner;
pub(in crate::stack) use owner::{check_owner, check_volumes};
pub(in crate::stack) use project_sweep::{ProjectSweep, projects_of, remove_unused_images};
pub(in crate::stack) use stack::DockerStack;

/// The user and group services run as in their containers; nobody's on the machine.
const USER_ID: u64 = 65_532;
const GROUP_ID: u64 = USER_ID;
/// Where the data volumes are mounted.
const DATA_DIR: &str = "/data";
/// Where the volume of credentials is mounted.
const SECRETS_DIR: &str = "/run/ordersys/secrets";

/// The machine a static Linux program is for, in Go's words, or why it cannot be an image.
pub(in crate::stack) fn machine_of(program: &[u8]) -> Result<&'static str, String> {
    elf::inspect(program).map(elf::Machine::name).map_err(|error| error.to_string())
}
