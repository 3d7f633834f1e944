//! The orchestrator: desired and observed state, a pure plan between them, and its application.

pub(crate) mod docker;
pub mod model;
pub mod ops;
pub mod plan;
pub mod ports;
pub(crate) mod process;
pub mod runtime;
pub mod state;
pub mod up;

pub use crate::ops::down::{AllRemoved, DataPolicy, Removed, down, down_all};
pub use crate::ops::status::{StatusReport, status};
pub use crate::ports::{PortChoices, PortFlag};
pub use crate::up::report::Changes;
pub use crate::up::select::RuntimeChoice;
pub use crate::up::wanted::Wanted;
pub use crate::up::{Memory, OnFailure, UpOptions, preview, up};
