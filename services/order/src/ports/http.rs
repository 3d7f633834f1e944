//! The other two services over HTTP.

use std::time::{Duration, Instant};

use ordersys_contract::client::Client;
use ordersys_contract::reservation::{Answer, Operation};
use ordersys_contract::user::{Lookup, UserSummary};
use ordersys_contract::{ClientError, MAX_INTERNAL_BODY_BYTES, TraceParent};
use rustix::io::Errno;

use super::{Asked, Inventory, PortError, UserQuery, Users};

/// The shortest time limit of a call: with less, not even a healthy service could answer.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);

/// Reaches a service through the typed client. Give batchers that must not hinder each other a
/// client, and so a connection pool, each.
#[derive(Debug, Clone)]
pub struct HttpPort(pub Client);

impl HttpPort {
    /// A client whose calls end at `until`, and tell the other side so.
    fn until(&self, until: Instant) -> Client {
        let left = until.saturating_duration_since(Instant::now()).max(MIN_TIMEOUT);
        self.0.clone().with_deadline_in(left).with_answer_limit(MAX_INTERNAL_BODY_BYTES)
    }
}

impl Users for HttpPort {
    fn lookup(&self, queries: Vec<UserQuery>, until: Instant) -> Asked<'_, Vec<Option<UserSummary>>> {
        Box::pin(async move {
            let lookup = batch(queries);
            let client = self.until(until).with_trace_parent(first(lookup.trace_parents.iter().copied()));
            client.lookup(&lookup).await.map_err(|error| no_answer(&error))
        })
    }
}

impl Inventory for HttpPort {
    fn apply(&self, operations: Vec<Operation>, until: Instant) -> Asked<'_, Vec<Answer>> {
        Box::pin(async move {
            let parent = first(operations.iter().map(|operation| operation.trace_parent));
            let client = self.until(until).with_trace_parent(parent);
            client.reservations(operations).await.map_err(|error| no_answer(&error))
        })
    }
}

/// The body of a call that looks up many users.
#[must_use]
pub fn batch(queries: Vec<UserQuery>) -> Lookup {
    let traced = queries.iter().any(|query| query.trace_parent.is_some());
    let trace_parents = queries.iter().filter(|_| traced).map(|query| query.trace_parent).collect();
    let (ids, request_ids) = queries.into_iter().map(|query| (query.user, query.request)).unzip();
    Lookup { ids, request_ids, trace_parents }
}

/// A call for many can be part of one trace only: that of the first that has one. In those of the
/// others, what is done for them is seen, and linked to the call.
fn first(mut parents: impl Iterator<Item = Option<TraceParent>>) -> Option<TraceParent> {
    parents.find_map(|parent| parent)
}

/// What this process lacks, if that is why a call failed.
fn lacking(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let system = causes.filter_map(|error| error.downcast_ref::<std::io::Error>());
    system.filter_map(Errno::from_io_error).find_map(|errno| match errno {
        Errno::MFILE | Errno::NFILE => Some("open files"),
        Errno::ADDRNOTAVAIL => Some("local ports"),
        Errno::NOMEM | Errno::NOBUFS => Some("memory"),
        _ => None,
    })
}

/// What a failed call says of the other side. It is logged in full where a breaker opens.
fn no_answer(error: &ClientError) -> PortError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    tracing::warn!(service = crate::NAME, error = text, "a call to another service failed");
    let status = match error {
        ClientError::Refused { problem } => Some(problem.code.status()),
        ClientError::BadAnswer { status, .. } => Some(*status),
        ClientError::Unreachable { .. } | ClientError::TimedOut { .. } => None,
    };
    if let Some(what) = lacking(error) {
        return PortError::Lacking(what);
    }
    let refused = status.is_some_and(|status| status.is_client_error());
    if refused { PortError::Refused(text) } else { PortError::NoAnswer(text) }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_this_process_lacks_is_not_taken_for_a_silent_service() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot connect")]
        struct Failed(#[source] io::Error);
        let of = |errno: Errno| lacking(&Failed(errno.into()));
        assert_eq!((of(Errno::MFILE), of(Errno::NFILE)), (Some("open files"), Some("open files")));
        assert_eq!((of(Errno::ADDRNOTAVAIL), of(Errno::NOBUFS)), (Some("local ports"), Some("memory")));
        assert_eq!((of(Errno::CONNREFUSED), of(Errno::CONNRESET), of(Errno::TIMEDOUT)), (None, None, None));
    }
}
