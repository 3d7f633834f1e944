//! Stops the work of an `up` in good order: on Ctrl-C, when its time is over, or when a part failed.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why work was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Halted {
    /// Ctrl-C, or a request to terminate.
    #[error("interrupted")]
    Interrupted,
    /// The time given for it is over.
    #[error("not done in time")]
    TimedOut,
    /// Another part of it failed.
    #[error("stopped because another part failed")]
    Failed,
}

/// Asks all parts of a work to stop; the first reason counts.
#[derive(Debug)]
pub struct Halt {
    token: CancellationToken,
    reason: OnceLock<Halted>,
    started: Instant,
    limit: Duration,
}

impl Halt {
    /// Nobody asked yet; the work may take this long.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self { token: CancellationToken::new(), reason: OnceLock::new(), started: Instant::now(), limit }
    }

    /// How long the work may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Asks everybody to stop.
    pub fn stop(&self, reason: Halted) {
        let _ = self.reason.set(reason); // a later reason changes nothing
        self.token.cancel();
    }

    /// Fails once somebody asked to stop.
    pub fn check(&self) -> Result<(), Halted> {
        match self.reason.get() {
            Some(reason) => Err(*reason),
            None => Ok(()),
        }
    }

    /// Waits until somebody asks to stop, or the time is over.
    pub async fn stopped(&self) -> Halted {
        tokio::select! {
            () = self.token.cancelled() => {}
            () = tokio::time::sleep_until(self.started + self.limit) => self.stop(Halted::TimedOut),
        }
        self.reason.get().copied().unwrap_or(Halted::Failed)
    }
}

/// Ctrl-C and requests to terminate, from when it is made on: none is lost between two waits.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on; the signals no longer end this process by themselves.
    #[cfg(unix)]
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Listens from now on; the signals no longer end this process by themselves.
    #[cfg(not(unix))]
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for the next.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Waits for the next Ctrl-C or request to terminate from now on.
pub async fn interrupt() -> std::io::Result<()> {
    Signals::listen()?.next().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_counts() {
        let halt = Halt::after(Duration::from_millis(5));
        assert_eq!(halt.check(), Ok(()));
        assert_eq!(halt.stopped().await, Halted::TimedOut);
        halt.stop(Halted::Interrupted);
        assert_eq!(halt.check(), Err(Halted::TimedOut));
    }
}
