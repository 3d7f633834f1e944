//! The orchestrator: desired and observed state, a pure plan between them, and its application.

pub mod logs;
pub mod process;
pub mod project;
pub mod record;
pub mod role;
