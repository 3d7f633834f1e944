//! Runs with one flaw each, and what is said of them.

use super::*;
use ordersys_loadgen::measure::counters::Counters;
use ordersys_loadgen::measure::recording::Times;
use ordersys_workload::endpoint::Endpoint;
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
    let mut totals =
        RunTotals { total: Recording { counters, ..Recording::default() }, ..RunTotals::default() };
    let RunTotals { total, hiccups, .. } = &mut totals;
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
    judge(&Facts { pace, totals: &totals, busiest_thread: Some(run.busy) })
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
        (LoadModel::ClosedLoop, Run { sent: 0, ..CLEAN }, "not one of 1000 requests was sent"),
    ] {
        let found = verdict(&pace, &run).cause.expect(cause);
        assert!(found.contains(cause), "{found}");
    }
    let words = [Grade::Valid, Grade::Saturated, Grade::Suspect, Grade::Invalid, Grade::Failed];
    assert_eq!(words.map(Grade::word), ["VALID", "SATURATED", "SUSPECT", "INVALID", "FAILED"]);
    assert_eq!(
        [share(0, 0), share(0, 2), share(1, 4), share(4, 4)].map(|share| share.to_string()),
        ["1", "0", "0.25", "1"]
    );
}

/// Requests that ended with these answers.
fn answered(recording: &mut Recording, answers: &[(u16, u64)]) {
    let at = Moment::START;
    let times = Times { planned: at, woken: at, sent: at, done: at };
    for (status, count) in answers {
        let judged = match status {
            0 => Judged::unanswered(Ending::TimedOut, "timeout"),
            1 => Judged::unanswered(Ending::Aborted, "interrupted"),
            status => ordersys_workload::evidence::answer::judge(*status, br#"{"id":"a","code":"why"}"#),
        };
        for _ in 0..*count {
            recording.ended(&judged, times, || "because".to_owned());
        }
    }
    (recording.counters.planned, recording.counters.sent) =
        (recording.counters.done(), recording.counters.done());
}

#[test]
fn a_run_in_which_nothing_succeeded_is_the_failure_of_the_system_and_says_so() {
    let run = |answers: &[(u16, u64)], endpoints: &[(Endpoint, &[(u16, u64)])]| {
        let mut totals = RunTotals::default();
        answered(&mut totals.total, answers);
        for (endpoint, answers) in endpoints {
            answered(totals.endpoints.entry(*endpoint).or_default(), answers);
        }
        let found = judge(&Facts { pace: &LoadModel::ClosedLoop, totals: &totals, busiest_thread: None });
        (found.grade, found.cause.unwrap_or_default())
    };
    let failed = |cause: &str| (Grade::Failed, cause.to_owned());
    let order: &[(u16, u64)] = &[(500, 200)];
    assert_eq!(
        run(order, &[(Endpoint::Order, order)]),
        failed("nothing was sold: the system failed all 200 requests, such as 500 why: because")
    );
    assert_eq!(
        run(&[(404, 7)], &[]),
        failed("nothing succeeded: the system refused all 7 requests, such as 404 why: because")
    );
    assert_eq!(
        run(&[(0, 1)], &[]),
        failed("nothing succeeded: the system answered none of 1 request in time, such as timeout: because")
    );
    let mixed = run(&[(503, 5), (500, 9), (0, 2)], &[]).1;
    assert!(
        mixed.contains("of all 16 requests the system refused 5, failed 9 and left 2 without"),
        "{mixed}"
    );
    // One kind of requests of which none succeeded is enough; a few may fail by chance.
    let kinds = |cancels| run(&[(201, 90), (409, cancels)], &[(Endpoint::Cancel, &[(409, cancels)])]);
    assert_eq!(kinds(9).0, Grade::Valid);
    assert_eq!(
        kinds(10),
        failed("no `cancel` succeeded: the system refused all 10 requests, such as 409 why: because")
    );
    let invalid = |answers: &[(u16, u64)]| run(answers, &[]).0;
    assert_eq!([invalid(&[]), invalid(&[(1, 5)])], [Grade::Invalid; 2], "nobody's failure");
}

#[test]
fn lag_is_judged_by_the_quantile_it_spoils_and_the_others_stay_good() {
    let run = |late: u64, lag: u64| {
        let mut totals = RunTotals::default();
        answered(&mut totals.total, &[(201, 100)]);
        totals.total.response.clear();
        totals.total.lag.clear();
        for index in 0..100 {
            let slow = index >= 90;
            totals.total.lag.record(if index >= 100 - late { lag } else { MS / 10 });
            totals.total.response.record(if slow { 40 * MS } else { 4 * MS });
        }
        judge(&Facts { pace: &OPEN, totals: &totals, busiest_thread: None })
    };
    assert_eq!(run(5, 3 * MS).grade, Grade::Valid, "a tenth of the 40 ms of that quantile");
    let spoiled = run(8, 5 * MS);
    assert_eq!(spoiled.grade, Grade::Invalid);
    let good = spoiled.still_good.expect("something is");
    assert_eq!(good, "the response times from p50 to p90, the counts and the checks");
    assert_eq!(run(60, 5 * MS).still_good.as_deref(), Some("the counts and the checks"));
}
