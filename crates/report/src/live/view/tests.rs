//! What is shown of a run of four seconds.

use super::*;
use ordersys_loadgen::measure::recording::Times;
use ordersys_loadgen::measure::snapshot::Snapshot;
use ordersys_loadgen::measure::totals::RunTotals;
use ordersys_workload::evidence::answer::{Judged, judge};
use ordersys_workload::model::clock::Moment;

fn row(at: u64, ok: u64) -> Row {
    let (in_flight, backlog, p50, p99) = (64, 7, 5.6, 22.1);
    Row { at, planned: ok, sent: ok, done: ok, ok, not_ok: 0, dropped: 0, backlog, in_flight, p50, p99 }
}

fn totals() -> RunTotals {
    let mut totals = RunTotals::default();
    let at = |millis| Moment::at(Duration::from_millis(millis));
    let times = |done| Times { planned: at(0), woken: at(0), sent: at(0), done: at(done) };
    totals.total.counters.planned = 4;
    totals.total.counters.sent = 4;
    for done in [4, 5, 6] {
        totals.total.ended(&judge(201, br#"{"id":"a"}"#), times(done), String::new);
    }
    totals.total.ended(&Judged::unanswered(Ending::TimedOut, "timeout"), times(50), String::new);
    totals
}

fn shown(size: Size) -> Vec<String> {
    let profile = Profile {
        stop_condition: StopCondition::For(Duration::from_mins(1)),
        faults: "kill:product@2s".parse().expect("faults"),
        objectives: ordersys_bench::verdict::slo::parse("p50<1s,p99<1s").expect("objectives"),
        ..Profile::default()
    };
    let mut view = View::new(&profile);
    let (totals, snapshot) = (totals(), Snapshot::default());
    for (at, ok) in (0..).zip([0, 1, 50, 100]) {
        view.saw(&row(at, ok));
    }
    view.lines(size, Some(&Second { row: &row(3, 100), snapshot: &snapshot, totals: &totals }))
}

#[test]
fn the_view_has_what_is_known_so_far() {
    let text = shown((80, 30)).join("\n");
    for part in [
        "ordersys bench: the closed loop, 64 connections",
        "q ends the run\n",
        "4 s gone   56 s left",
        "now 100   average 1   most 100",
        "▁██",
        "kill:product▲",
        "✓ p50<1000ms met so far",
        "✗ p99<1000ms was missed: p99 is not known",
        "in flight 64   waiting 7   dropped 0",
        "p50 5.0",
        "max >=50.0",
        "p50 5.6  p99 22.1 ms",
        "errors 1 (25.00 %)",
        "       1  timed out  timeout",
        "so far VALID",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_narrow_terminal_shows_the_last_seconds() {
    assert!(shown((2, 9)).contains(&"▄█".to_owned()), "{:?}", shown((2, 9)));
}

#[test]
fn charts_fill_the_height_that_is_there() {
    let lines = |height| shown((80, height)).len();
    assert!((24..=30).contains(&lines(30)), "{}", lines(30));
    assert!(lines(12) < 24, "as little as there is: {}", lines(12));
}

#[test]
fn long_texts_are_broken_between_words() {
    assert_eq!(wrapped("the system could not follow", 10), ["the system", "could not", "follow"]);
    assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
}

#[test]
fn before_the_first_second_it_says_what_is_going_on() {
    let view = View::new(&Profile::default());
    assert_eq!(view.lines((80, 24), None).last().map(String::as_str), Some("connecting and warming up"));
}
