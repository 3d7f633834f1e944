//! Stages, mixes, retries and races, with the real generator against the system in this process.

use std::time::Duration;

use crate::bench as render;
use crate::tests::responder::{Contract, Habits, Trouble, start};
use crate::tests::shop::Defect;
use crate::tests::{bench, exit, profile, with};
use ordersys_bench::profile::Profile;
use ordersys_bench::result::RunResult;
use ordersys_command::Exit;
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::model::{Arrivals, CountRange, LoadModel, StopCondition};

const ALL: &str = "order:60,repeat:10,bad:5,read:10,track:5,cancel:5,restock:5,live:5";

fn mixed(mix: &str, count: u64) -> Profile {
    Profile { mix: mix.parse().expect(mix), skew: "zipf:0.99".parse().expect("a skew"), ..profile(count) }
}

#[tokio::test]
async fn a_mix_is_sent_counted_and_verified_by_endpoint() {
    let report = bench(&mixed(ALL, 4000), &start(Habits::default())).await.expect("runs");
    assert_eq!(with(&report, "FAIL"), "", "{:?}", report.verification);
    assert_eq!(with(&report, "PASS"), "V1 V2 V3 V4 V5 V6 V7 V8 V9 V10 A1 A2");
    let totals = &report.generated.totals;
    assert_eq!((report.counters().ok, report.counters().failed), (4000, 0), "{:?}", totals.total.kinds);
    let planned: Vec<_> = totals
        .endpoints
        .iter()
        .map(|(endpoint, recording)| (*endpoint, recording.counters.planned))
        .collect();
    assert_eq!(planned.iter().map(|(endpoint, _)| *endpoint).collect::<Vec<_>>(), Endpoint::ALL);
    assert_eq!(planned.iter().map(|(_, planned)| planned).sum::<u64>(), 4000);
    assert!(planned.iter().all(|(_, planned)| (120..2700).contains(planned)), "{planned:?}");
    assert!(totals.endpoints[&Endpoint::Read].service.len() > 300);
    let bad = totals.total.kinds.iter().filter(|kind| matches!(kind.status, 400 | 422));
    assert_eq!(bad.map(|kind| kind.count).sum::<u64>(), totals.endpoints[&Endpoint::Bad].counters.ok);
}

#[tokio::test]
async fn only_answers_to_orders_are_called_orders() {
    let said = async |mix: &str| {
        let report = bench(&mixed(mix, 300), &start(Habits::default())).await.expect("runs");
        render::text(&RunResult::of(&report))
    };
    let (orders, both, live) = (said("order:1").await, said("order:1,read:1").await, said("live:1").await);
    assert!(orders.contains(" orders/s over "), "{orders}");
    assert!(both.contains(" right answers/s, of these ") && both.contains(" orders/s, over "), "{both}");
    assert!(live.contains(" right answers/s over ") && !live.contains("orders/s"), "{live}");
}

#[tokio::test]
async fn defects_of_what_a_mix_adds_are_found() {
    for (defect, expected) in [
        (Defect::CancelAndKeep, "V1"),
        (Defect::LoseRestock, "V1"),
        (Defect::IgnoreKeys, "V6"),
        (Defect::TakeTwice, "V1"),
        (Defect::Lose, "V4"),
    ] {
        let report =
            bench(&mixed(ALL, 2000), &start(Habits { defect, ..Habits::default() })).await.expect("runs");
        let failed = with(&report, "FAIL");
        assert!(failed.split(' ').any(|id| id == expected), "{defect:?}: {failed}");
    }
    let report =
        bench(&mixed("order:9,bad:1", 1000), &start(Habits { defect: Defect::TakeBad, ..Habits::default() }))
            .await
            .expect("runs");
    let bad = report.generated.totals.endpoints[&Endpoint::Bad].counters;
    assert!(bad.failed > 50 && bad.ok == 0, "{bad:?}");
}

