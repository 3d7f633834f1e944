//! The load tester: profile -> plan and schedule -> threads and connections -> recordings -> verdict and
//! verification -> report.

pub mod answer;
pub mod audit;
mod bearer;
pub mod books;
mod buyer;
mod buyers;
pub mod calibrate;
pub mod clock;
mod closed;
pub mod compare;
mod connection;
mod cpu;
mod crew;
mod digits;
pub mod distribution;
pub mod endpoint;
pub mod engine;
mod errand;
pub mod export;
pub mod faults;
pub mod html;
mod inbox;
pub mod intent;
pub mod interval_log;
mod key;
mod known;
pub mod ledger;
mod limits;
mod live;
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
pub mod result;
pub mod retry;
pub mod saturate;
pub mod schedule;
mod seat;
pub mod series;
pub mod settings;
pub mod sheet;
pub mod skew;
pub mod slo;
pub mod span;
pub mod stages;
pub mod stats;
pub mod stop;
pub mod storm;
pub mod syntax;
pub mod tally;
pub mod target;
mod thread;
pub mod verdict;
mod worker;

use anyhow::Context as _;
use ordersys_contract::Client;

use crate::cli::{Exit, Failure, OrFail, Outcome};
use crate::stack::halt::Halted;
use crate::ui::{Printer, stops};
use crate::verify::input::Asked;
use crate::verify::watch::StockWatch;
use crate::verify::{self, Subject, Verification};
use engine::{Assignment, Generated};
use interval_log::{IntervalLog, LogFile};
use live::Live;
use profile::Profile;
use report::Report;
use settings::{Ground, Settings, Surroundings};
use stop::Stop;
use storm::Storm;
use target::{NotATarget, Target, Targets};

/// Runs a profile against a system: prepare, load, verify, judge. The report may still say that the run
/// failed: see [`Report::failure`]. The first Ctrl-C ends the load, and what there was of it is verified and
/// reported; the second ends what comes after it.
pub async fn run(
    profile: &Profile,
    client: &Client,
    surroundings: &Surroundings,
    printer: &Printer,
) -> Outcome<Report> {
    let services = if profile.mix.needs_products() { 2 } else { 1 };
    limits::make_room(profile.connections.saturating_mul(services))?;
    let storm = Storm::prepare(profile, surroundings.chaos.clone())?;
    let mut stop = Stop::listen().context("cannot wait for Ctrl-C")?;
    let targets = resolve(profile, client).await?;
    let prepared = tokio::select! {
        prepared = prepare::prepare(profile, client, printer) => prepared?,
        () = stop.next() => return Err(interrupted()),
    };
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
    let mut generated = generate(assignment, &mut stop, printer).await?;
    let verification = match profile.verification {
        profile::Verification::Off => Some(Verification::skipped("asked not to with --no-verify")),
        profile::Verification::On => {
            let subject = Subject {
                client,
                dialect: prepared.dialect,
                plan: &prepared.plan,
                ledger: &generated.ledger,
                asked: Asked { audit: &generated.audit, pace: &profile.pace },
                negative: &watch.finish(),
            };
            tokio::select! {
                verification = check(subject, printer) => Some(verification),
                () = stop.next() => None,
            }
        }
    };
    generated.interrupted |= verification.is_none();
    let verification = verification.unwrap_or_else(|| Verification::skipped("given up by Ctrl-C"));
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

async fn generate(assignment: Assignment<'_>, stop: &mut Stop, printer: &Printer) -> Outcome<Generated> {
    let profile = assignment.profile;
    let file = profile.log.as_deref().map(LogFile::create).transpose();
    let mut file = file.hint("name another directory with --out")?;
    let mut log = file.as_mut().map(LogFile::begin).transpose()?;
    let screen = printer.screen().context("cannot take the terminal")?;
    if screen.is_some() {
        stop.also(stops());
    }
    let mut live = Live::begin(profile, printer, screen);
    let generated = engine::generate(assignment, stop, |second| {
        live.show(&second);
        if let Some(log) = &mut log {
            log.add(&second);
        }
    });
    let generated = generated.await;
    live.end();
    let generated = generated.map_err(|error| match error.downcast_ref() {
        Some(Halted::Interrupted) => interrupted(),
        _ => error.into(),
    })?;
    log.map_or(Ok(()), IntervalLog::result)?;
    file.map_or(Ok(()), LogFile::finish)?;
    generated.tally.balance(&generated.series).map_err(|wrong| {
        Failure::new(Exit::Failed, format!("the books of the run do not balance, which is a defect: {wrong}"))
    })?;
    Ok(generated)
}

async fn check(subject: Subject<'_>, printer: &Printer) -> Verification {
    let progress = printer.progress(None, "verifying");
    let verification = verify::verify(subject, |step| progress.message(step)).await;
    progress.finish();
    verification
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted")
}

#[cfg(test)]
mod tests;
