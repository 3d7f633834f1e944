//! One generator thread: a runtime of its own, some connections, a ticker; nothing state with others
//! on the way of a request.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio_util::sync::CancellationToken;

use crate::conn::connection::Connection;
use crate::conn::target::Targets;
use crate::measure::cpu;
use crate::measure::recovery::Acceptances;
use crate::measure::snapshot::{Handoff, Snapshot};
use crate::worker::closed;
use crate::worker::closed::{Quota, Turns};
use crate::worker::open;
use crate::worker::open::Queue;
use crate::worker::state::{RunConfig, WorkerState};
use crate::worker::virtual_user::{Connections, VirtualUser};
use ordersys_workload::evidence::audit::Audit;
use ordersys_workload::evidence::ledger::Ledger;
use ordersys_workload::model::clock::{Clock, Moment};
use ordersys_workload::model::schedule::{Schedule, Share, Timing};

/// How often a thread checks that it gets the processor when it wants it.
const TICK: Duration = Duration::from_millis(10);
/// How often a thread hands over what it measured, in ticks.
const TICKS_PER_HANDOFF: u32 = 100;

/// What a generator thread has to do.
#[derive(Debug, Clone)]
pub(crate) struct WorkerConfig {
    /// Which thread it is.
    pub(crate) share: Share,
    /// How many connections it has.
    pub(crate) connections: usize,
    /// What is sent.
    pub(crate) task: RunConfig,
    /// Where to.
    pub(crate) targets: Targets,
    /// When.
    pub(crate) release: ReleasePolicy,
    /// Where it hands over what it measured.
    pub(crate) handoff: Arc<Handoff>,
}

/// When the requests of a thread leave.
#[derive(Debug, Clone)]
pub(crate) enum ReleasePolicy {
    /// After the last answer.
    Closed(Option<Quota>),
    /// On this plan.
    Open(Timing),
}

/// What tells threads when to begin and when to give up.
#[derive(Debug, Clone)]
pub(crate) struct WorkerSignals {
    /// Dropped by each thread when its connections are tried.
    pub(crate) connected: mpsc::Sender<()>,
    /// The start of the run, once it is known.
    pub(crate) start: watch::Receiver<Option<Instant>>,
    /// The run is given up.
    pub(crate) abort: CancellationToken,
}

/// What a thread leaves behind.
#[derive(Debug)]
pub(crate) struct WorkerOutput {
    /// What it measured since the last handoff.
    pub(crate) snapshot: Box<Snapshot>,
    /// What its clients were told.
    pub(crate) ledger: Ledger,
    /// What was planned for it.
    pub(crate) audit: Audit,
    /// Processor time it used during the run, where the system tells.
    pub(crate) cpu: Option<Duration>,
    /// How long the run was for it.
    pub(crate) wall: Duration,
    /// When its last request that counts ended.
    pub(crate) last_done: Moment,
    /// When its orders were taken.
    pub(crate) acceptances: Acceptances,
}

/// Runs one thread to its end.
pub(crate) fn run(config: WorkerConfig, signals: WorkerSignals) -> std::io::Result<WorkerOutput> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    Ok(local.block_on(&runtime, generate(config, signals)))
}

async fn generate(config: WorkerConfig, mut signals: WorkerSignals) -> WorkerOutput {
    let connections = connect(&config).await;
    drop(signals.connected);
    let start = tokio::select! {
        start = signals.start.wait_for(Option::is_some) => start.ok().and_then(|start| *start),
        () = signals.abort.cancelled() => None,
    };
    let clock = Clock::starting_at(start.unwrap_or_else(Instant::now));
    let state = Rc::new(WorkerState::new(config.task.clone(), clock, connections.len()));
    let (cpu, began) = (cpu::this_thread(), Instant::now());
    if start.is_some() {
        tokio::time::sleep_until(clock.instant(Moment::START).into()).await;
        work(&config, &state, connections, &signals.abort).await;
    }
    let cpu = cpu::this_thread().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    WorkerOutput {
        snapshot: state.snapshot.take(),
        ledger: state.ledger.take(),
        audit: state.audit.take(),
        cpu,
        wall: began.elapsed(),
        last_done: state.last_done.get(),
        acceptances: state.acceptances.take(),
    }
}

/// Opens all connections; those that fail are opened when they are needed.
async fn connect(config: &WorkerConfig) -> Vec<Connections> {
    let orders = Rc::new(config.targets.orders.clone());
    let products = config.targets.products.clone().map(Rc::new);
    let open = |_| {
        let (orders, products) = (Connection::new(orders.clone()), products.clone().map(Connection::new));
        async move {
            let mut connections = Connections { orders, products };
            let _ = connections.orders.ready().await;
            if let Some(products) = &mut connections.products {
                let _ = products.ready().await;
            }
            connections
        }
    };
    join_all((0..config.connections).map(open)).await
}

async fn work(
    config: &WorkerConfig,
    state: &Rc<WorkerState>,
    connections: Vec<Connections>,
    abort: &CancellationToken,
) {
    let ticker = spawn_local(tick(state.clone(), config.handoff.clone()));
    let users = connections
        .into_iter()
        .enumerate()
        .map(|(place, connections)| VirtualUser::new(state.clone(), place, connections));
    let (tasks, queue) = match &config.release {
        ReleasePolicy::Closed(quota) => {
            let turns = Rc::new(Turns::new(config.share, quota.clone()));
            let tasks = users.map(|user| spawn_local(closed::run(user, turns.clone()))).collect();
            (tasks, None)
        }
        ReleasePolicy::Open(timing) => open_loop(config, timing, state, users),
    };
    let abort_tasks: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
    tokio::select! {
        _ = join_all(tasks) => {}
        () = abort.cancelled() => {
            abort_tasks.iter().for_each(tokio::task::AbortHandle::abort);
            if let Some(queue) = queue {
                queue.close(state);
            }
            state.give_up();
        }
    }
    ticker.abort();
}

fn open_loop(
    config: &WorkerConfig,
    timing: &Timing,
    state: &Rc<WorkerState>,
    users: impl Iterator<Item = VirtualUser>,
) -> (Vec<JoinHandle<()>>, Option<Rc<Queue>>) {
    let limit = open::backlog_limit(timing.curve.highest(), config.targets.orders.timeout, config.share.of);
    let queue = Rc::new(Queue::new(limit));
    let mut tasks: Vec<_> = users.map(|user| spawn_local(open::run(user, queue.clone()))).collect();
    let schedule = Schedule::new(timing.clone(), config.share);
    let release = open::release(state.clone(), queue.clone(), schedule, config.targets.orders.timeout);
    tasks.push(spawn_local(release));
    (tasks, Some(queue))
}

/// Measures how late the thread is when it wants to run, and hands over once a second.
async fn tick(state: Rc<WorkerState>, handoff: Arc<Handoff>) {
    let mut due = state.task.timeline.window.opens;
    let mut ticks = 0_u32;
    loop {
        due = due.after(TICK);
        tokio::time::sleep_until(state.clock.instant(due).into()).await;
        let now = state.clock.now();
        let mut snapshot = state.snapshot.borrow_mut();
        snapshot.hiccups.record(now.nanos_since(due));
        while due.after(TICK) <= now {
            due = due.after(TICK); // a tick that was missed was late as well
            snapshot.hiccups.record(now.nanos_since(due));
            ticks += 1;
        }
        ticks += 1;
        if ticks >= TICKS_PER_HANDOFF {
            ticks %= TICKS_PER_HANDOFF;
            handoff.give(&mut snapshot);
        }
    }
}
