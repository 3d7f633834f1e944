//! The search against simulated systems.

use super::*;
use crate::result::sample::{Simulated, report};
use ordersys_verify::finding::{Check, Finding, Standing};

/// What is said of 80 ms.
const P99: &str = "p99<50ms was missed: 80.000 ms";
const PLAN: Plan =
    Plan { from: 100.0, step: Duration::from_secs(3), precision: 0.05, arrivals: Arrivals::Even };

fn profile() -> Profile {
    Profile { objectives: vec!["p99<50ms".parse().expect("an objective")], seed: 9, ..Profile::default() }
}

/// The rate a run was asked for, and how long it was.
fn asked(profile: &Profile) -> (f64, Duration) {
    assert_eq!((profile.seed, profile.objectives.len()), (9, 1), "the rest is as it was asked for");
    match (&profile.pace, profile.stop_condition) {
        (LoadModel::OpenLoop { rate, arrivals: Arrivals::Even }, StopCondition::For(length)) => {
            (*rate, length)
        }
        other => panic!("{other:?}"),
    }
}

/// A system that answers in time up to a rate.
fn up_to(limit: f64, rate: f64) -> Simulated {
    Simulated { millis: if rate <= limit { 5 } else { 80 }, ..Simulated::default() }
}

#[tokio::test]
async fn the_highest_rate_is_found_and_confirmed_by_a_longer_run() {
    let mut lengths = Vec::new();
    let found = search(PLAN, &profile(), async |profile| {
        let (rate, length) = asked(&profile);
        lengths.push(length);
        Ok(report(&profile, up_to(1000.0, rate)))
    })
    .await
    .expect("ends");
    let (met, missed) = (found.met.expect("met"), found.missed.expect("missed"));
    assert!(met <= 1000.0 && 1000.0 < missed && missed <= met * 1.051, "{met} {missed}");
    assert!(found.confirmed && !found.interrupted && found.failure().is_none());
    assert_eq!(found.broke.as_deref(), Some("p99<50ms was missed: 80.000 ms"));
    assert_eq!((found.slo.as_slice(), found.invalid), (&["p99<50ms".to_owned()][..], None));
    let (last, steps) = found.steps.split_last().expect("some");
    assert!(last.confirming && last.met && steps.iter().all(|step| !step.confirming));
    assert_eq!(lengths.pop(), Some(2 * PLAN.step), "the confirming run is longer");
    assert!(lengths.iter().all(|length| *length == PLAN.step));
    let figures = (last.p50, last.p99, last.p999, last.throughput, last.errors, last.verification);
    assert_eq!(figures, (5.0, 5.0, 5.0, 10.0, 0.0, "SKIP"));
}

#[tokio::test]
async fn a_system_that_never_meets_its_objectives_fails_with_what_broke() {
    let found = search(PLAN, &profile(), async |profile| Ok(report(&profile, up_to(0.0, 1.0)))).await;
    let found = found.expect("ends");
    assert_eq!((found.met, found.missed, found.confirmed), (None, Some(1.0), false));
    let failure = found.failure().expect("none met");
    assert_eq!(failure.exit, Exit::ObjectiveMissed);
    assert!(failure.error.to_string().contains("80.000 ms"), "{failure:?}");
}

#[tokio::test]
async fn invalid_runs_are_tried_again_and_end_the_search_only_in_a_row() {
    let mut runs = 0;
    let found = search(PLAN, &profile(), async |profile| {
        runs += 1;
        let simulated = up_to(250.0, asked(&profile).0);
        // Two of three are invalid for a while, then all of them.
        Ok(report(&profile, Simulated { limited: u64::from(runs > 9 || runs % 3 != 0), ..simulated }))
    })
    .await
    .expect("ends");
    assert_eq!(
        (found.steps.len(), found.steps.iter().filter(|step| step.verdict != Grade::Invalid).count()),
        (12, 3)
    );
    assert_eq!((found.met, found.missed), (Some(200.0), Some(400.0)));
    assert_eq!(
        found.broke.as_deref(),
        Some("p99<50ms was missed: 80.000 ms"),
        "what is invalid broke nothing"
    );
    let failure = found.failure().expect("could not go on");
    assert_eq!(failure.exit, Exit::InvalidRun);
    assert!(failure.error.to_string().contains("3 runs in a row were invalid: the generator's machine"));
}

#[tokio::test]
async fn an_interruption_keeps_what_was_found_and_a_failure_ends_the_search() {
    let mut runs = 0;
    let found = search(PLAN, &profile(), async |profile| {
        runs += 1;
        let simulated = up_to(1000.0, asked(&profile).0);
        Ok(report(&profile, Simulated { interrupted: runs == 3, ..simulated }))
    })
    .await
    .expect("ends");
    assert_eq!((found.steps.len(), found.met, found.interrupted), (2, Some(200.0), true));
    assert_eq!(found.failure().map(|failure| failure.exit), Some(Exit::Interrupted));
    let failed = search(PLAN, &profile(), async |_| Err(Failure::new(Exit::NotFound, "no system"))).await;
    assert_eq!(failed.map(drop).map_err(|failure| failure.exit), Err(Exit::NotFound));
}

#[test]
fn a_violated_invariant_ends_the_search_and_a_kept_one_is_shown() {
    let profile = profile();
    let verified = |standing: Standing| {
        let mut report = report(&profile, Simulated::default());
        report.verification.findings = vec![Finding { check: Check::NoOversell, standing }];
        judge(&report, 100.0, false).map(|step| step.verification).map_err(|failure| failure.exit)
    };
    assert_eq!(verified(Standing::Pass), Ok("PASS"));
    assert_eq!(verified(Standing::Skip("not ours".to_owned())), Ok("SKIP"));
    assert_eq!(verified(Standing::Fail(Box::default())), Err(Exit::InvariantViolated));
}

#[test]
fn what_broke_is_an_objective_or_else_the_cause_of_the_verdict() {
    let profile = profile();
    let cause = Some("the system could not follow".to_owned());
    for (grade, missed, broke) in [
        (Grade::Valid, None, None),
        (Grade::Suspect, None, None),
        (Grade::Suspect, Some(P99), Some(P99)),
        (Grade::Saturated, Some(P99), Some(P99)),
        (Grade::Saturated, None, cause.as_deref()),
        (Grade::Invalid, Some(P99), cause.as_deref()),
        (Grade::Failed, None, cause.as_deref()),
    ] {
        let mut report = report(&profile, Simulated { millis: 80, ..Simulated::default() });
        (report.verdict.grade, report.verdict.cause) = (grade, cause.clone());
        report.missed.retain(|_| missed.is_some());
        let step = judge(&report, 100.0, true).unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!((step.broke.as_deref(), step.met), (broke, broke.is_none()), "{grade:?} {missed:?}");
    }
}

#[tokio::test]
async fn a_system_that_refuses_everything_meets_no_objective_however_fast_it_does() {
    let simulated = || Simulated { answered: 0, refused: 50, ..Simulated::default() };
    let errors =
        Profile { objectives: vec!["p99<1s".parse().expect("an objective")], seed: 9, ..Profile::default() };
    let found = search(PLAN, &errors, async |profile| Ok(report(&profile, simulated()))).await.expect("ends");
    let failure = found.failure().expect("none met");
    let said = failure.error.to_string();
    assert_eq!((failure.exit, found.met), (Exit::ObjectiveMissed, None));
    assert!(said.contains("nothing succeeded: the system refused all 50 requests, such as 404"), "{said}");
}
