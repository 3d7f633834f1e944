//! How many connections fit below the limit of open files, which all files and connections of a process share.
//! The stores and the calls to other services must never run out of it because of clients: they would fail
//! with causes that say nothing of it.

use ordersys_chassis::Capacity;
use ordersys_chassis::http::serve::DEFAULT_CONNECTIONS;

use ordersys_command::{Exit, Failure, Outcome};

/// Files that a process needs besides those of its services: its output, its runtime, name servers, collectors.
const OF_PROCESS: u64 = 64;
/// Files that a service needs besides its clients' connections: its store, its calls to other services,
/// probes, and connections that are about to close.
const OF_SERVICE: u64 = 256;
/// Fewer connections than this make no service.
const LEAST: u64 = 32;

/// Raises the limit of open files as far as the system lets this process, and says how much each of so many
/// services may take on: so many connections as are wanted, or as usual. A limit that is too low is an error.
pub fn capacity(services: u32, wanted: Option<u32>) -> Outcome<Capacity> {
    let limit = raised();
    let fitting = fitting(limit, services);
    let usual = u64::try_from(DEFAULT_CONNECTIONS).unwrap_or(u64::MAX);
    let (asked, least) = wanted.map_or((usual, LEAST), |wanted| (wanted.into(), wanted.into()));
    if fitting < least {
        return Err(too_low(limit, services, least));
    }
    if fitting < asked {
        tracing::warn!(
            connections = fitting,
            openFiles = limit,
            needed = needed(services, asked),
            "the limit of open files allows fewer connections than usual"
        );
    }
    let connections = usize::try_from(fitting.min(asked)).unwrap_or(usize::MAX);
    Ok(Capacity::with_connections(connections))
}

/// How many connections of each service fit below a limit of open files.
fn fitting(limit: u64, services: u32) -> u64 {
    let each = limit.saturating_sub(OF_PROCESS) / u64::from(services.max(1));
    each.saturating_sub(OF_SERVICE)
}

/// The limit of open files below which so many connections of each service fit.
fn needed(services: u32, connections: u64) -> u64 {
    OF_PROCESS + u64::from(services) * (OF_SERVICE + connections)
}

fn too_low(limit: u64, services: u32, connections: u64) -> Failure {
    let needed = needed(services, connections);
    let what = format!(
        "this process may have {limit} open files, and {connections} connections need {needed} with what the \
         service itself opens"
    );
    Failure::new(Exit::Environment, what)
        .hint(format!("raise the limit with `ulimit -n {needed}`, or lower --max-connections"))
}

/// The limit of open files after raising it as far as possible.
#[cfg(unix)]
fn raised() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
fn raised() -> u64 {
    u64::MAX // connections are not files there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_needs_no_more_than_there_is() {
        for services in [1, 3] {
            for limit in [1024, 1025, 4096, 1 << 20] {
                let fitting = fitting(limit, services);
                assert!(needed(services, fitting) <= limit, "{services} {limit}");
                assert!(needed(services, fitting + 1) > limit, "{services} {limit}");
            }
        }
        assert_eq!((fitting(1024, 1), fitting(100, 1), fitting(100, 3)), (704, 0, 0));
        assert!(needed(1, 4096) < 1 << 13);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_number() {
        let refused = too_low(100, 1, LEAST);
        assert_eq!(refused.exit, Exit::Environment);
        assert!(refused.error.to_string().contains("100 open files"), "{}", refused.error);
        assert!(refused.hint.expect("a hint").contains("`ulimit -n 352`"));
    }
}
