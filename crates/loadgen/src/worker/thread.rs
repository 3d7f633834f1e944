//! One generator thread: a runtime of its own, some connections, a ticker; nothing shared with others
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
use crate::measure::recovery::Pulse;
use crate::measure::snapshot::{Exchange, Sheet};
use crate::worker::closed;
use crate::worker::closed::{Quota, Turns};
use crate::worker::open;
use crate::worker::open::Queue;
use crate::worker::state::{Shared, Task};
use crate::worker::virtual_user::{Lines, Seat};
use ordersys_workload::evidence::audit::Audit;
use ordersys_workload::evidence::ledger::Ledger;
use ordersys_workload::model::clock::{Clock, Moment};
use ordersys_workload::model::schedule::{Schedule, Share, Timing};

/// How often a thread checks that it gets the processor when it wants it.
const TICK: Duration = Duration::from_millis(10);
/// How often a thread hands over what it measured, in ticks.
const TICKS_PER_EXCHANGE: u32 = 100;

/// What a generator thread has to do.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Which thread it is.
    pub(crate) share: Share,
    /// How many connections it has.
    pub(crate) connections: usize,
    /// What is sent.
    pub(crate) task: Task,
    /// Where to.
    pub(crate) targets: Targets,
    /// When.
    pub(crate) order: Order,
    /// Where it hands over what it measured.
    pub(crate) exchange: Arc<Exchange>,
}

/// When the requests of a thread leave.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    /// After the last answer.
    Closed(Option<Quota>),
    /// On this plan.
    Open(Timing),
}

/// What tells threads when to begin and when to give up.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    /// Dropped by each thread when its connections are tried.
    pub(crate) connected: mpsc::Sender<()>,
    /// The start of the run, once it is known.
    pub(crate) start: watch::Receiver<Option<Instant>>,
    /// The run is given up.
    pub(crate) abort: CancellationToken,
}

/// What a thread leaves behind.
#[derive(Debug)]
pub(crate) struct Product {
    /// What it measured since the last exchange.
    pub(crate) sheet: Box<Sheet>,
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
    pub(crate) pulse: Pulse,
}

/// Runs one thread to its end.
pub(crate) fn run(job: Job, signals: Signals) -> std::io::Result<Product> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    Ok(local.block_on(&runtime, generate(job, signals)))
}

async fn generate(job: Job, mut signals: Signals) -> Product {
    let lines = connect(&job).await;
    drop(signals.connected);
    let start = tokio::select! {
        start = signals.start.wait_for(Option::is_some) => start.ok().and_then(|start| *start),
        () = signals.abort.cancelled() => None,
    };
    let clock = Clock::starting_at(start.unwrap_or_else(Instant::now));
    let shared = Rc::new(Shared::new(job.task.clone(), clock, lines.len()));
    let (cpu, began) = (cpu::this_thread(), Instant::now());
    if start.is_some() {
        tokio::time::sleep_until(clock.instant(Moment::START).into()).await;
        work(&job, &shared, lines, &signals.abort).await;
    }
    let cpu = cpu::this_thread().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    Product {
        sheet: shared.sheet.take(),
        ledger: shared.ledger.take(),
        audit: shared.audit.take(),
        cpu,
        wall: began.elapsed(),
        last_done: shared.last_done.get(),
        pulse: shared.pulse.take(),
    }
}

/// Opens all connections; those that fail are opened when they are needed.
async fn connect(job: &Job) -> Vec<Lines> {
    let orders = Rc::new(job.targets.orders.clone());
    let products = job.targets.products.clone().map(Rc::new);
    let open = |_| {
        let (orders, products) = (Connection::new(orders.clone()), products.clone().map(Connection::new));
        async move {
            let mut lines = Lines { orders, products };
            let _ = lines.orders.ready().await;
            if let Some(products) = &mut lines.products {
                let _ = products.ready().await;
            }
            lines
        }
    };
    join_all((0..job.connections).map(open)).await
}

async fn work(job: &Job, shared: &Rc<Shared>, lines: Vec<Lines>, abort: &CancellationToken) {
    let ticker = spawn_local(tick(shared.clone(), job.exchange.clone()));
    let seats = lines.into_iter().enumerate().map(|(place, lines)| Seat::new(shared.clone(), place, lines));
    let (tasks, queue) = match &job.order {
        Order::Closed(quota) => {
            let turns = Rc::new(Turns::new(job.share, quota.clone()));
            let tasks = seats.map(|seat| spawn_local(closed::run(seat, turns.clone()))).collect();
            (tasks, None)
        }
        Order::Open(timing) => open_loop(job, timing, shared, seats),
    };
    let abort_tasks: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
    tokio::select! {
        _ = join_all(tasks) => {}
        () = abort.cancelled() => {
            abort_tasks.iter().for_each(tokio::task::AbortHandle::abort);
            if let Some(queue) = queue {
                queue.close(shared);
            }
            shared.give_up();
        }
    }
    ticker.abort();
}

fn open_loop(
    job: &Job,
    timing: &Timing,
    shared: &Rc<Shared>,
    seats: impl Iterator<Item = Seat>,
) -> (Vec<JoinHandle<()>>, Option<Rc<Queue>>) {
    let limit = open::backlog_limit(timing.course.highest(), job.targets.orders.timeout, job.share.of);
    let queue = Rc::new(Queue::new(limit));
    let mut tasks: Vec<_> = seats.map(|seat| spawn_local(open::run(seat, queue.clone()))).collect();
    let schedule = Schedule::new(timing.clone(), job.share);
    let release = open::release(shared.clone(), queue.clone(), schedule, job.targets.orders.timeout);
    tasks.push(spawn_local(release));
    (tasks, Some(queue))
}

/// Measures how late the thread is when it wants to run, and hands over once a second.
async fn tick(shared: Rc<Shared>, exchange: Arc<Exchange>) {
    let mut due = shared.task.timeline.window.opens;
    let mut ticks = 0_u32;
    loop {
        due = due.after(TICK);
        tokio::time::sleep_until(shared.clock.instant(due).into()).await;
        let now = shared.clock.now();
        let mut sheet = shared.sheet.borrow_mut();
        sheet.hiccups.record(now.nanos_since(due));
        while due.after(TICK) <= now {
            due = due.after(TICK); // a tick that was missed was late as well
            sheet.hiccups.record(now.nanos_since(due));
            ticks += 1;
        }
        ticks += 1;
        if ticks >= TICKS_PER_EXCHANGE {
            ticks %= TICKS_PER_EXCHANGE;
            exchange.give(&mut sheet);
        }
    }
}
