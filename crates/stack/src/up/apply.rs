//! Carries a plan out on either runtime: make everything, then start in waves, each wave once the one
//! before is ready.

use futures_util::future::join_all;

use crate::model::observed::{Condition, Observed};
use crate::model::spec::{ServiceSpec, StackSpec};
use crate::plan::{Action, Plan};
use crate::runtime::Runtime;
use crate::up::error::UpError;
use crate::up::readiness::until_ready;
use crate::up::timeline::Timeline;
use ordersys_command::Progress;
use ordersys_command::{Cancellation as Halt, Cancelled as Halted};

/// What is to be done, and what it is done with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work<'a> {
    /// The steps.
    pub(crate) plan: &'a Plan,
    /// The stack as it should be.
    pub(crate) stack: &'a StackSpec,
    /// What was there before.
    pub(crate) observed: &'a Observed,
    /// Where the time goes.
    pub(crate) timeline: &'a Timeline,
    /// When to stop.
    pub(crate) halt: &'a Halt,
}

/// What a look at a container or process shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// What it is doing.
    pub(crate) condition: Condition,
    /// How often it was restarted.
    pub(crate) restarts: u64,
}

/// Carries the plan out. Returns when every service is ready.
pub(crate) async fn apply(runtime: &Runtime, work: &Work<'_>, progress: &Progress) -> Result<(), UpError> {
    if !work.plan.changes_nothing() {
        progress.message("making what is not there");
    }
    runtime.prepare(work).await?; // also with nothing to do: the supervisor of processes may be gone
    for wave in work.stack.waves() {
        let names: Vec<&str> = wave.iter().map(|spec| spec.name.name()).collect();
        progress.message(format!("waiting for {}", names.join(", ")));
        let services = wave.iter().map(|spec| async {
            let result = bring_up(runtime, work, spec).await;
            if result.is_err() {
                work.halt.stop(Halted::Failed); // the others need not go on
            }
            result
        });
        // Joined, not raced: a call to the engine that is under way must not outlive the roll-back.
        UpError::first(join_all(services).await)?;
    }
    Ok(())
}

async fn bring_up(runtime: &Runtime, work: &Work<'_>, spec: &ServiceSpec) -> Result<(), UpError> {
    work.halt.check()?;
    let kept = matches!(work.plan.for_service(spec.name), Some(Action::Keep(_)));
    if !kept {
        work.timeline.during(format!("start {}", spec.name), runtime.start(spec.name)).await?;
    }
    work.timeline.during(format!("{} ready", spec.name), until_ready(runtime, work, spec)).await
}
