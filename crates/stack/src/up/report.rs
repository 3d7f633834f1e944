//! What `up` tells: what was done with each resource and why, the services, and where the time went.

use serde::Serialize;

use crate::ops::status::StatusReport;
use crate::plan::{Cause, Plan, Resource, Step};
use crate::up::timeline::{Span, Timeline};
use ordersys_command::Events;

/// What is done with each resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes(pub Vec<Change>);

/// What is done with one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which.
    pub resource: Resource,
    /// What is done, e.g. `create`.
    pub action: &'static str,
    /// The same once it is done, e.g. `created`.
    #[serde(skip)]
    pub done: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

impl Changes {
    /// What a plan does.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let change = |step: &Step| Change {
            resource: step.resource.clone(),
            action: step.action.verb(),
            done: step.action.done(),
            cause: step.action.cause().cloned(),
        };
        Self(plan.steps.iter().map(change).collect())
    }

    /// Says what was done, a line for each resource.
    pub(crate) fn say(&self, events: &Events) {
        for change in &self.0 {
            let because = match &change.cause {
                Some(Cause::NotThere) | None => String::new(),
                Some(cause) => format!(" because: {cause}"),
            };
            events.say(format!("{:<9} {}{because}", change.done, change.resource));
        }
    }
}

/// What [`up`](crate::up()) did.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpReport {
    /// The services.
    #[serde(flatten)]
    pub status: StatusReport,
    /// Why they run where they do.
    pub runtime_reason: String,
    /// What was done with each resource.
    pub changes: Changes,
    /// How long it took.
    pub seconds: f64,
    /// The steps that made it take that long.
    pub critical_path: Vec<Span>,
}

impl UpReport {
    pub(crate) fn new(
        runtime_reason: String,
        changes: Changes,
        status: StatusReport,
        timeline: &Timeline,
    ) -> Self {
        let seconds = (timeline.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        Self { status, runtime_reason, changes, seconds, critical_path: timeline.critical_path() }
    }
}
