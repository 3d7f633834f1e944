//! Circuit breakers: while another service is known to fail, calls to it are rejected at once
//! instead of waiting for it, and one probe at a time finds out when it is back.
//!
//! No crate fits: those that are well kept (`failsafe`, `recloser`, `tower-resilience`) read the
//! clock themselves, do not say how long a rejection lasts, or let several probes through.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use ordersys_contract::Timestamp;
use ordersys_contract::health::{BreakerState, Peer};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

mod machine;
#[cfg(test)]
mod tests;

#[cfg(not(test))]
use std::sync::Mutex;

#[cfg(test)]
use shuttle::sync::Mutex; // every interleaving of its few critical sections is explored

use machine::{Machine, State, Ticket};
pub use machine::{Outcome, Settings};

use crate::Metrics;

/// Most characters that are kept of why a call failed.
const MAX_REASON: usize = 200;

/// Which calls a breaker guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct GuardedCall {
    /// The service that is called.
    pub peer: &'static str,
    /// What is asked of it.
    pub call: &'static str,
}

/// The metrics of all breakers of a service.
#[derive(Debug, Clone, Default)]
pub struct BreakerMetrics {
    state: Family<GuardedCall, Gauge>,
    opened: Family<GuardedCall, Counter>,
    failures: Family<GuardedCall, Counter>,
}

impl BreakerMetrics {
    /// Adds them to a service's metrics.
    #[must_use]
    pub fn registered(metrics: &Metrics) -> Self {
        let all = Self::default();
        metrics.register(|registry| {
            let registry = registry.sub_registry_with_prefix("breaker");
            registry.register("state", "0 closed, 1 half-open, 2 open", all.state.clone());
            registry.register("opened", "How often it opened", all.opened.clone());
            registry.register("failed_calls", "Calls that failed", all.failures.clone());
        });
        all
    }
}

/// A circuit breaker; clones share it.
#[derive(Clone)]
pub struct Breaker(Arc<Shared>);

struct Shared {
    call: GuardedCall,
    state: Mutex<Guarded>,
    metrics: BreakerMetrics,
}

struct Guarded {
    machine: Machine,
    /// Why the last call failed.
    reason: String,
}

/// The leave to make one call. Dropped without [`Pass::settle`], it says nothing about the call.
pub struct Pass {
    breaker: Breaker,
    ticket: Option<Ticket>,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(call: GuardedCall, settings: Settings, now: Instant, metrics: BreakerMetrics) -> Self {
        metrics.state.get_or_create(&call).set(0);
        let machine = Machine::new(settings, now);
        let state = Mutex::new(Guarded { machine, reason: String::new() });
        Self(Arc::new(Shared { call, state, metrics }))
    }

    /// How long calls are rejected still, if they are.
    #[must_use]
    pub fn refusal(&self, now: Instant) -> Option<Duration> {
        self.with(|guarded| guarded.machine.refusal(now))
    }

    /// Asks to make a call; rejected, says for how long still. After the cool-down the first caller
    /// gets through, and no other until it has settled.
    pub fn enter(&self, now: Instant) -> Result<Pass, Duration> {
        let ticket = self.with(|guarded| guarded.machine.enter(now))?;
        Ok(Pass { breaker: self.clone(), ticket: Some(ticket) })
    }

    /// Its state, for health reports.
    #[must_use]
    pub fn report(&self, now: Instant) -> Peer {
        let (state, since, reason) = self.with(|guarded| {
            let Guarded { machine, reason } = guarded;
            (machine.state(), machine.failing_since(), reason.clone())
        });
        let ago = |since: Instant| now.saturating_duration_since(since);
        Peer {
            peer: self.0.call.peer.to_owned(),
            call: self.0.call.call.to_owned(),
            breaker: shown(state),
            since: since.map(|since| Timestamp::now().before(ago(since))),
            reason: since.map(|_| reason),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Guarded) -> T) -> T {
        let mut guarded = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = guarded.machine.state();
        let done = work(&mut guarded);
        let after = guarded.machine.state();
        if before != after {
            self.changed(before, after, &guarded.reason);
        }
        done
    }

    fn changed(&self, before: State, after: State, reason: &str) {
        let GuardedCall { peer, call } = self.0.call;
        self.0.metrics.state.get_or_create(&self.0.call).set(match after {
            State::Closed => 0,
            State::HalfOpen => 1,
            State::Open(_) => 2,
        });
        match (before, after) {
            (_, State::Closed) => tracing::info!(peer, call, "the breaker is closed: calls pass again"),
            (State::Closed, _) => {
                self.0.metrics.opened.get_or_create(&self.0.call).inc();
                tracing::warn!(
                    peer,
                    call,
                    error = reason,
                    "the breaker is open: calls are refused for a while"
                );
            }
            _ => {}
        }
    }
}

impl Pass {
    /// Reports how the call ended: with an answer, or why it failed. `chance`, from 0 up to 1,
    /// shortens the cool-down by up to a quarter.
    pub fn settle(mut self, ended: Result<(), &str>, now: Instant, chance: f64) {
        let Some(ticket) = self.ticket.take() else { return };
        let outcome = if ended.is_ok() { Outcome::Answered } else { Outcome::Failed };
        if ended.is_err() {
            self.breaker.0.metrics.failures.get_or_create(&self.breaker.0.call).inc();
        }
        self.breaker.with(|guarded| {
            if let Err(reason) = ended {
                guarded.reason = reason.chars().take(MAX_REASON).collect();
            }
            guarded.machine.settle(ticket, outcome, now, chance);
        });
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.with(|guarded| guarded.machine.abandon(ticket));
        }
    }
}

fn shown(state: State) -> BreakerState {
    match state {
        State::Closed => BreakerState::Closed,
        State::HalfOpen => BreakerState::HalfOpen,
        State::Open(_) => BreakerState::Open,
    }
}
