//! The generator's threads: started together, with a share of the work each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::{Assignment, GeneratorError, Load};
use crate::measure::snapshot::Exchange;
use crate::worker::closed::Quota;
use crate::worker::state::Task;
use crate::worker::thread;
use crate::worker::thread::{Job, Order, Product, Signals};
use ordersys_workload::model::clock::{Timeline, Window};
use ordersys_workload::model::schedule::{Share, Timing};
use ordersys_workload::model::stages::Course;
use ordersys_workload::model::{Extent, Pace};

/// How long after all connections were tried the run starts: time for each thread to hear of it.
const START_DELAY: Duration = Duration::from_millis(20);

/// The running threads.
#[derive(Debug)]
pub(crate) struct Crew {
    /// Where each hands over what it measured.
    pub(crate) exchanges: Vec<Arc<Exchange>>,
    /// What each leaves behind.
    pub(crate) results: Vec<oneshot::Receiver<std::io::Result<Product>>>,
    connected: mpsc::Receiver<()>,
    start: watch::Sender<Option<Instant>>,
    /// Ends them early.
    pub(crate) abort: CancellationToken,
}

impl Crew {
    /// Starts the threads; they connect at once.
    pub(crate) fn hire(assignment: &Assignment<'_>, timeline: Timeline) -> Result<Self, GeneratorError> {
        let load = &assignment.load;
        let order = order(load, timeline.window);
        let (connected_sender, connected) = mpsc::channel(1);
        let (start, start_receiver) = watch::channel(None);
        let abort = CancellationToken::new();
        let signals = Signals { connected: connected_sender, start: start_receiver, abort: abort.clone() };
        let (retries, verification) = (load.retries, load.verification);
        let pulse = load.keeps_acceptances;
        let task = Task { plan: assignment.plan.clone(), timeline, retries, verification, pulse };
        let threads = load.threads.clamp(1, load.connections);
        let (mut exchanges, mut results) = (Vec::new(), Vec::new());
        for index in 0..threads {
            let share = Share { index, of: threads };
            let exchange = Arc::new(Exchange::default());
            let job = Job {
                share,
                connections: usize::try_from(share.part(load.connections.into())).unwrap_or(usize::MAX),
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
    pub(crate) async fn start(&mut self) -> Instant {
        // No thread sends anything: the wait ends when the last one drops its sender.
        let _: Option<()> = self.connected.recv().await;
        let start = Instant::now() + START_DELAY;
        let _ = self.start.send(Some(start)); // threads that ended report why when they are joined
        start
    }
}

fn spawn(job: Job, signals: Signals) -> Result<oneshot::Receiver<std::io::Result<Product>>, GeneratorError> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name(format!("load-{}", job.share.index))
        .spawn(move || {
            let _ = sender.send(thread::run(job, signals)); // nobody listens: the run is over
        })
        .map_err(GeneratorError::NotStarted)?;
    Ok(receiver)
}

fn order(load: &Load, window: Window) -> Order {
    let count = match load.extent {
        Extent::For(_) => None,
        Extent::Count(count) => Some(count),
    };
    let (course, arrivals) = match &load.pace {
        Pace::Closed => return Order::Closed(count.map(Quota::new)),
        Pace::Open { rate, arrivals } => (Course::steady(*rate), *arrivals),
        Pace::Staged { stages, arrivals } => (Course::staged(load.warmup, stages), *arrivals),
    };
    Order::Open(Timing { course: Arc::new(course), arrivals, window, count, seed: load.seed })
}
