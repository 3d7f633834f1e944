//! One run, from its profile to its report: prepare, load, verify, judge.

use std::pin::pin;
use std::time::{Instant, SystemTime};

use anyhow::Context as _;
use ordersys_contract::Client;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::faults::annotation::Annotation;
use crate::faults::injector::{ActiveFaults, FaultInjector, InjectedFault};
use crate::profile::Profile;
use crate::result::interval_log::{IntervalLog, LogFile};
use crate::result::report::Report;
use crate::settings::{Environment, RunContext, Settings};
use crate::stop::Stop;
use crate::{fd_limit as limits, prepare};
use ordersys_command::{Events, Exit, Failure, OrFail, Outcome};
use ordersys_loadgen::conn::target::{NotATarget, Target, Targets};
use ordersys_loadgen::engine::{Assignment, Generated, GeneratorError, Running, Second};
use ordersys_verify as verify;
use ordersys_verify::run::generator_checks::Asked;
use ordersys_verify::system::stock_monitor::StockWatch;
use ordersys_verify::{SystemUnderTest, Verification};

/// Shows a run while it goes on.
pub trait Viewer {
    /// The load begins. Each message that comes back asks to end the run, as Ctrl-C does.
    fn begin(&mut self, profile: &Profile) -> std::io::Result<Option<UnboundedReceiver<()>>>;
    /// One more second is over.
    fn second(&mut self, second: &Second<'_>);
    /// The load is over.
    fn end(&mut self);
}

/// Shows nothing.
impl Viewer for () {
    fn begin(&mut self, _profile: &Profile) -> std::io::Result<Option<UnboundedReceiver<()>>> {
        Ok(None)
    }

