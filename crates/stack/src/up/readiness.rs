//! Waits until a service is ready: asks it directly every few milliseconds, and watches at the same
//! time that its container or process lives. The engine's own health probes are far too slow for this.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::model::observed::Condition;
use crate::model::spec::ServiceSpec;
use crate::plan::Action;
use crate::runtime::Runtime;
use crate::up::apply::Work;
use crate::up::error::{LogTail, UpError};
use ordersys_command::Cancelled as Halted;
use ordersys_supervisor::{Answer, Probe};

/// Pause between two questions.
const ASK_EVERY: Duration = Duration::from_millis(15);
/// Most time for one answer.
const ASK_LIMIT: Duration = Duration::from_secs(1);
/// Pause between two looks at the container or process.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Lines of its log an error shows.
const LOG_LINES: usize = 20;

/// Waits until every role of a service is ready, or it is clear that it will not be.
pub(crate) async fn until_ready(
    runtime: &Runtime,
    work: &Work<'_>,
    spec: &ServiceSpec,
) -> Result<(), UpError> {
    let urls = spec.ready_urls(runtime.host());
    let mut last = Answer::Silent;
    let asked = async {
        for url in &urls {
            let probe: Probe = url.parse()?;
            ask_until_ready(&probe, &mut last).await;
        }
        Ok::<(), anyhow::Error>(())
    };
    let halted = tokio::select! {
        ready = asked => return Ok(ready?),
        ended = until_ended(runtime, work, spec) => return Err(ended),
        halted = work.halt.stopped() => halted,
    };
    if halted != Halted::TimedOut {
        return Err(halted.into());
    }
    let log = log_tail(runtime, spec).await;
    let last_answer = answer_text(last, reason(&urls).await);
    Err(UpError::NotReady { service: spec.name, waited: work.halt.limit(), last_answer, log })
}

pub(crate) async fn ask_until_ready(probe: &Probe, last: &mut Answer) {
    loop {
        let asked = Instant::now();
        *last = probe.ask(ASK_LIMIT).await;
        if *last == Answer::Ready {
            return;
        }
        sleep(ASK_EVERY.saturating_sub(asked.elapsed())).await;
    }
}

fn answer_text(answer: Answer, reason: Option<String>) -> String {
    match (answer, reason) {
        (Answer::Ready, _) => "another of its roles did not answer".to_owned(),
        (Answer::NotReady(_), Some(reason)) => reason,
        (Answer::NotReady(status), None) => format!("it answers {status}"),
        (Answer::Silent, _) => "it does not answer".to_owned(),
    }
}

/// Why the service says that it is not ready.
async fn reason(urls: &[String]) -> Option<String> {
    for url in urls {
        let said = url.parse::<Probe>().ok()?.readiness(ASK_LIMIT).await;
        if let Some(reason) = said.and_then(|said| said.reason) {
            return Some(reason);
        }
    }
    None
}

/// Waits until the service has ended, or was started again because it had.
async fn until_ended(runtime: &Runtime, work: &Work<'_>, spec: &ServiceSpec) -> UpError {
    let restarts_before = match work.plan.for_service(spec.name) {
        Some(Action::Keep(id) | Action::Start(id, _)) => {
            work.observed.services.iter().find(|now| now.id == *id).map_or(0, |now| now.facts.restarts)
        }
        Some(Action::Create(_) | Action::Recreate(..) | Action::Remove(..)) | None => 0,
    };
    loop {
        sleep(LOOK_EVERY).await;
        let how = match runtime.look(spec.name).await {
            Err(error) => return error,
            Ok(None) => "it is gone".to_owned(),
            Ok(Some(look)) => match look.condition {
                Condition::Exited(how) | Condition::Restarting(how) => how,
                Condition::Dead => "its container is dead".to_owned(),
                _ if look.restarts > restarts_before => "and was started again".to_owned(),
                Condition::Created
                | Condition::Running
                | Condition::Paused
                | Condition::Cut
                | Condition::Unwatched => continue,
            },
        };
        return UpError::Ended { service: spec.name, how, log: log_tail(runtime, spec).await };
    }
}

async fn log_tail(runtime: &Runtime, spec: &ServiceSpec) -> LogTail {
    LogTail(runtime.last_log_lines(spec.name, LOG_LINES).await)
}