#[tokio::test]
async fn lost_answers_of_a_mix_raise_no_alarm() {
    for trouble in [Trouble::Reset, Trouble::Late, Trouble::Accept, Trouble::Overloaded] {
        let client = start(Habits { trouble, ..Habits::default() });
        let report = bench(&mixed(ALL, 600), &client).await.expect("runs");
        assert_eq!(with(&report, "FAIL"), "", "{trouble:?}: {:?}", report.verification);
    }
}

#[tokio::test]
async fn retries_send_the_same_key_until_the_answer_is_definite() {
    for trouble in [Trouble::Reset, Trouble::Overloaded] {
        let client = start(Habits { trouble, ..Habits::default() });
        let report = bench(&Profile { retries: 3, ..profile(400) }, &client).await.expect("runs");
        let (counters, retries) = (report.counters(), report.generated.totals.total.retries);
        assert_eq!(
            (counters.planned, counters.sent, counters.ok),
            (400, 400, 400),
            "{trouble:?}: {counters:?}"
        );
        assert!((10..=12).contains(&retries), "every 40th try of 400 and some: {retries}");
        assert_eq!(with(&report, "FAIL"), "", "{trouble:?}: {:?}", report.verification);
    }
}

#[tokio::test]
async fn a_race_sells_each_unit_once() {
    let race = Profile {
        products: 1,
        stock: 50,
        lines: CountRange::ONE,
        quantity: CountRange::ONE,
        ..profile(1000)
    };
    let report = bench(&race, &start(Habits::default())).await.expect("runs");
    assert_eq!((report.counters().ok, report.counters().refused), (50, 950));
    assert_eq!(with(&report, "FAIL"), "");
}

#[tokio::test]
async fn each_stage_has_its_own_books_and_times() {
    let stages = "100/s:500ms,100..500/s:1s,50/s:500ms".parse().expect("stages");
    let staged = Profile {
        pace: LoadModel::Ramping { stages, arrivals: Arrivals::Even },
        stop_condition: StopCondition::For(Duration::from_secs(2)),
        warmup: Duration::from_millis(500),
        ..profile(1)
    };
    let report = bench(&staged, &start(Habits::default())).await.expect("runs");
    let totals = &report.generated.totals;
    let planned: Vec<_> = totals.stages.iter().map(|stage| stage.counters.planned).collect();
    assert_eq!(planned, [50, 300, 25], "the warm-up is none of them: {:?}", totals.warmup);
    assert_eq!(totals.warmup.planned, 50);
    let core = serde_json::to_value(report.core()).expect("JSON");
    let rates: Vec<_> =
        core["stages"].as_array().expect("stages").iter().map(|stage| &stage["rate"]).collect();
    assert_eq!(rates, ["100/s", "100..500/s", "50/s"]);
    assert_eq!(core["stages"][1]["startSeconds"], 0.5);
    assert_eq!(core["stages"][1]["totals"]["planned"], 300);
    assert_eq!(core["endpoints"][0]["endpoint"], "order");
    assert_eq!(core["settings"]["stages"], "100/s:500ms,100..500/s:1s,50/s:500ms");
}

#[tokio::test]
async fn what_a_system_of_the_article_does_not_offer_is_refused_before_the_run() {
    let article = || start(Habits { contract: Contract::Article, ..Habits::default() });
    for asked in [mixed("order:9,cancel:1", 10), Profile { retries: 1, ..profile(10) }] {
        let failure = bench(&asked, &article()).await.expect_err("not offered");
        assert_eq!(failure.exit, Exit::Usage, "{}", failure.error);
    }
    let offered = Profile { lines: CountRange::ONE, ..mixed("order:8,read:1,track:1", 1500) };
    let report = bench(&offered, &article()).await.expect("runs");
    assert_ne!(exit(&report), Some(Exit::InvariantViolated), "{:?}", report.verification);
    assert_eq!(with(&report, "SKIP"), "V5 V6 V8 A3");
}
