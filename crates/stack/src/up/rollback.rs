//! After a failed `up`: the log of what failed is kept, and what the run did is taken back.

use std::error::Error as _;
use std::path::PathBuf;

use crate::model::project::Project;
use crate::model::record::RuntimeKind;
use crate::model::spec::ServiceName;
use crate::runtime::Runtime;
use crate::up::error::UpError;
use ordersys_command::Events;
use ordersys_command::Signals;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_supervisor::files::write_private;

/// Most lines kept of the log of a service that failed.
const KEPT_LOG_LINES: usize = 10_000;

/// Stores the log of a service that failed, before its container goes. That this fails must not keep
/// the run from being taken back.
pub(crate) async fn keep_log(runtime: &Runtime, error: &UpError, project: &Project, events: &Events) {
    let Some(service) = error.service() else { return };
    if runtime.kind() == RuntimeKind::Process {
        return; // logs of processes are files anyway
    }
    match store_log(runtime, service, project).await {
        Ok(path) => events.say(format!("the log of the {service} service is kept in {}", path.display())),
        Err(error) => events.say(format!("the log of the {service} service cannot be kept: {error:#}")),
    }
}

async fn store_log(runtime: &Runtime, service: ServiceName, project: &Project) -> anyhow::Result<PathBuf> {
    let lines = runtime.last_log_lines(service, KEPT_LOG_LINES).await;
    let path = project.dir.join(format!("failed-{service}.log"));
    write_private(&path, lines.join("\n").as_bytes())?;
    Ok(path)
}

/// Takes back what the run did after it failed for `reason`; a second signal breaks that off.
pub(crate) async fn roll_back(
    runtime: &Runtime,
    reason: &UpError,
    signals: &mut Signals,
    events: &Events,
) -> Outcome {
    events.say("rolling back");
    let failure = tokio::select! {
        result = runtime.roll_back() => match result {
            Ok(()) => return Ok(()),
            Err(error) => {
                let failure = error.into_failure();
                Failure { error: failure.error.context("not everything could be taken back"), ..failure }
            }
        },
        () = signals.next() => {
            Failure::new(Exit::Interrupted, "interrupted again, while rolling back")
        }
    };
    events.say(format!("the run itself failed because: {}", in_full(reason)));
    Err(failure.hint("`ordersys down` removes what is left"))
}

/// An error with its causes, on one line.
fn in_full(error: &UpError) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
