//! How a role is doing: what the system shows of its process or container, and what it says itself.

use std::time::Duration;

use ordersys_contract::health::{BreakerState, Peer, Readiness, Ready};

use crate::model::observed::{Condition, ObservedService};
use crate::ops::status::State;
use ordersys_supervisor::Probe;

/// How long a service may take to say that it is ready.
const ASK_LIMIT: Duration = Duration::from_secs(1);

/// How a role is doing, and why.
pub(crate) struct Doing {
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) degraded: Vec<Peer>,
    pub(crate) warnings: Vec<String>,
}

impl Doing {
    fn new(state: State, reason: Option<String>) -> Self {
        Self { state, reason, degraded: Vec::new(), warnings: Vec::new() }
    }
}

pub(crate) async fn doing(player: Option<&ObservedService>, url: &str) -> Doing {
    match player.map(|service| &service.condition) {
        None => Doing::new(State::Missing, None),
        Some(Condition::Paused) => Doing::new(State::Paused, None),
        Some(Condition::Cut) => Doing::new(State::Cut, None),
        Some(Condition::Restarting(how)) => Doing::new(State::Restarting, Some(how.clone())),
        Some(Condition::Exited(how)) => Doing::new(State::Stopped, Some(how.clone())),
        Some(Condition::Created | Condition::Dead) => Doing::new(State::Stopped, None),
        Some(Condition::Running) => asked(url).await,
        Some(Condition::Unwatched) => match asked(url).await {
            Doing { state: State::Ready | State::Degraded, degraded, warnings, .. } => {
                let reason = Some("its supervisor is gone".to_owned());
                Doing { state: State::Unwatched, reason, degraded, warnings }
            }
            other => other,
        },
    }
}

/// What a running service says of itself.
async fn asked(url: &str) -> Doing {
    let said = match format!("{url}/readyz").parse::<Probe>() {
        Ok(probe) => probe.readiness(ASK_LIMIT).await,
        Err(_) => None,
    };
    match said {
        Some(Readiness { status: Ready::Ready, degraded: true, mut peers, warnings, .. }) => {
            peers.retain(|peer| peer.breaker != BreakerState::Closed);
            Doing { degraded: peers, warnings, ..Doing::new(State::Degraded, None) }
        }
        Some(Readiness { status: Ready::Ready, .. }) => Doing::new(State::Ready, None),
        Some(Readiness { reason, .. }) => Doing::new(State::Unready, reason),
        None => Doing::new(State::Unready, Some("it does not answer".to_owned())),
    }
}
