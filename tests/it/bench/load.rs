//! The load tester against real services: everything a workload can ask for, and a target that dies.

use std::time::{Duration, Instant};

use ordersys::render::{Output, Printer};
use ordersys_bench::profile::Profile;
use ordersys_bench::result::report::Report;
use ordersys_bench::settings::Environment;
use ordersys_contract::Client;
use ordersys_contract::Role;
use ordersys_contract::client::OrderFilter;
use ordersys_testkit::{LIMIT, Processes, Stack, busy};
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::model::{CountRange, StopCondition, Verification};

const ALL: &str = "order:60,repeat:10,bad:5,read:10,track:5,cancel:5,restock:5,live:5";

fn profile() -> Profile {
    Profile {
        warmup: Duration::ZERO,
        connections: 8,
        threads: 2,
        lines: CountRange::new(1, 3).expect("a range"),
        products: 20,
        mix: ALL.parse().expect("a mix"),
        skew: "zipf:0.99".parse().expect("a skew"),
        ..Profile::default()
    }
}

async fn bench(profile: &Profile, client: &Client) -> Report {
    let (environment, printer) = (Environment::default(), Printer::new(Output::Table, true));
    Box::pin(ordersys::render::run(profile, client, &environment, &printer)).await.expect("runs")
}

fn with(report: &Report, word: &str) -> String {
    let findings = report.verification.findings.iter().filter(|finding| finding.word() == word);
    findings
        .map(|finding| format!("{} {}", finding.check.id(), finding.detail()))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Waits until the system took an order.
async fn an_order(client: &Client) {
    let began = Instant::now();
    while client.orders(&OrderFilter::default()).await.is_ok_and(|page| page.items.is_empty()) {
        assert!(began.elapsed() < LIMIT, "no order was taken");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mix_is_answered_as_it_should_be_and_verified() {
    let _turn = busy().await;
    let stack = Stack::start().await;
    let report =
        bench(&Profile { stop_condition: StopCondition::Count(1500), ..profile() }, &stack.admin()).await;
    let tally = &report.generated.totals;
    assert_eq!(with(&report, "FAIL"), "");
    assert_eq!(report.counters().failed, 0, "{:?}", tally.total.kinds);
    for endpoint in Endpoint::ALL {
        let counters = tally.endpoints[&endpoint].counters;
        assert!(counters.ok > 0, "{}: {counters:?} {:?}", endpoint.name(), tally.total.kinds);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_dies_and_comes_back_loses_nothing() {
    let _turn = busy().await;
    let mut services = Processes::start().await.expect("starts");
    let client = services.client("admin.token").expect("a client");
    let asked =
        Profile { stop_condition: StopCondition::For(Duration::from_secs(3)), retries: 5, ..profile() };
    let trouble = async {
        an_order(&client).await;
        services.kill(Role::Order).expect("dies");
        services.spawn(Role::Order, "").expect("starts again");
    };
    let (report, ()) = tokio::join!(bench(&asked, &client), trouble);
    assert_eq!(with(&report, "FAIL"), "");
    assert_eq!(report.verification.incomplete, None);
    assert!(report.generated.totals.total.retries > 0, "{:?}", report.counters());
    assert_eq!(report.generated.totals.balance(&report.generated.series), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_dies_for_good_leaves_true_books() {
    let _turn = busy().await;
    let mut services = Processes::start().await.expect("starts");
    let client = services.client("admin.token").expect("a client");
    let lasts = Duration::from_secs(2);
    let asked =
        Profile { stop_condition: StopCondition::For(lasts), verification: Verification::Off, ..profile() };
    let trouble = async {
        an_order(&client).await;
        services.kill(Role::Order).expect("dies");
    };
    let (report, ()) = tokio::join!(bench(&asked, &client), trouble);
    let counters = report.counters();
    assert!(counters.ok > 0 && counters.failed > 0, "{counters:?}");
    assert_eq!(
        (counters.planned, counters.sent),
        (counters.sent + counters.unsent + counters.skipped, counters.done())
    );
    assert_eq!(report.generated.totals.balance(&report.generated.series), Ok(()));
    assert_eq!(report.generated.elapsed, lasts);
}
