//! What a service says of its health: the body of `GET /readyz`.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// `GET /livez` of every service.
pub const LIVEZ: &str = "/livez";

/// The body of `GET /readyz`.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether requests are welcome.
    pub status: Ready,
    /// Why not, if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether calls to another service are refused for now, or there are warnings: the service itself goes on.
    #[serde(default)]
    pub degraded: bool,
    /// The other services this one calls, one entry for each kind of call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Peer>,
    /// What a person has to look at, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Whether requests are welcome.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ready {
    /// They are.
    Ready,
    /// They are not.
    Unready,
}

/// How calls of one kind to another service fare.
#[derive(utoipa::ToSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// Which service is called.
    pub peer: String,
    /// What for.
    pub call: String,
    /// Whether calls pass.
    pub breaker: BreakerState,
    /// Since when they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How the last call failed, if they do not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where a circuit breaker stands.
#[derive(utoipa::ToSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// One call finds out whether the others may pass again.
    HalfOpen,
    /// Calls are refused.
    Open,
}

impl BreakerState {
    /// The state on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

impl Readiness {
    /// The answer of a service that is ready unless there is a `reason` why not.
    #[must_use]
    pub fn new(reason: Option<&str>, peers: Vec<Peer>, warnings: Vec<String>) -> Self {
        let status = if reason.is_none() { Ready::Ready } else { Ready::Unready };
        let refusing = peers.iter().any(|peer| peer.breaker != BreakerState::Closed);
        let degraded = refusing || !warnings.is_empty();
        Self { status, reason: reason.map(str::to_owned), degraded, peers, warnings }
    }
}

impl Peer {
    /// One line for a person.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { peer, call, breaker, .. } = self;
        let since = self.since.map(|since| format!(" since {since}")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{peer} service, {call}: breaker {}{since}{reason}", breaker.as_str())
    }
}
