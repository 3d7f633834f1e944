//! Cancels work in good order: on Ctrl-C, when its time is over, or when a part of it failed.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why work was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cancelled {
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
pub struct Cancellation {
    token: CancellationToken,
    reason: OnceLock<Cancelled>,
    started: Instant,
    limit: Duration,
}

impl Cancellation {
    /// Not cancelled yet; the work may take this long.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self { token: CancellationToken::new(), reason: OnceLock::new(), started: Instant::now(), limit }
    }

    /// How long the work may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Asks all parts to stop.
    pub fn stop(&self, reason: Cancelled) {
        let _ = self.reason.set(reason); // a later reason changes nothing
        self.token.cancel();
    }

    /// Fails once the work is to stop.
    pub fn check(&self) -> Result<(), Cancelled> {
        match self.reason.get() {
            Some(reason) => Err(*reason),
            None => Ok(()),
        }
    }

    /// Waits until the work is to stop, or its time is over.
    pub async fn stopped(&self) -> Cancelled {
        tokio::select! {
            () = self.token.cancelled() => {}
            () = tokio::time::sleep_until(self.started + self.limit) => self.stop(Cancelled::TimedOut),
        }
        self.reason.get().copied().unwrap_or(Cancelled::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_counts() {
        let cancellation = Cancellation::after(Duration::from_millis(5));
        assert_eq!(cancellation.check(), Ok(()));
        assert_eq!(cancellation.stopped().await, Cancelled::TimedOut);
        cancellation.stop(Cancelled::Interrupted);
        assert_eq!(cancellation.check(), Err(Cancelled::TimedOut));
    }
}
