//! A service that does not answer: what `status` knows of it is said instead of what the network said, and nobody
//! waits for a service that stands still.

use std::time::Duration;

use ordersys_contract::client::{Doubt, Knowing};
use ordersys_contract::{ClientError, Code};
use tokio::time::sleep;

use crate::cli::{Globals, block_on};
use ordersys_command::{Exit, Failure};
use ordersys_stack::model::project::Project;
use ordersys_stack::ops::status::{ServiceStatus, State, StatusReport, status};
use ordersys_supervisor::Obstacle;

/// How long a call goes on before its service is looked at.
const DOUBT_AFTER: Duration = Duration::from_secs(1);
/// What to do where services that were named do not answer.
const ELSEWHERE: &str =
    "check --user-url, --product-url and --order-url; `ordersys status` shows the project's own services";
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Gives calls up that wait for a service of this project's stack which stands still.
pub(super) fn doubt(globals: &Globals, project: &Project) -> Doubt {
    let (engine, project) = (globals.engine.lookup(), project.clone());
    Doubt::new(move |base| -> Knowing {
        let (engine, project, base) = (engine.clone(), project.clone(), base.to_owned());
        Box::pin(async move {
            sleep(DOUBT_AFTER).await;
            loop {
                let report = status(&engine, &project).await;
                if report.is_ok_and(|report| report.services.iter().any(|it| it.url == base && is_out(it))) {
                    return;
                }
                sleep(LOOK_EVERY).await;
            }
        })
    })
}

/// A failed call in the words of `status`, where the service is one of the project's stack.
pub(super) fn explained(failure: Failure, globals: &Globals) -> Failure {
    if let (None, Some(obstacle)) = (&failure.hint, failure.error.downcast_ref::<Obstacle>()) {
        let hint = obstacle.hint;
        return failure.hint(hint);
    }
    let Some(error) = failure.error.downcast_ref::<ClientError>() else { return failure };
    let (called, said) = match error {
        ClientError::Unreachable { url, source } => (Some(url.clone()), innermost(source)),
        ClientError::TimedOut { url } => (Some(url.clone()), "no answer in time".to_owned()),
        ClientError::Refused { problem } if problem.code == Code::DependencyDown => (None, String::new()),
        ClientError::Refused { .. } | ClientError::BadAnswer { .. } => return failure,
    };
    let around =
        Some(failure.error.to_string()).filter(|text| *text != error.to_string() || called.is_none());
    let looked =
        globals.project().map(|project| block_on(async { status(&globals.engine.lookup(), &project).await }));
    let report = match looked {
        Ok(Ok(report)) => Some(report),
        Ok(Err(nothing)) if nothing.exit == Exit::NotFound && is_own(globals) => return nothing,
        _ => None,
    };
    let service = report.as_ref().and_then(|report| culprit(report, called.as_deref()));
    let (what, hint) = match (service, called) {
        (Some(service), _) => told(service, &said),
        (None, Some(url)) => (format!("{url} gave no answer: {said}"), ELSEWHERE.to_owned()),
        (None, None) => return failure,
    };
    let error = anyhow::anyhow!(what);
    let error = match around {
        Some(around) => error.context(around),
        None => error,
    };
    let hint = match failure.hint.filter(|hint| hint.contains("--key")) {
        Some(other) => format!("{hint}; {other}"),
        None => hint,
    };
    Failure { error, hint: Some(hint), ..failure }
}

/// Whether no other services than the project's were named.
fn is_own(globals: &Globals) -> bool {
    [&globals.user_url, &globals.product_url, &globals.order_url].iter().all(|urls| urls.is_empty())
}

/// The service that was called, or the one that another one misses.
fn culprit<'a>(report: &'a StatusReport, called: Option<&str>) -> Option<&'a ServiceStatus> {
    let is_called = |service: &&ServiceStatus| match called {
        Some(url) => {
            url.strip_prefix(&service.url).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        None => is_out(service) || service.state == State::Restarting,
    };
    report.services.iter().find(is_called)
}

/// Whether a service cannot answer until somebody does something.
fn is_out(service: &ServiceStatus) -> bool {
    matches!(service.state, State::Paused | State::Cut | State::Stopped | State::Missing)
}

/// What is the matter with a service, and what to do.
fn told(service: &ServiceStatus, said: &str) -> (String, String) {
    let name = service.name;
    let port = service.url.rsplit(':').next().unwrap_or_default();
    let ended = service.reason.as_ref().map_or_else(String::new, |how| format!(", {how}"));
    match service.state {
        State::Stopped | State::Missing => (
            format!("the {name} service is stopped (port {port}, connection refused{ended})"),
            "`ordersys up` starts it".to_owned(),
        ),
        State::Paused => (
            format!("the {name} service is paused (port {port})"),
            format!("`ordersys chaos resume {name}` lets it go on"),
        ),
        State::Cut => (
            format!("the {name} service is cut off the network (port {port})"),
            format!("`ordersys chaos heal {name}` puts it back"),
        ),
        State::Restarting => (
            format!("the {name} service has ended and is started again (port {port}{ended})"),
            format!("try again in a moment; `ordersys logs {name}` shows why it ended"),
        ),
        State::Unready => (
            format!("the {name} service is not ready (port {port}{ended})"),
            format!("`ordersys logs {name}` shows what it is doing"),
        ),
        State::Ready | State::Degraded | State::Unwatched => (
            format!("the {name} service gave no answer (port {port}, {said})"),
            format!("try again; `ordersys logs {name}` shows what it is doing"),
        ),
    }
}

/// The last cause, without what only the system's programmers know it by.
fn innermost(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let text = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}
