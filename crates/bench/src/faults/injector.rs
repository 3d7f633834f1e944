//! Carries out the faults of a run, each at its time, and takes every one of them back however the run ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::faults::annotation::Annotation;
use crate::faults::{Fault, Faults};
use crate::profile::Profile;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_loadgen::measure::recovery::Acceptances;
use ordersys_stack::ops::chaos;
use ordersys_stack::ops::chaos::Chaos;
use ordersys_workload::model::StopCondition;
use ordersys_workload::model::clock::Moment;

/// How often taking a fault back is tried.
const TRIES: u32 = 10;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a service that was hit may take to be ready after the run.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// What became of one fault.
#[derive(Debug, Clone)]
pub struct InjectedFault {
    /// What was asked for.
    pub fault: Fault,
    /// When it was begun.
    pub began: Instant,
    /// When it was over: done, or taken back.
    pub ended: Instant,
    /// What went wrong with it.
    pub error: Option<String>,
}

impl InjectedFault {
    /// How it is reported, in a run that began at `start` and whose warm-up was over when it `opens`.
    #[must_use]
    pub(crate) fn annotation(&self, start: Instant, opens: Instant, acceptances: &Acceptances) -> Annotation {
        let moment = |at: Instant| Moment::at(at.saturating_duration_since(start));
        let seconds = |at: Instant| at.saturating_duration_since(opens).as_secs_f64();
        let recovery = acceptances.recovery(moment(self.began), moment(self.ended));
        Annotation {
            what: self.fault.what(),
            at_seconds: seconds(self.began),
            until_seconds: self.fault.kind.end().map(|_| seconds(self.ended)),
            recovery_seconds: recovery.filter(|_| self.error.is_none()).map(|felt| felt.as_secs_f64()),
            error: self.error.clone(),
        }
    }
}

/// The faults of a run and the stack they are done to.
#[derive(Debug, Clone)]
pub struct FaultInjector {
    faults: Faults,
    chaos: Option<Arc<Chaos>>,
}

impl FaultInjector {
    /// Checks that the faults can be done to this system in this run; nothing is done yet.
    pub fn prepare(profile: &Profile, chaos: Option<Arc<Chaos>>) -> Outcome<Self> {
        let faults = profile.faults.clone();
        if let StopCondition::For(length) = profile.stop_condition
            && let Some(late) = faults.beyond(length)
        {
            return Err(Failure::new(Exit::Usage, format!("{late} would begin after the run is over"))
                .hint("raise --duration"));
        }
        for fault in faults.iter() {
            let chaos = chaos.as_ref().ok_or_else(|| not_ours(fault))?;
            chaos.allows(fault.role, fault.kind.begin())?;
        }
        Ok(Self { faults, chaos })
    }

    /// Starts the clock of the faults.
    #[must_use]
    pub fn begin(&self, opens: Instant) -> ActiveFaults {
        let (mut tasks, over) = (JoinSet::new(), CancellationToken::new());
        if let Some(chaos) = &self.chaos {
            for fault in self.faults.iter() {
                tasks.spawn(inject(chaos.clone(), *fault, opens, over.clone()));
            }
        }
        ActiveFaults { tasks, over }
    }

    /// Waits until every service that was hit is ready again.
    pub async fn settle(&self, injected: &mut [InjectedFault]) {
        let Some(chaos) = &self.chaos else { return };
        for injected in injected {
            if let Err(failure) = chaos.until_ready(injected.fault.role, READY_WITHIN).await {
                injected.error.get_or_insert_with(|| failure.error.to_string());
            }
        }
    }
}

fn not_ours(fault: &Fault) -> Failure {
    let what = format!("{fault} is impossible: the system under test is not the project's own stack");
    Failure::new(Exit::Usage, what)
        .hint("leave out --user-url, --product-url and --order-url, and start a stack with `ordersys up`")
}

/// Faults that are being done.
#[derive(Debug)]
pub struct ActiveFaults {
    tasks: JoinSet<InjectedFault>,
    over: CancellationToken,
}

impl ActiveFaults {
    /// Ends the faults: what has not begun does not happen, what has begun is taken back.
    pub async fn end(mut self) -> Result<Vec<InjectedFault>, JoinError> {
        self.over.cancel();
        let mut all = Vec::new();
        while let Some(injected) = self.tasks.join_next().await {
            all.push(injected?);
        }
        all.sort_by_key(|injected| injected.fault.at);
        Ok(all)
    }
}

async fn inject(chaos: Arc<Chaos>, fault: Fault, opens: Instant, over: CancellationToken) -> InjectedFault {
    if sleep_until(opens + fault.at, &over).await.is_err() {
        let now = Instant::now();
        let error = Some("the run was over before".to_owned());
        return InjectedFault { fault, began: now, ended: now, error };
    }
    let began = Instant::now();
    let mut error = apply(&chaos, fault, fault.kind.begin()).await.err();
    if let Some((length, back)) = fault.kind.end() {
        // Taken back also where it failed: it may have been done in part.
        let _ = sleep_until(began + length, &over).await; // both ways lead on
        if let Err(left) = take_back(&chaos, fault, back).await {
            error.get_or_insert(left);
        }
    }
    InjectedFault { fault, began, ended: Instant::now(), error }
}

async fn take_back(chaos: &Chaos, fault: Fault, back: chaos::Fault) -> Result<(), String> {
    let mut tries = 1;
    while let Err(error) = apply(chaos, fault, back).await {
        if tries == TRIES {
            return Err(error);
        }
        tries += 1;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn apply(chaos: &Chaos, fault: Fault, what: chaos::Fault) -> Result<(), String> {
    chaos.apply(fault.role, what).await.map_err(|failure| format!("{:#}", failure.error))
}

/// Waits until then, unless the run is over before.
async fn sleep_until(then: Instant, over: &CancellationToken) -> Result<(), ()> {
    tokio::select! {
        () = tokio::time::sleep_until(then.into()) => Ok(()),
        () = over.cancelled() => Err(()),
    }
}
