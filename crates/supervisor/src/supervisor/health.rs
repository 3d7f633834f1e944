//! What a service's answers to "are you ready?" add up to, and when it has to be started again.

use std::time::Duration;

use ordersys_contract::health::Ready;
use tokio::time::Instant;

use crate::state::ProcessState;
use crate::supervisor::probe::{Answer, Probe};

/// How long an answer may take.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// So many questions in a row without any answer mean unready; a busy machine may swallow one or two.
const SILENT_LIMIT: u32 = 3;
/// A service that was ready and is not for this long is started again.
pub(crate) const UNREADY_LIMIT: Duration = Duration::from_secs(30);

/// Asks every probe; the worst answer counts.
pub(crate) async fn ask_all(probes: &[Probe]) -> Answer {
    for probe in probes {
        match probe.ask(PROBE_LIMIT).await {
            Answer::Ready => {}
            other => return other,
        }
    }
    Answer::Ready
}

/// Why a service is unready, in its own words.
pub(crate) async fn reason(probes: &[Probe]) -> Option<String> {
    for probe in probes {
        let readiness = probe.readiness(PROBE_LIMIT).await?;
        if readiness.status == Ready::Unready {
            return readiness.reason;
        }
    }
    None
}

/// What the answers of a running process add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// Never ready yet.
    Starting,
    /// Ready; so many questions since went without an answer.
    Ready { silent: u32 },
    /// Ready once, not now.
    Unready { since: Instant },
}

impl Health {
    pub(crate) fn after(self, answer: Answer, now: Instant) -> Self {
        match (self, answer) {
            (_, Answer::Ready) => Self::Ready { silent: 0 },
            (Self::Ready { silent }, Answer::Silent) if silent + 1 < SILENT_LIMIT => {
                Self::Ready { silent: silent + 1 }
            }
            (Self::Ready { .. }, Answer::Silent | Answer::NotReady(_)) => Self::Unready { since: now },
            (Self::Starting | Self::Unready { .. }, Answer::Silent | Answer::NotReady(_)) => self,
        }
    }

    pub(crate) fn state(self) -> ProcessState {
        match self {
            Self::Starting => ProcessState::Starting,
            Self::Ready { .. } => ProcessState::Ready,
            Self::Unready { .. } => ProcessState::Unready,
        }
    }

    /// The time it is unready on purpose does not count.
    pub(crate) fn excused(self, now: Instant) -> Self {
        match self {
            Self::Unready { .. } => Self::Unready { since: now },
            Self::Starting | Self::Ready { .. } => self,
        }
    }

    pub(crate) fn is_hopeless(self, now: Instant) -> bool {
        matches!(self, Self::Unready { since } if now.duration_since(since) >= UNREADY_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_follows_the_answers() {
        let now = Instant::now();
        let unready = Health::Unready { since: now };
        let cases = [
            (Health::Starting, Answer::Silent, Health::Starting),
            (Health::Starting, Answer::NotReady(503), Health::Starting),
            (Health::Starting, Answer::Ready, Health::Ready { silent: 0 }),
            (Health::Ready { silent: 0 }, Answer::Silent, Health::Ready { silent: 1 }),
            (Health::Ready { silent: 2 }, Answer::Silent, unready),
            (Health::Ready { silent: 2 }, Answer::Ready, Health::Ready { silent: 0 }),
            (Health::Ready { silent: 0 }, Answer::NotReady(503), unready),
            (unready, Answer::Ready, Health::Ready { silent: 0 }),
        ];
        for (before, answer, expected) in cases {
            assert_eq!(before.after(answer, now), expected, "{before:?} {answer:?}");
        }
        let later = now + UNREADY_LIMIT;
        assert_eq!(unready.after(Answer::Silent, later), unready, "the time counts from the first");
        assert!(unready.is_hopeless(later) && !unready.is_hopeless(now));
        assert!(
            !unready.excused(later).is_hopeless(later + UNREADY_LIMIT / 2),
            "paused or cut off until then"
        );
        assert!(!Health::Starting.is_hopeless(later), "never ready: not the supervisor's decision");
    }

    /// Answers each request with this body, and the status of a service that is not ready.
    async fn answering(body: &'static str) -> Probe {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}/readyz", listener.local_addr().expect("bound"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                let answer = format!("HTTP/1.1 503 x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        url.parse().expect("a probe")
    }

    #[tokio::test]
    async fn a_service_that_says_why_it_is_unready_does_not_hang() {
        let full = answering(r#"{"status":"unready","reason":"the disk is full"}"#).await;
        assert_eq!(ask_all(std::slice::from_ref(&full)).await, Answer::NotReady(503));
        assert_eq!(reason(&[full]).await.as_deref(), Some("the disk is full"));
        for says_nothing in [r#"{"status":"unready"}"#, "", "busy"] {
            assert_eq!(reason(&[answering(says_nothing).await]).await, None, "{says_nothing}");
        }
    }
}
