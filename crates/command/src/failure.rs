//! How a command fails: an exit code that scripts can rely on, the causes, and the next step.

use std::fmt::Display;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The operation failed.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// The environment: engine unreachable, port taken, image cannot be made.
    Environment = 3,
    /// What was named does not exist.
    NotFound = 4,
    /// It took too long.
    TimedOut = 5,
    /// A service-level objective was missed.
    ObjectiveMissed = 6,
    /// An invariant was violated.
    InvariantViolated = 7,
    /// The run measured the generator, not the system.
    InvalidRun = 8,
    /// Ctrl-C.
    Interrupted = 130,
}

/// Why a command failed and what to do next.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What failed, with its causes.
    pub error: anyhow::Error,
    /// The next step, if there is one to name.
    pub hint: Option<String>,
}

/// What commands return.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure with this exit code and sentence.
    pub fn new(exit: Exit, what: impl Display) -> Self {
        Self { exit, error: anyhow::anyhow!("{what}"), hint: None }
    }

    /// Two failures as one: the first says how the command ends and what to do first.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self { error: anyhow::anyhow!("{:#}\nand: {:#}", self.error, other.error), ..self }
    }

    /// The same, with a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Failed, error: error.into(), hint: None }
    }
}

/// Gives an error an exit code or a next step where it is returned.
pub trait OrFail<T> {
    /// Ends with this exit code instead of 1.
    fn exit(self, exit: Exit) -> Outcome<T>;
    /// Names the next step.
    fn hint(self, hint: impl Into<String>) -> Outcome<T>;
}

impl<T, E: Into<Failure>> OrFail<T> for Result<T, E> {
    fn exit(self, exit: Exit) -> Outcome<T> {
        self.map_err(|error| Failure { exit, ..error.into() })
    }

    fn hint(self, hint: impl Into<String>) -> Outcome<T> {
        self.map_err(|error| error.into().hint(hint))
    }
}
