//! Limits of the generator's own machine: a run that meets one measures the limit.

/// How connections are counted that the generator's own machine refuses.
pub const REACHED: &str = "local-limit";

/// Whether a connection fails for want of something of the generator's machine: descriptors, ports, buffers.
#[must_use]
pub fn is_reached(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    if let Some(error) = rustix::io::Errno::from_io_error(error) {
        use rustix::io::Errno;
        return matches!(error, Errno::MFILE | Errno::NFILE | Errno::ADDRNOTAVAIL | Errno::NOBUFS);
    }
    error.kind() == std::io::ErrorKind::AddrNotAvailable
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_the_generators_machine_lacks_is_told_from_what_the_system_refuses() {
        use rustix::io::Errno;
        let is_reached = |error: Errno| is_reached(&error.into());
        assert!([Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL].into_iter().all(is_reached));
        assert!(![Errno::CONNREFUSED, Errno::TIMEDOUT, Errno::CONNRESET].into_iter().any(is_reached));
    }
}
