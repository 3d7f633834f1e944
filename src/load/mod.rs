//! The load tester: profile -> plan and schedule -> threads and connections -> recordings -> verdict and
//! verification -> report.

pub mod answer;
pub mod books;
pub mod clock;
mod closed;
mod connection;
mod cpu;
pub mod distribution;
pub mod endpoint;
pub mod engine;
pub mod export;
pub mod faults;
mod inbox;
pub mod ledger;
mod limits;
pub mod mark;
pub mod noop;
mod open;
mod pacer;
pub mod plan;
mod prepare;
pub mod profile;
pub mod pulse;
pub mod recording;
pub mod render;
pub mod report;
pub mod schedule;
pub mod series;
pub mod settings;
pub mod sheet;
pub mod slo;
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
use crate::verify::watch::StockWatch;
use crate::verify::{self, Subject, Verification};
use engine::{Assignment, Generated};
use prepare::Prepared;
use profile::{Extent, Profile};
use report::Report;
use series::Row;
use settings::{Ground, Settings, Surroundings};
use storm::Storm;
use target::{NotATarget, Target};

/// Runs a profile against a system: prepare, load, verify, judge. The report may still say that the run
/// failed: see [`Report::failure`].
pub async fn run(
    profile: &Profile,
    client: &Client,
    surroundings: &Surroundings,
    printer: &Printer,
) -> Outcome<Report> {
    limits::make_room(profile.connections)?;
    let storm = Storm::prepare(profile, surroundings.chaos.clone())?;
    let target = resolve(profile, client).await?;
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
    let assignment = Assignment { profile, plan: prepared.plan.clone(), target, server_pids, storm: &storm };
    let generated = generate(assignment, printer).await?;
    let verification = match profile.verification {
        profile::Verification::Off => Verification::skipped("asked not to with --no-verify"),
        profile::Verification::On => {
            unless_interrupted(check(client, &prepared, &generated, &watch.finish(), printer)).await?
        }
    };
    Ok(Report::new(profile, settings, generated, verification))
}

async fn resolve(profile: &Profile, client: &Client) -> Outcome<Target> {
    Target::resolve(&client.endpoints().order, profile.timeout).await.map_err(|error| {
        let exit = match error {
            NotATarget::Malformed { .. } => Exit::Usage,
            NotATarget::Unresolved { .. } => Exit::Environment,
        };
        Failure { exit, error: error.into(), hint: Some("check --order-url".to_owned()) }
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

async fn check(
    client: &Client,
    prepared: &Prepared,
    generated: &Generated,
    negative: &[(u32, i64)],
    printer: &Printer,
) -> Outcome<Verification> {
    let progress = printer.progress(None, "verifying");
    let subject = Subject {
        client,
        dialect: prepared.dialect,
        plan: &prepared.plan,
        ledger: &generated.ledger,
        negative,
    };
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
