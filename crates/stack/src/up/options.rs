//! What `up` is asked for.

use std::path::PathBuf;
use std::time::Duration;

use crate::plan::ImagePolicy;
use crate::up::wanted::Wanted;
use ordersys_engine::Lookup;

/// What `up` is asked for.
#[derive(Debug, Clone)]
pub struct UpOptions {
    /// What the stack is to be like.
    pub wanted: Wanted,
    /// What counts where nothing is wanted.
    pub memory: Memory,
    /// How engines are looked for.
    pub engine: Lookup,
    /// The program services run, if not this one.
    pub binary: Option<PathBuf>,
    /// Whether the image is loaded anew.
    pub image: ImagePolicy,
    /// How long it may take, from the lock on.
    pub timeout: Duration,
    /// What happens when it fails.
    pub on_failure: OnFailure,
}

/// What becomes of what the project was started with last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Memory {
    /// It counts where nothing else is wanted.
    #[default]
    Keep,
    /// It is forgotten: the defaults count.
    Forget,
}

/// What happens to what a failed run made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// It is removed, and what it replaced comes back.
    #[default]
    RollBack,
    /// It stays, for a look.
    Keep,
}

impl UpOptions {
    /// The defaults of the command line.
    #[must_use]
    pub fn new(engine: Lookup) -> Self {
        Self {
            wanted: Wanted::default(),
            memory: Memory::Keep,
            engine,
            binary: None,
            image: ImagePolicy::WhenMissing,
            timeout: Duration::from_mins(1),
            on_failure: OnFailure::RollBack,
        }
    }
}
