//! The load tester: profile -> plan and schedule -> threads and connections -> recordings -> verdict and
//! verification -> report.

pub mod answer;
pub mod audit;
pub mod books;
pub mod clock;
mod closed;
mod connection;
mod cpu;
mod digits;
pub mod distribution;
pub mod endpoint;
pub mod engine;
mod errand;
pub mod export;
pub mod faults;
mod inbox;
pub mod intent;
mod known;
pub mod ledger;
mod limits;
pub mod mark;
pub mod mix;
pub mod noop;
mod open;
mod pacer;
pub mod piece;
pub mod plan;
mod prepare;
pub mod profile;
pub mod pulse;
pub mod reconcile;
pub mod recording;
pub mod render;
pub mod report;
pub mod retry;
pub mod schedule;
mod seat;
pub mod series;
pub mod settings;
pub mod sheet;
pub mod skew;
pub mod slo;
pub mod span;
pub mod stages;
pub mod storm;
pub mod syntax;
pub mod tally;
pub mod target;
mod thread;
pub mod verdict;
mod worker;

use ordersys_contract::Client;

use crate::cli::{Exit, Failure, OrFail, Outcome};
use crate::stack::halt::interrupt;
use crate::ui::{Printer, Progress};
use crate::verify::input::Asked;
use crate::verify::watch::StockWatch;
use crate::verify::{self, Subject, Verification};
use engine::{Assignment, Generated};
use profile::{Extent, Profile};
use report::Report;
use series::Row;
use settings::{Ground, Settings, Surroundings};
use storm::Storm;
use target::{NotATarget, Target, Targets};

/// Runs a profile against a system: prepare, load, verify, judge. The report may still say that the run
/// failed: see [`Report::failure`].
pub async fn run(
    profile: &Profile,
    client: &Client,
    surroundings: &Surroundings,
    printer: &Printer,
) -> Outcome<Report> {
    let services = if profile.mix.needs_products() { 2 } else { 1 };
    limits::make_room(profile.connections.saturating_mul(services))?;
    let storm = Storm::prepare(profile, surroundings.chaos.clone())?;
    let targets = resolve(profile, client).await?;
    let prepared = unless_interrupted(prepare::prepare(profile, client, printer)).await?;
    let ground = Ground {
        endpoints: client.endpoints(),
        surroundings,
        dialect: prepared.dialect,
        products: prepared.plan.products().len(),
    };
    let settings = Settings::new(profile, ground);
    let watch = StockWatch::start(client.clone(), prepared.plan.clone());
    let server_pids = &surroundings.server_pids;
    let assignment = Assignment { profile, plan: prepared.plan.clone(), targets, server_pids, storm: &storm };
    let generated = generate(assignment, printer).await?;
    let verification = match profile.verification {
        profile::Verification::Off => Verification::skipped("asked not to with --no-verify"),
        profile::Verification::On => {
            let subject = Subject {
                client,
                dialect: prepared.dialect,
                plan: &prepared.plan,
                ledger: &generated.ledger,
                asked: Asked { audit: &generated.audit, pace: &profile.pace },
                negative: &watch.finish(),
            };
            unless_interrupted(check(subject, printer)).await?
        }
    };
    Ok(Report::new(profile, settings, generated, verification))
}

async fn resolve(profile: &Profile, client: &Client) -> Outcome<Targets> {
    let urls = client.endpoints();
    let orders = resolve_one(profile, client, (&urls.order, "--order-url")).await?;
    let products = if profile.mix.needs_products() {
        Some(resolve_one(profile, client, (&urls.product, "--product-url")).await?)
    } else {
        None
    };
    Ok(Targets { orders, products })
}

async fn resolve_one(profile: &Profile, client: &Client, (url, option): (&str, &str)) -> Outcome<Target> {
    Target::resolve(url, client.credential(), profile.timeout).await.map_err(|error| {
        let exit = match error {
            NotATarget::Malformed { .. } => Exit::Usage,
            NotATarget::Unresolved { .. } => Exit::Environment,
        };
        Failure { exit, error: error.into(), hint: Some(format!("check {option}")) }
    })
}

async fn generate(assignment: Assignment<'_>, printer: &Printer) -> Outcome<Generated> {
    let profile = assignment.profile;
    let total = match profile.extent {
        Extent::For(duration) => duration.as_secs(),
        Extent::Count(count) => count,
    };
    let progress = printer.progress(Some(total), "load");
    progress.message("connecting and warming up");
    let generated = engine::generate(assignment, |row| show(profile.extent, row, &progress)).await;
    progress.finish();
    let generated = generated?;
    generated.tally.balance(&generated.series).map_err(|wrong| {
        Failure::new(Exit::Failed, format!("the books of the run do not balance, which is a defect: {wrong}"))
    })?;
    Ok(generated)
}

fn show(extent: Extent, row: &Row, progress: &Progress) {
    match extent {
        Extent::For(_) => progress.set(row.at + 1),
        Extent::Count(_) => progress.add(row.done),
    }
    progress.message(format!(
        "planned {}/s, sent {}/s, ok {}/s, p50 {:.1} ms, p99 {:.1} ms, not ok {}/s",
        row.planned, row.sent, row.ok, row.p50, row.p99, row.not_ok
    ));
}

async fn check(subject: Subject<'_>, printer: &Printer) -> Outcome<Verification> {
    let progress = printer.progress(None, "verifying");
    let verification = verify::verify(subject, |step| progress.message(step)).await;
    progress.finish();
    Ok(verification)
}

/// The work, unless Ctrl-C comes first.
async fn unless_interrupted<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::select! {
        done = work => done,
        signal = interrupt() => {
            signal.exit(Exit::Failed)?;
            Err(Failure::new(Exit::Interrupted, "interrupted"))
        }
    }
}

#[cfg(test)]
mod tests;
