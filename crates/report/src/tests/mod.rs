//! The real generator and verification against a system that is right, or wrong in one known way.

mod responder;
mod shop;
mod workload;

use std::time::Duration;

use ordersys_contract::Client;
use ordersys_contract::client::Endpoints;

use crate::bench as render;
use crate::tests::responder::{Contract, Habits, Trouble, start};
use crate::tests::shop::Defect;
use ordersys_bench::profile::{ExistingStock, Profile};
use ordersys_bench::result::report::Report;
use ordersys_bench::settings::Environment;
use ordersys_command::{Events, Exit, Outcome};
use ordersys_workload::model::{Arrivals, CountRange, LoadModel, StopCondition};

fn profile(count: u64) -> Profile {
    Profile {
        pace: LoadModel::ClosedLoop,
        stop_condition: StopCondition::Count(count),
        warmup: Duration::ZERO,
        connections: 8,
        threads: 2,
        timeout: Duration::from_secs(1),
        seed: 1,
        lines: CountRange::new(1, 3).expect("a range"),
        quantity: CountRange::new(1, 2).expect("a range"),
        users: 4,
        products: 20,
        stock: 100_000,
        existing: ExistingStock::Sold,
        ..Profile::default()
    }
}

async fn bench(profile: &Profile, client: &Client) -> Outcome<Report> {
    ordersys_bench::run(profile, client, &Environment::default(), &Events::ignored(), &mut ()).await
}

/// The checks with this word, e.g. `FAIL`.
fn with(report: &Report, word: &str) -> String {
    let findings = report.verification.findings.iter().filter(|finding| finding.word() == word);
    findings.map(|finding| finding.check.id()).collect::<Vec<_>>().join(" ")
}

fn exit(report: &Report) -> Option<Exit> {
    report.failure().map(|failure| failure.exit)
}

#[tokio::test]
async fn a_correct_system_passes_every_check_and_the_books_balance() {
    let report = bench(&profile(1000), &start(Habits::default())).await.expect("runs");
    let counters = report.counters();
    assert_eq!((counters.planned, counters.sent, counters.ok), (1000, 1000, 1000));
    assert_eq!(with(&report, "PASS"), "V1 V2 V3 V4 V5 V6 V7 V8 V9 V10 A1 A2");
    assert_eq!(report.generated.totals.total.response.len(), 1000);
    assert_eq!(report.generated.ledger.len(), 1000);
    let rows = report.generated.series.rows();
    assert_eq!(rows.iter().map(|row| row.ok).sum::<u64>(), 1000);
    assert_ne!(exit(&report), Some(Exit::InvariantViolated));
}

#[tokio::test]
async fn a_thousand_orders_find_every_defect() {
    let cases = [
        (Defect::Lose, "V4"),
        (Defect::TakeTwice, "V1"),
        (Defect::StoreTwice, "V6"),
        (Defect::IgnoreKeys, "V6"),
        (Defect::WrongTotal, "V10"),
        (Defect::Phantom, "V5"),
        (Defect::FalselyOut, "V9"),
        (Defect::RefuseAndKeep, "V8"),
    ];
    for (defect, expected) in cases {
        let report =
            bench(&profile(1000), &start(Habits { defect, ..Habits::default() })).await.expect("runs");
        let failed = with(&report, "FAIL");
        assert!(failed.split(' ').any(|id| id == expected), "{defect:?}: {failed}");
        assert_eq!(exit(&report), Some(Exit::InvariantViolated), "{defect:?}");
    }
}

#[tokio::test]
async fn overselling_is_found_and_selling_out_is_not_blamed() {
    let scarce = Profile { stock: 20, ..profile(1000) };
    let oversold = start(Habits { defect: Defect::Oversell, ..Habits::default() });
    let report = bench(&scarce, &oversold).await.expect("runs");
    assert_eq!(with(&report, "FAIL"), "V2 V3");

    let report = bench(&scarce, &start(Habits::default())).await.expect("runs");
    assert_eq!(with(&report, "FAIL"), "");
    let counters = report.counters();
    assert!(counters.ok > 0 && counters.refused > 500, "{counters:?}");
    assert_eq!(report.generated.totals.total.refusals.len(), counters.refused);
}

