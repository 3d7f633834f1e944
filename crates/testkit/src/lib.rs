//! What tests share: stacks of real services, processes to be killed, the command line on a project of its own,
//! buyers and judges, peers with faults, and a browser.
//!
//! For tests only: no crate that is shipped uses this one. Most of it panics where something goes wrong, and so fails
//! the test that uses it.
#![expect(clippy::missing_panics_doc, reason = "a panic here is a test that fails")]
#![expect(clippy::must_use_candidate, reason = "what a helper returns may be of no interest")]
#![expect(clippy::return_self_not_must_use, reason = "what a helper returns may be of no interest")]

use std::time::Duration;

mod binary;
pub mod browser;
pub mod command;
pub mod crash;
pub mod peers;
mod quiet;
pub mod shop;
pub mod stack;

pub use crate::binary::binary;
pub use crate::command::database::Database;
pub use crate::command::project::{Ended, Project, has_engine, in_words};
pub use crate::crash::processes::Processes;
pub use crate::quiet::{Busy, Quiet, busy, busy_blocking, quiet, quiet_blocking};
pub use crate::shop::order_of;
pub use crate::stack::answer::Answer;
pub use crate::stack::{Limits, Stack};

/// How long a service may take to start, or anything else before it counts as stuck.
pub const LIMIT: Duration = Duration::from_secs(30);
