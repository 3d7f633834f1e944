//! Runs with one flaw each, and what is said of them.

use super::*;
use ordersys_loadgen::measure::recording::Times;
use ordersys_workload::evidence::answer::{Ending, Judged};
use ordersys_workload::model::Arrivals;
use ordersys_workload::model::clock::Moment;

const OPEN: LoadModel = LoadModel::OpenLoop { rate: 100.0, arrivals: Arrivals::Even };
const MS: u64 = 1_000_000;

struct Run {
    planned: u64,
    sent: u64,
    skipped: u64,
    lag: u64,
    wait: u64,
    hiccup: u64,
    /// The latest tick of all.
    longest: u64,
    /// Connections that the generator's machine refused.
    limited: u64,
    busy: f64,
}

const CLEAN: Run = Run {
    planned: 1000,
    sent: 1000,
    skipped: 0,
    lag: MS / 5,
    wait: 0,
    hiccup: MS,
    longest: MS,
    limited: 0,
    busy: 0.3,
};

fn verdict(pace: &LoadModel, run: &Run) -> Verdict {
    let counters = Counters {
        planned: run.planned,
        sent: run.sent,
        skipped: run.skipped,
        ok: run.sent,
        ..Counters::default()
    };
    let mut total = Recording { counters, ..Recording::default() };
    let mut hiccups = Distribution::new();
    for _ in 0..100 {
        total.lag.record(run.lag);
        total.wait.record(run.wait);
        total.service.record(5 * MS);
        total.response.record(run.lag + run.wait + 5 * MS);
        hiccups.record(run.hiccup);
    }
    hiccups.record(run.longest.max(run.hiccup));
    let refused = Judged::unanswered(Ending::Failed, limits::REACHED);
    for _ in 0..run.limited {
        let at = Moment::START;
        let times = Times { planned: at, woken: at, sent: at, done: at };
        total.ended(&refused, times, || "too many open files".to_owned());
    }
    judge(&Facts { pace, total: &total, hiccups: &hiccups, busiest_thread: Some(run.busy) })
}

#[test]
fn the_grade_follows_the_cause() {
    let cases = [
        (OPEN, CLEAN, Grade::Valid),
        (LoadModel::ClosedLoop, CLEAN, Grade::Valid),
        (OPEN, Run { sent: 0, ..CLEAN }, Grade::Invalid),
        (OPEN, Run { lag: 2 * MS, ..CLEAN }, Grade::Invalid),
        (OPEN, Run { lag: 2 * MS, wait: 30 * MS, ..CLEAN }, Grade::Saturated),
        (OPEN, Run { sent: 900, ..CLEAN }, Grade::Invalid),
        (OPEN, Run { sent: 900, wait: 30 * MS, ..CLEAN }, Grade::Saturated),
        (OPEN, Run { skipped: 5, sent: 995, wait: 30 * MS, ..CLEAN }, Grade::Saturated),
        (OPEN, Run { limited: 1, ..CLEAN }, Grade::Invalid),
        (LoadModel::ClosedLoop, Run { limited: 1, ..CLEAN }, Grade::Invalid),
        (LoadModel::ClosedLoop, Run { longest: 300 * MS, ..CLEAN }, Grade::Suspect),
        (OPEN, Run { busy: 0.8, ..CLEAN }, Grade::Suspect),
        (LoadModel::ClosedLoop, Run { busy: 0.8, ..CLEAN }, Grade::Valid),
        (LoadModel::ClosedLoop, Run { busy: 0.95, ..CLEAN }, Grade::Suspect),
        (LoadModel::ClosedLoop, Run { hiccup: 30 * MS, ..CLEAN }, Grade::Suspect),
        (LoadModel::ClosedLoop, Run { hiccup: 300 * MS, ..CLEAN }, Grade::Invalid),
        (LoadModel::ClosedLoop, Run { sent: 0, ..CLEAN }, Grade::Invalid),
        // At the limits themselves.
        (OPEN, Run { sent: 990, ..CLEAN }, Grade::Valid),
        (OPEN, Run { sent: 990, wait: 2 * MS, ..CLEAN }, Grade::Valid),
        (OPEN, Run { sent: 989, wait: 2 * MS, ..CLEAN }, Grade::Saturated),
        (OPEN, Run { wait: 5 * MS, ..CLEAN }, Grade::Valid),
        (OPEN, Run { skipped: 5, sent: 995, ..CLEAN }, Grade::Saturated),
        (OPEN, Run { busy: BUSY_OPEN, ..CLEAN }, Grade::Valid),
        (LoadModel::ClosedLoop, Run { busy: BUSY_CLOSED, ..CLEAN }, Grade::Valid),
        (LoadModel::ClosedLoop, Run { longest: STARVED, ..CLEAN }, Grade::Valid),
    ];
    for (index, (pace, run, expected)) in cases.iter().enumerate() {
        assert_eq!(verdict(pace, run).grade, *expected, "case {index}");
    }
}

#[test]
fn a_verdict_names_its_cause_with_what_was_found() {
    for (pace, run, cause) in [
        (OPEN, Run { lag: 2 * MS, ..CLEAN }, "its lag has a p99 of 2.0 ms, more than 1.0 ms"),
        (OPEN, Run { sent: 900, ..CLEAN }, "90.0 % of the plan was sent though"),
        (
            OPEN,
            Run { sent: 900, wait: 30 * MS, ..CLEAN },
            "follow: 90.0 % of the plan was sent, half of that waited 30.0 ms",
        ),
        (OPEN, Run { busy: 0.8, ..CLEAN }, "busy 80 % of the time"),
        (LoadModel::ClosedLoop, Run { hiccup: 30 * MS, ..CLEAN }, "1 % of their ticks came 30.0 ms late"),
        (LoadModel::ClosedLoop, Run { longest: 300 * MS, ..CLEAN }, "stood still for 300.0 ms once"),
        (LoadModel::ClosedLoop, Run { limited: 3, ..CLEAN }, "refused 3 connections: too many open files"),
        (LoadModel::ClosedLoop, Run { sent: 0, ..CLEAN }, "not one of 1000 requests was answered"),
    ] {
        let found = verdict(&pace, &run).cause.expect(cause);
        assert!(found.contains(cause), "{found}");
    }
    let words = [Grade::Valid, Grade::Saturated, Grade::Suspect, Grade::Invalid].map(Grade::word);
    assert_eq!(words, ["VALID", "SATURATED", "SUSPECT", "INVALID"]);
    assert_eq!(
        [share(0, 0), share(0, 2), share(1, 4), share(4, 4)].map(|share| share.to_string()),
        ["1", "0", "0.25", "1"]
    );
}
