//! What `up` tells: what was done with each resource and why, the services, and where the time went.

use serde::Serialize;

use super::plan::{Cause, Plan, Resource, Step};
use super::status::StatusReport;
use super::timeline::{Span, Timeline, duration_text, path_text};
use crate::ui::{Printer, Table};

/// What is done with each resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes(Vec<Change>);

/// What is done with one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Change {
    resource: Resource,
    action: &'static str,
    #[serde(skip)]
    done: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
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
    pub(super) fn say(&self, printer: &Printer) {
        for change in &self.0 {
            let because = match &change.cause {
                Some(Cause::NotThere) | None => String::new(),
                Some(cause) => format!(" because: {cause}"),
            };
            printer.say(format!("{:<9} {}{because}", change.done, change.resource));
        }
    }

    /// Prints what would be done, as data.
    pub fn print(&self, printer: &Printer) {
        printer.data(&self.0, || {
            let mut table = Table::new(["ACTION", "RESOURCE", "BECAUSE"]);
            for change in &self.0 {
                let cause = change.cause.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
                table.row([change.action.to_owned(), change.resource.to_string(), cause]);
            }
            table.to_string()
        });
    }
}

/// What `up` prints at its end.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpReport {
    #[serde(flatten)]
    status: StatusReport,
    runtime_reason: String,
    changes: Changes,
    seconds: f64,
    critical_path: Vec<Span>,
}

impl UpReport {
    pub(super) fn new(
        runtime_reason: String,
        changes: Changes,
        status: StatusReport,
        timeline: &Timeline,
    ) -> Self {
        let seconds = (timeline.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        Self { status, runtime_reason, changes, seconds, critical_path: timeline.critical_path() }
    }

    pub(super) fn print(&self, printer: &Printer) {
        printer.data(self, || {
            let total = duration_text(std::time::Duration::from_secs_f64(self.seconds));
            format!("{}\nup in {total}: {}", self.status.table(), path_text(&self.critical_path))
        });
    }
}