#[tokio::test]
async fn lost_answers_are_resolved_without_a_false_alarm() {
    for trouble in [Trouble::Reset, Trouble::Late, Trouble::Accept, Trouble::Overloaded] {
        let client = start(Habits { trouble, ..Habits::default() });
        let report = bench(&profile(400), &client).await.expect("runs");
        let counters = report.counters();
        assert_eq!(with(&report, "FAIL"), "", "{trouble:?}: {:?}", report.verification);
        let (failed, late, refused) = (counters.failed, counters.timed_out, counters.refused);
        let expected = match trouble {
            Trouble::Reset => failed,
            Trouble::Late => late,
            Trouble::Overloaded => refused,
            _ => report
                .generated
                .totals
                .total
                .kinds
                .iter()
                .filter(|kind| kind.status == 202)
                .map(|kind| kind.count)
                .sum(),
        };
        assert_eq!(expected, 10, "{trouble:?}: every 40th of 400: {counters:?}");
        if trouble == Trouble::Late {
            assert!(report.generated.totals.total.response.quantile(0.999).at_least);
            assert!(render::text(&ordersys_bench::result::RunResult::of(&report)).contains(">="));
        }
    }
}

#[tokio::test]
async fn a_system_of_the_article_is_verified_as_far_as_it_goes() {
    let article = Habits { contract: Contract::Article, ..Habits::default() };
    let small = Profile { lines: CountRange::ONE, ..profile(500) };
    let report = bench(&small, &start(article)).await.expect("runs");
    assert_eq!(with(&report, "PASS"), "V1 V2 V3 V4 V7 V9 V10");
    assert_eq!(with(&report, "SKIP"), "V5 V6 V8 A1 A2 A3", "500 requests say little of shares");

    let report = bench(&small, &start(Habits { defect: Defect::Lose, ..article })).await.expect("runs");
    assert_eq!(with(&report, "FAIL"), "V4");
    let report = bench(&small, &start(Habits { defect: Defect::TakeTwice, ..article })).await.expect("runs");
    assert_eq!(with(&report, "FAIL"), "V1");
}

#[tokio::test]
async fn an_open_loop_sends_what_was_planned() {
    let pace = LoadModel::OpenLoop { rate: 400.0, arrivals: Arrivals::Even };
    let stop_condition = StopCondition::For(Duration::from_secs(1));
    let open = Profile { pace, stop_condition, warmup: Duration::from_millis(500), ..profile(1) };
    let report = bench(&open, &start(Habits::default())).await.expect("runs");
    let counters = report.counters();
    assert_eq!(counters.planned, 400, "exactly the plan of the window");
    assert_eq!(report.generated.totals.warmup.planned, 200);
    assert_eq!(counters.balance(), Ok(()));
    assert_eq!(report.generated.ledger.len() as u64, counters.sent + report.generated.totals.warmup.sent);
    assert_eq!(with(&report, "FAIL"), "");
}

#[tokio::test]
async fn a_stall_shows_in_the_response_of_all_it_delayed_and_in_the_service_of_few() {
    let pace = LoadModel::OpenLoop { rate: 500.0, arrivals: Arrivals::Even };
    let stop_condition = StopCondition::For(Duration::from_millis(1500));
    let stalled = Profile { pace, stop_condition, connections: 4, ..profile(1) };
    let trouble = Trouble::Stall(Duration::from_millis(600));
    let report = bench(&stalled, &start(Habits { trouble, ..Habits::default() })).await.expect("runs");
    let total = &report.generated.totals.total;
    let slow = |distribution: &ordersys_loadgen::measure::distribution::Distribution| {
        distribution.histogram().count_between(200_000_000, u64::MAX)
    };
    // 600 ms at 500/s: 300 requests were due, 200 of them more than 200 ms before its end.
    assert!(slow(&total.response) >= 150, "{}", slow(&total.response));
    assert!(slow(&total.service) <= 20, "one for each connection: {}", slow(&total.service));
}

