//! The orchestrator: desired and observed state, a pure plan between them, and its application.

pub mod command;
pub mod observed;
pub mod plan;
pub mod ports;
pub mod process;
pub mod project;
pub mod record;
pub mod role;
pub mod spec;
