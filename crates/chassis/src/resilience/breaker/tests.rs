//! The breaker against a plain model, and its lock against every interleaving of three threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ordersys_contract::health::BreakerState;
use proptest::prelude::*;

use super::machine::{Machine, Outcome, Settings, State, Ticket};
use super::{Breaker, BreakerMetrics, GuardedCall, MAX_REASON};
use crate::telemetry::logged::logged;
use crate::{Counting, Metrics};

const SETTINGS: Settings =
    Settings { calls: 4, ratio: 0.5, window: Duration::from_secs(1), cool_down: Duration::from_millis(400) };

/// What a breaker has to do, said without a ring and without generations: every call is remembered.
struct Model {
    start: Instant,
    /// Slice of time and outcome of each call since the breaker last closed.
    calls: Vec<(u128, Outcome)>,
    open_until: Option<Instant>,
    probe: Option<Ticket>,
}

impl Model {
    fn slice(&self, now: Instant) -> u128 {
        now.duration_since(self.start).as_millis() / 100
    }

    fn may_enter(&self, now: Instant) -> bool {
        self.probe.is_none() && self.open_until.is_none_or(|until| until <= now)
    }

    fn entered(&mut self, ticket: Ticket) {
        if self.open_until.is_some() {
            self.probe = Some(ticket);
        }
    }