#[tokio::test]
async fn what_finds_no_room_is_skipped_and_what_is_left_is_unsent() {
    let pace = LoadModel::OpenLoop { rate: 2000.0, arrivals: Arrivals::Poisson };
    let stop_condition = StopCondition::For(Duration::from_secs(1));
    let timeout = Duration::from_millis(300);
    let blocked = Profile { pace, stop_condition, timeout, connections: 2, threads: 1, ..profile(1) };
    let trouble = Trouble::Stall(Duration::from_secs(3));
    let client = start(Habits { trouble, ..Habits::default() });
    let report = bench(&blocked, &client).await.expect("runs");
    let counters = report.counters();
    assert!(counters.skipped > 0 && counters.unsent > 0 && counters.timed_out > 0, "{counters:?}");
    assert_eq!(counters.balance(), Ok(()));
    assert_eq!(with(&report, "FAIL"), "", "{:?}", report.verification);
}

#[tokio::test]
async fn what_is_not_there_is_told_before_anything_is_counted() {
    // Bound and dropped: no server listens there any more.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", free.local_addr().expect("bound"));
    drop(free);
    let client = Client::new(Endpoints {
        user: url.clone(),
        product: url.clone(),
        order: url,
        ..Endpoints::default()
    });
    let failure = bench(&profile(1), &client).await.expect_err("no server listens");
    assert_eq!(failure.exit, Exit::Environment);
    assert!(failure.error.to_string().contains("user service"), "{}", failure.error);
}

#[tokio::test]
async fn a_missed_objective_ends_with_its_own_exit_code() {
    let objectives = ordersys_bench::verdict::slo::parse("max<1us,errors<1%").expect("parses");
    let strict = Profile { objectives, ..profile(200) };
    let report = bench(&strict, &start(Habits::default())).await.expect("runs");
    assert_eq!(report.missed.len(), 1, "{:?}", report.missed);
    // A machine under strain may make the run invalid, which counts more.
    assert!(matches!(exit(&report), Some(Exit::ObjectiveMissed | Exit::InvalidRun)));
}

#[tokio::test]
async fn the_core_of_the_report_has_the_promised_members() {
    let report = bench(&profile(100), &start(Habits::default())).await.expect("runs");
    let core = serde_json::to_value(report.core()).expect("JSON");
    let members = |value: &serde_json::Value| {
        let members = value.as_object().expect("an object").keys().cloned();
        members.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        members(&core),
        "cause command cpuMicrosPerRequest endpoints latency settings stages startedAt stillGood totals verdict \
         verification version"
    );
    assert_eq!(
        members(&core["totals"]),
        "aborted failed ok planned refused retries sent skipped throughput timedOut unsent"
    );
    assert_eq!(members(&core["latency"]), "connectionWait generatorLag response service");
    assert_eq!(members(&core["latency"]["response"]), "max mean min p50 p75 p90 p95 p99 p999");
    assert_eq!(core["verification"][0], serde_json::json!({"id": "V1", "result": "PASS", "witness": null}));
    assert_eq!(core["latency"]["generatorLag"]["max"], 0.0, "a closed loop has no lag");

    let dir = tempfile::tempdir().expect("a directory");
    crate::export::write(&report, dir.path()).expect("writes");
    let stored = std::fs::read(dir.path().join("result.json")).expect("is there");
    let stored: serde_json::Value = serde_json::from_slice(&stored).expect("JSON");
    for member in core.as_object().expect("an object").keys() {
        assert_eq!(stored[member], core[member], "{member}");
    }
    let plot = std::fs::read_to_string(dir.path().join("response.hgrm")).expect("is there");
    assert!(plot.contains("Total count    =          100]"), "{plot}");
}
