//! The states of a circuit breaker. Pure: time and chance are arguments.

use std::time::{Duration, Instant};

/// Slices of the rolling window; the oldest leaves as a whole.
const SLICES: u32 = 10;
/// Part of a cool-down that may be cut off at random, so that many callers do not come back at once.
const JITTER: f64 = 0.25;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Calls within the window below which no ratio is judged.
    pub calls: u32,
    /// Part of the calls within the window that have to fail, above 0 and at most 1.
    pub ratio: f64,
    /// How far back calls count.
    pub window: Duration,
    /// How long at most it stays open before the next probe.
    pub cool_down: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let (window, cool_down) = (Duration::from_secs(10), Duration::from_secs(1));
        Self { calls: 5, ratio: 0.5, window, cool_down }
    }
}

/// How a call ended, as far as the other side's health is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, if only to reject (4xx).
    Answered,
    /// No answer, none in time, 5xx, or nothing that follows the contract.
    Failed,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected until then.
    Open(Instant),
    /// One call finds out; the others are rejected.
    HalfOpen,
}

/// The leave to make one call. A call that began before the breaker changed says nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    number: u64,
    calls: u32,
    failures: u32,
}

/// A breaker without a lock and without a clock.
#[derive(Debug)]
pub(super) struct Machine {
    settings: Settings,
    origin: Instant,
    state: State,
    /// When calls were last known to pass; `None` while they do.
    failing_since: Option<Instant>,
    /// Rises with every change of state.
    generation: u64,
    slices: [Slice; SLICES as usize],
}

impl Machine {
    /// A closed breaker.
    #[must_use]
    pub(super) fn new(settings: Settings, now: Instant) -> Self {
        let slices = [Slice::default(); SLICES as usize];
        Self { settings, origin: now, state: State::Closed, failing_since: None, generation: 0, slices }
    }

    /// Where it stands.
    #[must_use]
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Since when calls do not pass.
    #[must_use]
    pub(super) fn failing_since(&self) -> Option<Instant> {
        self.failing_since
    }

    /// How long calls are rejected still, if they are; zero once a probe is due or under way.
    #[must_use]
    pub(super) fn refusal(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Closed => None,
            State::Open(until) => Some(until.saturating_duration_since(now)),
            State::HalfOpen => Some(Duration::ZERO),
        }
    }

    /// Asks to make a call. The first one after the cool-down is the probe. Rejected: how long still.
    pub(super) fn enter(&mut self, now: Instant) -> Result<Ticket, Duration> {
        match self.state {
            State::Closed => Ok(Ticket(self.generation)),
            State::Open(until) if until <= now => {
                self.become_state(State::HalfOpen);
                Ok(Ticket(self.generation))
            }
            State::Open(until) => Err(until.duration_since(now)),
            State::HalfOpen => Err(Duration::ZERO),
        }
    }

    /// Reports how a call ended. `chance` is from 0 up to 1.
    pub(super) fn settle(&mut self, ticket: Ticket, outcome: Outcome, now: Instant, chance: f64) {
        if ticket != Ticket(self.generation) {
            return;
        }
        match (self.state, outcome) {
            (State::HalfOpen, Outcome::Answered) => {
                self.slices = [Slice::default(); SLICES as usize];
                self.failing_since = None;
                self.become_state(State::Closed);
            }
            (State::HalfOpen, Outcome::Failed) => self.open(now, chance),
            (State::Closed, outcome) => {
                self.count(outcome, now);
                if self.is_bad(now) {
                    self.open(now, chance);
                }
            }
            (State::Open(_), _) => {}
        }
    }

    /// Takes a ticket back whose call was not made to its end: the next one may be the probe.
    pub(super) fn abandon(&mut self, ticket: Ticket) {
        if ticket == Ticket(self.generation) && self.state == State::HalfOpen {
            self.become_state(State::Open(self.origin));
        }
    }

    fn open(&mut self, now: Instant, chance: f64) {
        self.failing_since.get_or_insert(now);
        let cool_down = self.settings.cool_down.mul_f64(1.0 - JITTER * chance.clamp(0.0, 1.0));
        self.become_state(State::Open(now + cool_down));
    }

    fn become_state(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
    }

    /// The number of the slice of time that `now` is in.
    fn slice(&self, now: Instant) -> u64 {
        let width = (self.settings.window / SLICES).max(Duration::from_millis(1));
        let number = now.saturating_duration_since(self.origin).as_nanos() / width.as_nanos();
        u64::try_from(number).unwrap_or(u64::MAX)
    }

    fn count(&mut self, outcome: Outcome, now: Instant) {
        let number = self.slice(now);
        let index = usize::try_from(number % u64::from(SLICES)).unwrap_or(0);
        let slice = &mut self.slices[index];
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        slice.calls += 1;
        slice.failures += u32::from(outcome == Outcome::Failed);
    }

    /// Whether too many of the calls within the window failed; the last one was counted.
    fn is_bad(&self, now: Instant) -> bool {
        let oldest = self.slice(now).saturating_sub(u64::from(SLICES) - 1);
        let recent = self.slices.iter().filter(|slice| slice.number >= oldest);
        let (calls, failures) =
            recent.fold((0, 0), |(calls, failed), slice| (calls + slice.calls, failed + slice.failures));
        calls >= self.settings.calls && f64::from(failures) >= self.settings.ratio * f64::from(calls)
    }
}