    fn second(&mut self, _second: &Second<'_>) {}

    fn end(&mut self) {}
}

/// Runs a profile against a system: prepare, load, verify, judge. The report may still say that the run
/// failed: see [`Report::failure`]. The first Ctrl-C ends the load, and what there was of it is verified and
/// reported; the second ends what comes after it.
pub async fn run(
    profile: &Profile,
    client: &Client,
    environment: &Environment,
    events: &Events,
    viewer: &mut dyn Viewer,
) -> Outcome<Report> {
    let services = if profile.mix.needs_products() { 2 } else { 1 };
    limits::make_room(profile.connections.saturating_mul(services))?;
    let injector = FaultInjector::prepare(profile, environment.chaos.clone())?;
    let mut stop = Stop::listen().context("cannot wait for Ctrl-C")?;
    let targets = resolve(profile, client).await?;
    let prepared = tokio::select! {
        prepared = prepare::prepare(profile, client, events) => prepared?,
        () = stop.next() => return Err(interrupted()),
    };
    let ground = RunContext {
        endpoints: client.endpoints(),
        environment,
        contract: prepared.contract,
        products: prepared.plan.products().len(),
    };
    let settings = Settings::new(profile, ground);
    let watch = StockWatch::start(client.clone(), prepared.plan.clone());
    let server_pids = &environment.server_pids;
    let assignment = Assignment { load: profile.load(), plan: prepared.plan.clone(), targets, server_pids };
    let Loaded { began, mut generated, marks } =
        generate(profile, &injector, assignment, &mut stop, viewer).await?;
    let verification = match profile.verification {
        ordersys_workload::model::Verification::Off => {
            Some(Verification::skipped("switched off by --no-verify"))
        }
        ordersys_workload::model::Verification::On => {
            let subject = SystemUnderTest {
                client,
                contract: prepared.contract,
                plan: &prepared.plan,
                ledger: &generated.ledger,
                asked: Asked { audit: &generated.audit, pace: &profile.pace },
                negative: &watch.finish(),
            };
            tokio::select! {
                verification = check(subject, events) => Some(verification),
                () = stop.next() => None,
            }
        }
    };
    generated.interrupted |= verification.is_none();
    let verification = verification.unwrap_or_else(|| Verification::skipped("given up by Ctrl-C"));
    let report = Report::new(profile, settings, generated, marks, verification);
    Ok(Report { command: environment.command.clone(), began, ..report })
}

async fn resolve(profile: &Profile, client: &Client) -> Outcome<Targets> {
    let urls = client.endpoints();
    let orders = resolve_one(profile, client, &urls.order, "--order-url").await?;
    let products = if profile.mix.needs_products() {
        Some(resolve_one(profile, client, &urls.product, "--product-url").await?)
    } else {
        None
    };
    Ok(Targets { orders, products })
}

async fn resolve_one(profile: &Profile, client: &Client, url: &str, option: &str) -> Outcome<Target> {
    Target::resolve(url, client.credential(), profile.timeout).await.map_err(|error| {
        let exit = match error {
            NotATarget::Malformed { .. } => Exit::Usage,
            NotATarget::Unresolved { .. } => Exit::Environment,
        };
        Failure { exit, error: error.into(), hint: Some(format!("check {option}")) }
    })
}

/// What a load left behind.
struct Loaded {
    /// When requests began to count.
    began: SystemTime,
    generated: Generated,
    marks: Vec<Annotation>,
}

/// The load, what was done to the system meanwhile, and the log of its seconds.
async fn generate(
    profile: &Profile,
    injector: &FaultInjector,
    assignment: Assignment<'_>,
    stop: &mut Stop,
    viewer: &mut dyn Viewer,
) -> Outcome<Loaded> {
    let file = profile.log.as_deref().map(LogFile::create).transpose();
    let mut file = file.hint("name another directory with --out")?;
    let mut log = file.as_mut().map(LogFile::begin).transpose()?;
    if let Some(keys) = viewer.begin(profile).context("cannot take the terminal")? {
        stop.also(keys);
    }
    let running = tokio::select! {
        running = Running::start(assignment) => running?,
        () = stop.next() => return Err(interrupted()), // nothing was sent yet
    };
    let (start, opens) = (running.start, running.opens);
    let began = SystemTime::now() + opens.saturating_duration_since(Instant::now());
    let active = injector.begin(opens);
    let mut each = |second: Second<'_>| {
        viewer.second(&second);
        if let Some(log) = &mut log {
            log.add(&second);
        }
    };
    let generated = running.watch(&mut async || stop.next().await, &mut each).await;
    viewer.end();
    // Whatever became of the run: what was done to the system is reverted first.
    let mut stopped = generated.as_ref().is_ok_and(|generated| generated.interrupted);
    let injected = revert(injector, active, generated.is_ok(), &mut stopped, stop).await?;
    let mut generated = generated.map_err(|error| match error {
        GeneratorError::Interrupted => interrupted(),
        error => error.into(),
    })?;
    generated.interrupted = stopped;
    let marks =
        injected.iter().map(|injected| injected.annotation(start, opens, &generated.acceptances)).collect();
    log.map_or(Ok(()), IntervalLog::result)?;
    file.map_or(Ok(()), LogFile::finish)?;
    generated.totals.balance(&generated.series).map_err(|wrong| {
        Failure::new(Exit::Failed, format!("the books of the run do not balance, which is a defect: {wrong}"))
    })?;
    Ok(Loaded { began, generated, marks })
}

/// Reverts what was done to the system and waits until it is ready again.
async fn revert(
    injector: &FaultInjector,
    active: ActiveFaults,
    settles: bool,
    stopped: &mut bool,
    stop: &mut Stop,
) -> Outcome<Vec<InjectedFault>> {
    let mut reverting = pin!(async {
        let mut injected = active.end().await.context("a fault ended with a panic")?;
        if settles {
            injector.settle(&mut injected).await;
        }
        Ok(injected)
    });
    loop {
        tokio::select! {
            biased;
            injected = &mut reverting => return injected,
            () = stop.next() => if std::mem::replace(stopped, true) { return Err(interrupted()) },
        }
    }
}

async fn check(subject: SystemUnderTest<'_>, events: &Events) -> Verification {
    let progress = events.progress(None, "verifying");
    verify::verify(subject, |step| progress.message(step)).await
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted")
}
