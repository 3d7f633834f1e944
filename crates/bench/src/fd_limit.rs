//! The limit on open files, checked and raised before a run: a run that meets it measures the limit.

use ordersys_command::{Exit, Failure, Outcome};

/// Descriptors the process needs besides its connections.
const RESERVE: u64 = 128;

/// Makes room for so many connections, or says how much is missing.
pub(crate) fn make_room(connections: u32) -> Outcome {
    let needed = u64::from(connections) + RESERVE;
    match raise_to(needed) {
        Ok(()) => Ok(()),
        Err(limit) => Err(Failure::new(
            Exit::Environment,
            format!(
                "{connections} connections need {needed} file descriptors, this process may have {limit}"
            ),
        )
        .hint(format!("raise the limit with `ulimit -n {needed}`, or use a smaller --concurrency"))),
    }
}

/// Raises the limit as far as needed; the limit in force where that is not allowed.
#[cfg(unix)]
fn raise_to(needed: u64) -> Result<(), u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current.filter(|current| *current < needed) else {
        return Ok(());
    };
    let highest = limit.maximum.unwrap_or(u64::MAX);
    let wanted = Rlimit { current: Some(needed), maximum: limit.maximum };
    if needed <= highest && setrlimit(Resource::Nofile, wanted).is_ok() {
        Ok(())
    } else {
        Err(current.max(highest.min(needed - 1)))
    }
}

#[cfg(not(unix))]
fn raise_to(_needed: u64) -> Result<(), u64> {
    Ok(()) // sockets are not file descriptors there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_connections_fit() {
        assert!(make_room(1).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn what_the_system_forbids_is_refused_with_the_number() {
        // Linux caps the hard limit at fs.nr_open, far below this; elsewhere it may be unlimited.
        if rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum.is_some() {
            let failure = make_room(u32::MAX).expect_err("four thousand million connections");
            assert_eq!(failure.exit, Exit::Environment);
            assert!(failure.error.to_string().contains("4294967423"), "{}", failure.error);
        }
    }
}
