//! Limits of the generator's own machine. The one on file descriptors is checked and raised before a run; a
//! run that meets one measures the limit.

use crate::cli::{Exit, Failure, Outcome};

/// Descriptors the process needs besides its connections.
const RESERVE: u64 = 128;

/// How connections are counted that the generator's own machine refuses.
pub(super) const REACHED: &str = "local-limit";

/// Whether a connection fails for want of something of the generator's machine: descriptors, ports, buffers.
#[must_use]
pub(super) fn is_reached(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    if let Some(error) = rustix::io::Errno::from_io_error(error) {
        use rustix::io::Errno;
        return matches!(error, Errno::MFILE | Errno::NFILE | Errno::ADDRNOTAVAIL | Errno::NOBUFS);
    }
    error.kind() == std::io::ErrorKind::AddrNotAvailable
}

/// Makes room for so many connections, or says how much is missing.
pub(super) fn make_room(connections: u32) -> Outcome {
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
    fn what_the_generators_machine_lacks_is_told_from_what_the_system_refuses() {
        use rustix::io::Errno;
        let is_reached = |error: Errno| is_reached(&error.into());
        assert!([Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL].into_iter().all(is_reached));
        assert!(![Errno::CONNREFUSED, Errno::TIMEDOUT, Errno::CONNRESET].into_iter().any(is_reached));
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
