//! The orchestrator: desired and observed state, a pure plan between them, and its application.

mod apply;
pub mod command;
mod credentials;
pub mod docker;
pub mod doctor;
pub mod down;
pub mod halt;
mod lock;
pub mod logs;
pub mod observed;
pub mod plan;
mod port_check;
mod port_owner;
pub mod ports;
pub mod process;
mod process_stack;
pub mod program;
pub mod project;
mod readiness;
pub mod record;
pub mod role;
mod runtime;
pub mod select;
pub mod spec;
pub mod status;
mod take_back;
pub mod timeline;
pub mod up;
pub mod up_error;
mod up_report;

pub use down::{DataPolicy, Removed, down, down_all};
pub use ports::{PortChoices, PortFlag};
pub use select::RuntimeChoice;
pub use status::{StatusReport, status};
pub use up::{OnFailure, UpOptions, preview, up};
pub use up_report::Changes;
