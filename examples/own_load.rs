//! An own load scenario on the load tester's engine: a sale in which few products sell out under an
//! open loop, measured and verified.
//!
//! `cargo run --example own_load -- http://127.0.0.1:3001 http://127.0.0.1:3002 http://127.0.0.1:3003`
//!
//! With the admin credential of the stack as a fourth argument the run makes its own products; without
//! it, it orders what the system has, as against any system that speaks the article's contract.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use anyhow::Context as _;
use ordersys::render::Printer;
use ordersys_bench::profile::Profile;
use ordersys_bench::settings::Environment;
use ordersys_bench::verdict::slo::Measured as _;
use ordersys_contract::client::Endpoints;
use ordersys_contract::{Client, Secret};
use ordersys_workload::model::{Arrivals, CountRange, LoadModel, StopCondition};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let mut next = |which| args.next().with_context(|| format!("name the URL of the {which} service"));
    let endpoints = Endpoints {
        user: next("user")?,
        product: next("product")?,
        order: next("order")?,
        ..Endpoints::default()
    };
    let credential = args.next().and_then(|token| Secret::new(&token));
    let client = Client::new(endpoints).with_credential(credential);

    let sale = Profile {
        pace: LoadModel::OpenLoop { rate: 200.0, arrivals: Arrivals::Poisson },
        stop_condition: StopCondition::For(Duration::from_secs(3)),
        connections: 32,
        lines: CountRange::new(1, 2).context("1 to 2 is a range")?,
        products: 3,
        stock: 100,
        ..Profile::default()
    };
    let report = ordersys::render::run(&sale, &client, &Environment::default(), &Printer::silent())
        .await
        .map_err(|failure| failure.error)?;

    let counters = report.counters();
    println!("throughput {:.1} orders/s", report.throughput());
    if let Some(p99) = report.response(0.99) {
        println!("p99 {:.1} ms", p99.millis());
    }
    println!("{} planned: {} ok, {} refused", counters.planned, counters.ok, counters.refused);
    for finding in &report.verification.findings {
        println!("{} {}", finding.word(), finding.check.statement());
    }
    println!("verdict {}", report.verdict.grade.word());
    match report.failure() {
        Some(failure) => Err(failure.error),
        None => Ok(()),
    }
}