    fn settled(&mut self, ticket: Ticket, outcome: Outcome, now: Instant, chance: f64) {
        let until = now + SETTINGS.cool_down.mul_f64(1.0 - 0.25 * chance);
        if self.probe == Some(ticket) {
            self.probe = None;
            self.calls.clear();
            self.open_until = (outcome == Outcome::Failed).then_some(until);
            return;
        }
        if self.open_until.is_some() {
            return;
        }
        self.calls.push((self.slice(now), outcome));
        let oldest = self.slice(now).saturating_sub(9);
        let recent = self.calls.iter().filter(|(slice, _)| *slice >= oldest);
        let (all, failed) = recent.fold((0, 0), |(all, failed), (_, outcome)| {
            (all + 1, failed + u32::from(*outcome == Outcome::Failed))
        });
        if all >= SETTINGS.calls && 2 * failed >= all {
            self.open_until = Some(until);
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Enter,
    Settle(prop::sample::Index, Outcome, f64),
    Abandon(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(Outcome::Answered), Just(Outcome::Failed)];
    prop_oneof![
        2 => (0..450_u64).prop_map(Step::Wait),
        5 => Just(Step::Enter),
        5 => (any::<prop::sample::Index>(), outcome, 0.0..1.0).prop_map(|(i, o, c)| Step::Settle(i, o, c)),
        1 => any::<prop::sample::Index>().prop_map(Step::Abandon),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 0..200)) {
        let start = Instant::now();
        let mut now = start;
        let mut machine = Machine::new(SETTINGS, start);
        let mut model = Model { start, calls: Vec::new(), open_until: None, probe: None };
        // Calls under way, with whether they began after the last change: older ones say nothing.
        let mut under_way: Vec<(Ticket, u32)> = Vec::new();
        let mut age = 0;
        for step in steps {
            let before = machine.state();
            match step {
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Enter => {
                    let entered = machine.enter(now);
                    prop_assert_eq!(entered.is_ok(), model.may_enter(now), "{:?}", before);
                    match entered {
                        Ok(ticket) => {
                            age += u32::from(before != machine.state());
                            model.entered(ticket);
                            under_way.push((ticket, age));
                        }
                        Err(left) => prop_assert!(left <= SETTINGS.cool_down),
                    }
                }
                Step::Settle(index, outcome, chance) if !under_way.is_empty() => {
                    let (ticket, began) = under_way.swap_remove(index.index(under_way.len()));
                    machine.settle(ticket, outcome, now, chance);
                    if began == age {
                        model.settled(ticket, outcome, now, chance);
                    }
                    age += u32::from(before != machine.state());
                }
                Step::Abandon(index) if !under_way.is_empty() => {
                    let (ticket, began) = under_way.swap_remove(index.index(under_way.len()));
                    machine.abandon(ticket);
                    if began == age && model.probe == Some(ticket) {
                        model.probe = None;
                        model.open_until = Some(start);
                    }
                    age += u32::from(before != machine.state());
                }
                Step::Settle(..) | Step::Abandon(..) => {}
            }
            let closed = machine.state() == State::Closed;
            prop_assert_eq!(closed, model.open_until.is_none());
            prop_assert_eq!(closed, machine.failing_since().is_none());
            prop_assert_eq!(closed, machine.refusal(now).is_none());
        }
    }
}

#[test]
fn five_failures_and_thirty_seconds_as_in_the_article() {
    let cool_down = Duration::from_secs(30);
    let settings = Settings { calls: 5, ratio: 1.0, window: Duration::from_mins(1), cool_down };
    let start = Instant::now();
    let mut machine = Machine::new(settings, start);
    for _ in 0..5 {
        assert_eq!(machine.state(), State::Closed);
        let ticket = machine.enter(start).expect("is closed");
        machine.settle(ticket, Outcome::Failed, start, 0.0);
    }
    assert_eq!(machine.refusal(start + Duration::from_secs(10)), Some(Duration::from_secs(20)));
    let probe = machine.enter(start + cool_down).expect("the probe");
    assert!(machine.enter(start + cool_down).is_err(), "one at a time");
    machine.settle(probe, Outcome::Answered, start + cool_down, 0.0);
    assert_eq!(machine.state(), State::Closed);
}

/// An open breaker whose cool-down is over.
fn due(start: Instant) -> Breaker {
    let settings = Settings { calls: 1, ..SETTINGS };
    let breaker =
        Breaker::new(GuardedCall { peer: "peer", call: "call" }, settings, start, BreakerMetrics::default());
    let Ok(pass) = breaker.enter(start) else { panic!("is closed") };
    pass.settle(Err("down"), start, 0.0);
    breaker
}

#[test]
fn at_most_one_probe_whichever_call_comes_when_and_however_it_ends() {
    let start = Instant::now();
    let later = start + SETTINGS.cool_down;
    let scenario = move || {
        let breaker = due(start);
        let probes = Arc::new(AtomicUsize::new(0));
        let callers = [Some(Err("still down")), Some(Ok(())), None].map(|ended| {
            let (breaker, probes) = (breaker.clone(), Arc::clone(&probes));
            shuttle::thread::spawn(move || {
                let before = breaker.refusal(later).is_some();
                let Ok(pass) = breaker.enter(later) else { return };
                let probing = breaker.refusal(later).is_some();
                if before && probing {
                    assert_eq!(probes.fetch_add(1, Ordering::SeqCst), 0, "two probes at a time");
                    shuttle::thread::yield_now();
                    probes.fetch_sub(1, Ordering::SeqCst);
                }
                match ended {
                    Some(ended) => pass.settle(ended, later, 0.0),
                    None => drop(pass),
                }
            })
        });
        for caller in callers {
            caller.join().expect("ends");
        }
        let much_later = later + SETTINGS.cool_down;
        assert!(breaker.enter(much_later).is_ok(), "it is not left half-open");
    };
    shuttle::check_dfs(scenario, Some(50_000));
    shuttle::check_random(scenario, 2_000);
}

/// Whether the metrics of a breaker have these values.
fn shows(metrics: &Metrics, values: [(&str, u32); 3]) {
    let text = metrics.encode();
    for (name, value) in values {
        let line =
            format!("ordersys_breaker_{name}{{service=\"test\",peer=\"peer\",call=\"call\"}} {value}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
}

/// A breaker through all its states, seen from outside.
fn opened_and_closed() {
    let start = Instant::now();
    let later = start + SETTINGS.cool_down;
    let metrics = Metrics::new("test", Counting::On);
    let (call, settings) = (GuardedCall { peer: "peer", call: "call" }, Settings { calls: 1, ..SETTINGS });
    let breaker = Breaker::new(call, settings, start, BreakerMetrics::registered(&metrics));
    let reported = |now, state, reason: Option<String>| {
        let report = breaker.report(now);
        assert_eq!((report.peer.as_str(), report.call.as_str(), report.breaker), ("peer", "call", state));
        assert_eq!((report.since.is_some(), report.reason), (reason.is_some(), reason));
    };
    let pass = breaker.enter(start).unwrap_or_else(|_| panic!("is closed"));
    reported(start, BreakerState::Closed, None);
    assert_eq!(breaker.refusal(start), None);
    pass.settle(Err(&"x".repeat(MAX_REASON + 1)), start, 0.0);
    let reason = Some("x".repeat(MAX_REASON));
    reported(start, BreakerState::Open, reason.clone());
    assert_eq!(breaker.refusal(start + Duration::from_millis(150)), Some(Duration::from_millis(250)));
    shows(&metrics, [("state", 2), ("opened_total", 1), ("failed_calls_total", 1)]);
    let probe = breaker.enter(later).unwrap_or_else(|_| panic!("the probe"));
    reported(later, BreakerState::HalfOpen, reason);
    shows(&metrics, [("state", 1), ("opened_total", 1), ("failed_calls_total", 1)]);
    probe.settle(Ok(()), later, 0.0);
    reported(later, BreakerState::Closed, None);
    shows(&metrics, [("state", 0), ("opened_total", 1), ("failed_calls_total", 1)]);
}

#[test]
fn health_metrics_and_log_show_where_a_breaker_stands() {
    let lines = logged(|| {
        shuttle::check_dfs(opened_and_closed, Some(1));
    });
    let lines: Vec<_> = lines.lines().filter(|line| line.contains("the breaker is")).collect();
    let [opened, closed] = lines[..] else { panic!("{lines:?}") };
    assert!(opened.contains("WARN") && opened.contains("the breaker is open"), "{opened}");
    assert!(closed.contains("INFO") && closed.contains("the breaker is closed"), "{closed}");
}
