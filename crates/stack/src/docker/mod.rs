//! The stack as containers of a Docker engine, in the terms plans are carried out in. The engine's crate does the work.

#[cfg(test)]
mod compose_tests;
pub(crate) mod member;
pub(crate) mod observe;
pub(crate) mod owner;
pub(crate) mod resources;
pub(crate) mod spec;
pub(crate) mod stack;

pub(crate) use crate::docker::observe::{add_known_memory, projects_of};
pub(crate) use crate::docker::owner::{check_owner, check_volumes};
pub(crate) use crate::docker::stack::DockerStack;
