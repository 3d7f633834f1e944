//! The generator's threads: started together, with a share of the work each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::clock::{Timeline, Window};
use super::closed::Quota;
use super::engine::Assignment;
use super::profile::{Extent, Pace, Profile};
use super::schedule::{Share, Timing};
use super::sheet::Exchange;
use super::stages::Course;
use super::thread::{self, Job, Order, Product, Signals};
use super::worker::Task;

/// How long after all connections were tried the run starts: time for each thread to hear of it.
const START_DELAY: Duration = Duration::from_millis(20);

/// The running threads.
pub(super) struct Crew {
    /// Where each hands over what it measured.
    pub(super) exchanges: Vec<Arc<Exchange>>,
    /// What each leaves behind.
    pub(super) results: Vec<oneshot::Receiver<std::io::Result<Product>>>,
    connected: mpsc::Receiver<()>,
    start: watch::Sender<Option<Instant>>,
    /// Ends them early.
    pub(super) abort: CancellationToken,
}

impl Crew {
    /// Starts the threads; they connect at once.
    pub(super) fn hire(assignment: &Assignment<'_>, timeline: Timeline) -> anyhow::Result<Self> {
        let profile = assignment.profile;
        let order = order(profile, timeline.window);
        let (connected_sender, connected) = mpsc::channel(1);
        let (start, start_receiver) = watch::channel(None);
        let abort = CancellationToken::new();
        let signals = Signals { connected: connected_sender, start: start_receiver, abort: abort.clone() };
        let (retries, verification) = (profile.retries, profile.verification);
        let pulse = !profile.faults.is_empty();
        let task = Task { plan: assignment.plan.clone(), timeline, retries, verification, pulse };
        let threads = profile.threads.clamp(1, profile.connections);
        let (mut exchanges, mut results) = (Vec::new(), Vec::new());
        for index in 0..threads {
            let share = Share { index, of: threads };
            let exchange = Arc::new(Exchange::default());
            let job = Job {
                share,
                connections: usize::try_from(share.part(profile.connections.into()))?,
                task: task.clone(),
                targets: assignment.targets.clone(),
                order: order.clone(),
                exchange: exchange.clone(),
            };
            exchanges.push(exchange);
            results.push(spawn(job, signals.clone())?);
        }
        Ok(Self { exchanges, results, connected, start, abort })
    }

    /// Starts the run once every connection was tried.
    pub(super) async fn start(&mut self) -> Instant {
        // No thread sends anything: the wait ends when the last one drops its sender.
        let _: Option<()> = self.connected.recv().await;
        let start = Instant::now() + START_DELAY;
        let _ = self.start.send(Some(start)); // threads that ended report why when they are joined
        start
    }
}

fn spawn(job: Job, signals: Signals) -> anyhow::Result<oneshot::Receiver<std::io::Result<Product>>> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name(format!("load-{}", job.share.index))
        .spawn(move || {
            let _ = sender.send(thread::run(job, signals)); // nobody listens: the run is over
        })
        .context("cannot start a generator thread")?;
    Ok(receiver)
}

fn order(profile: &Profile, window: Window) -> Order {
    let count = match profile.extent {
        Extent::For(_) => None,
        Extent::Count(count) => Some(count),
    };
    let (course, arrivals) = match &profile.pace {
        Pace::Closed => return Order::Closed(count.map(Quota::new)),
        Pace::Open { rate, arrivals } => (Course::steady(*rate), *arrivals),
        Pace::Staged { stages, arrivals } => (Course::staged(profile.warmup, stages), *arrivals),
    };
    Order::Open(Timing { course: Arc::new(course), arrivals, window, count, seed: profile.seed })
}
