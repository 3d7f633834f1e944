//! The containers of a stack during one run, and how each comes to run.

use crate::model::observed::Condition;

/// The container that serves, or is about to.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) begin: Begin,
}

/// How a service comes to run.
#[derive(Debug, Clone)]
pub(crate) enum Begin {
    /// It runs.
    Runs,
    /// It is started.
    Start,
    /// It is paused, and goes on.
    Unpause,
    /// It is started in the place of this one, which is stopped first.
    Replace(Replaced),
}

#[derive(Debug, Clone)]
pub(crate) struct Replaced {
    pub(crate) id: String,
    pub(crate) condition: Condition,
}
