//! The generator's threads: started together, with a share of the work each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::{Assignment, GeneratorError, Load};
use crate::measure::snapshot::Handoff;
use crate::worker::closed::Quota;
use crate::worker::state::RunConfig;
use crate::worker::thread;
use crate::worker::thread::{ReleasePolicy, WorkerConfig, WorkerOutput, WorkerSignals};
use ordersys_workload::model::clock::{Moment, Timeline, Window};
use ordersys_workload::model::schedule::{Schedule, Share, Timing};
use ordersys_workload::model::stages::RateCurve;
use ordersys_workload::model::{LoadModel, StopCondition};

/// How long after all connections were tried the run starts: time for each thread to hear of it.
const START_DELAY: Duration = Duration::from_millis(20);

/// The running threads.
#[derive(Debug)]
pub(crate) struct WorkerPool {
    /// Where each hands over what it measured.
    pub(crate) handoffs: Vec<Arc<Handoff>>,
    /// What each leaves behind.
    pub(crate) results: Vec<oneshot::Receiver<std::io::Result<WorkerOutput>>>,
    connected: mpsc::Receiver<()>,
    start: watch::Sender<Option<Instant>>,
    /// Ends them early.
    pub(crate) abort: CancellationToken,
}

impl WorkerPool {
    /// Starts the threads; they connect at once.
    pub(crate) fn spawn(assignment: &Assignment<'_>, timeline: Timeline) -> Result<Self, GeneratorError> {
        let load = &assignment.load;
        let release = release_policy(load, timeline.window);
        let (connected_sender, connected) = mpsc::channel(1);
        let (start, start_receiver) = watch::channel(None);
        let abort = CancellationToken::new();
        let signals =
            WorkerSignals { connected: connected_sender, start: start_receiver, abort: abort.clone() };
        let (retries, verification) = (load.retries, load.verification);
        let acceptances = load.keeps_acceptances;
        let task = RunConfig { plan: assignment.plan.clone(), timeline, retries, verification, acceptances };
        let threads = load.threads.clamp(1, load.connections);
        let (mut handoffs, mut results) = (Vec::new(), Vec::new());
        for index in 0..threads {
            let share = Share { index, of: threads };
            let handoff = Arc::new(Handoff::default());
            let config = WorkerConfig {
                share,
                connections: usize::try_from(share.part(load.connections.into())).unwrap_or(usize::MAX),
                task: task.clone(),
                targets: assignment.targets.clone(),
                release: release.clone(),
                handoff: handoff.clone(),
            };
            handoffs.push(handoff);
            results.push(spawn(config, signals.clone())?);
        }
        Ok(Self { handoffs, results, connected, start, abort })
    }

    /// Starts the run once every connection was tried.
    pub(crate) async fn start(&mut self) -> Instant {
        // No thread sends anything: the wait ends when the last one drops its sender.
        let _: Option<()> = self.connected.recv().await;
        let start = Instant::now() + START_DELAY;
        let _ = self.start.send(Some(start)); // threads that ended report why when they are joined
        start
    }
}

fn spawn(
    config: WorkerConfig,
    signals: WorkerSignals,
) -> Result<oneshot::Receiver<std::io::Result<WorkerOutput>>, GeneratorError> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name(format!("load-{}", config.share.index))
        .spawn(move || {
            let _ = sender.send(thread::run(config, signals)); // no receiver: the run is over
        })
        .map_err(GeneratorError::NotStarted)?;
    Ok(receiver)
}

impl Load {
    /// Whether it plans no request that counts, such as one every five seconds for three seconds.
    #[must_use]
    pub fn asks_for_nothing(&self) -> bool {
        let window = window(self);
        match release_policy(self, window) {
            ReleasePolicy::Closed(_) => window.closes <= window.opens,
            ReleasePolicy::Open(timing) => {
                let threads = self.threads.clamp(1, self.connections);
                (0..threads).all(|index| {
                    let mut schedule = Schedule::new(timing.clone(), Share { index, of: threads });
                    std::iter::from_fn(|| schedule.due(Moment::NEVER)).all(|next| !window.counts(next.at))
                })
            }
        }
    }
}

/// The part of a run that counts.
pub(crate) fn window(load: &Load) -> Window {
    let opens = Moment::at(load.warmup);
    let closes = match load.stop_condition {
        StopCondition::For(duration) => opens.after(duration),
        StopCondition::Count(_) => Moment::NEVER,
    };
    Window { opens, closes }
}

fn release_policy(load: &Load, window: Window) -> ReleasePolicy {
    let count = match load.stop_condition {
        StopCondition::For(_) => None,
        StopCondition::Count(count) => Some(count),
    };
    let (curve, arrivals) = match &load.pace {
        LoadModel::ClosedLoop => return ReleasePolicy::Closed(count.map(Quota::new)),
        LoadModel::OpenLoop { rate, arrivals } => (RateCurve::steady(*rate), *arrivals),
        LoadModel::Ramping { stages, arrivals } => (RateCurve::staged(load.warmup, stages), *arrivals),
    };
    ReleasePolicy::Open(Timing { curve: Arc::new(curve), arrivals, window, count, seed: load.seed })
}
