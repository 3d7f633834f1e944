//! Runs the generator: watches its threads and collects what they measured.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::sync::oneshot::error::RecvError;

use crate::conn::target::Targets;
use crate::measure::cpu;
use crate::measure::recording::Recording;
use crate::measure::recovery::Acceptances;
use crate::measure::series::{Row, Series};
use crate::measure::snapshot::{Handoff, Snapshot};
use crate::measure::totals::RunTotals;
use crate::worker::pool::{WorkerPool, window};
use crate::worker::thread::WorkerOutput;
use ordersys_workload::evidence::audit::Audit;
use ordersys_workload::evidence::ledger::Ledger;
use ordersys_workload::model::clock::{Moment, Timeline, Window};
use ordersys_workload::model::stage_span as span;
use ordersys_workload::model::stage_span::StageSpan;
use ordersys_workload::model::{LoadModel, StopCondition, Verification};
use ordersys_workload::plan::Plan;

/// How long after a second its numbers are fetched, so that every thread has handed them over.
const FETCH_DELAY: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);

/// One second of a run.
#[derive(Debug, Clone, Copy)]
pub struct Second<'a> {
    /// Its figures.
    pub row: &'a Row,
    /// All that was measured in it.
    pub snapshot: &'a Snapshot,
    /// All that was measured so far.
    pub totals: &'a RunTotals,
}

/// What a run produced, before it is judged.
#[derive(Debug)]
pub struct Generated {
    /// Everything that was measured: in total, by stage, by endpoint.
    pub totals: RunTotals,
    /// The stages that were planned.
    pub stages: Vec<StageSpan>,
    /// Second by second.
    pub series: Series,
    /// What clients were told, warm-up included.
    pub ledger: Ledger,
    /// What was planned, warm-up included.
    pub audit: Audit,
    /// Time that counts, until the planned end or the last answer.
    pub elapsed: Duration,
    /// The busiest thread's share of a processor, from 0 to 1, where the system tells.
    pub busiest_thread: Option<f64>,
    /// Processor time used while it counted.
    pub cpu: Cpu,
    /// Whether the run was given up by Ctrl-C.
    pub interrupted: bool,
    /// When orders were taken, warm-up included; kept only in runs with faults.
    pub acceptances: Acceptances,
}

/// How a run loads a system.
#[derive(Debug, Clone)]
pub struct Load {
    /// When requests leave.
    pub pace: LoadModel,
    /// When the run is over.
    pub stop_condition: StopCondition,
    /// How long requests are sent before any of them counts.
    pub warmup: Duration,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// Threads the connections are spread over.
    pub threads: u32,
    /// The same seed plans the same requests.
    pub seed: u64,
    /// How often a request is sent again after a failure, with the same key.
    pub retries: u32,
    /// Whether what clients were answered is kept.
    pub verification: Verification,
    /// Whether it is kept when orders were accepted: only faults need it, and it grows with the run.
    pub keeps_acceptances: bool,
}

/// What to run and whose processor time to read.
#[derive(Debug)]
pub struct Assignment<'a> {
    /// How the system is loaded.
    pub load: Load,
    /// What is sent.
    pub plan: Arc<Plan>,
    /// Where to.
    pub targets: Targets,
    /// Processes of the services, if known.
    pub server_pids: &'a [u32],
}

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    /// It was to stop twice: at once, that is.
    #[error("interrupted")]
    Interrupted,
    /// A worker could not be started.
    #[error("cannot start a worker thread")]
    NotStarted(#[source] std::io::Error),
    /// A worker ended with a panic.
    #[error("a worker thread ended with a panic")]
    Panicked(#[source] RecvError),
    /// A worker could not run.
    #[error("a worker thread could not run")]
    Failed(#[source] std::io::Error),
}

/// A run that has started.
#[derive(Debug)]
pub struct Running<'a> {
    /// When the first request could leave.
    pub start: Instant,
    /// When requests begin to count.
    pub opens: Instant,
    load: Load,
    window: Window,
    server_pids: &'a [u32],
    pool: WorkerPool,
    collector: Collector,
}

impl<'a> Running<'a> {
    /// Connects, then starts the run. To drop the future gives the run up; nothing was sent then.
    pub async fn start(assignment: Assignment<'a>) -> Result<Self, GeneratorError> {
        let load = assignment.load.clone();
        let window = window(&load);
        let lengths: Vec<_> = load.pace.stages().iter().map(|stage| stage.lasts).collect();
        let mut pool = WorkerPool::spawn(&assignment, Timeline::new(window, &lengths))?;
        let start = pool.start().await;
        let opens = start + window.opens.since(Moment::START);
        let collector = Collector { handoffs: pool.handoffs.clone(), ..Collector::default() };
        Ok(Self { start, opens, load, window, server_pids: assignment.server_pids, pool, collector })
    }

    /// Waits until the run is over and calls `live` with each second's numbers. The first time `stop` completes
    /// ends the run early, the second time is an error.
    pub async fn watch(
        mut self,
        stop: &mut impl AsyncFnMut(),
        live: &mut impl FnMut(Second<'_>),
    ) -> Result<Generated, GeneratorError> {
        let watched = self.collector.watch(self.pool, self.server_pids, self.opens, live, stop).await?;
        Ok(self.collector.finish(watched, &self.load, self.window, live))
    }
}

/// Adds up what threads hand over.
#[derive(Debug, Default)]
struct Collector {
    handoffs: Vec<Arc<Handoff>>,
    second: Snapshot,
    /// All of that second together.
    sum: Recording,
    totals: RunTotals,
    series: Series,
}

/// What was seen of the threads until the last one ended.
struct Watched {
    outputs: Vec<WorkerOutput>,
    cpu: Cpu,
    interrupted: bool,
}

impl Collector {
    async fn watch(
        &mut self,
        pool: WorkerPool,
        pids: &[u32],
        opens: Instant,
        live: &mut impl FnMut(Second<'_>),
        stop: &mut impl AsyncFnMut(),
    ) -> Result<Watched, GeneratorError> {
        let _ends_the_threads = pool.abort.clone().drop_guard();
        let mut threads = pin!(try_join_all(pool.results));
        let (mut before, mut interrupted, mut next) = (Cpu::read(pids), false, opens);
        let outputs = loop {
            tokio::select! {
                biased; // a run that is over is not stopped any more
                outputs = &mut threads => break outputs.map_err(GeneratorError::Panicked)?,
                () = tokio::time::sleep_until(next.into()) => {
                    if next == opens {
                        before = Cpu::read(pids);
                        next += FETCH_DELAY;
                    } else {
                        self.fetch(live);
                    }
                    next += SECOND;
                }
                () = stop() => {
                    if std::mem::replace(&mut interrupted, true) {
                        return Err(GeneratorError::Interrupted);
                    }
                    pool.abort.cancel();
                }
            }
        };
        let outputs = outputs.into_iter().collect::<std::io::Result<_>>();
        let outputs = outputs.map_err(GeneratorError::Failed)?;
        Ok(Watched { outputs, cpu: Cpu::read(pids).since(before), interrupted })
    }

    /// Adds what the threads handed over as one more second.
    fn fetch(&mut self, live: &mut impl FnMut(Second<'_>)) {
        self.handoffs.iter().for_each(|handoff| handoff.fetch(&mut self.second));
        self.totals.add(&self.second);
        self.sum.clear();
        self.second.entries().for_each(|entry| self.sum.merge(&entry.recording));
        let row = self.series.push(&self.sum);
        live(Second { row: &row, snapshot: &self.second, totals: &self.totals });
        self.second.clear();
    }

    fn finish(
        mut self,
        watched: Watched,
        load: &Load,
        window: Window,
        live: &mut impl FnMut(Second<'_>),
    ) -> Generated {
        let Watched { outputs, cpu, interrupted } = watched;
        let last_done = outputs.iter().map(|output| output.last_done).max().unwrap_or(window.opens);
        let busiest_thread = outputs.iter().filter_map(busy).max_by(f64::total_cmp);
        let (mut ledger, mut audit, mut acceptances) =
            (Ledger::default(), Audit::default(), Acceptances::default());
        for output in outputs {
            acceptances.merge(&output.acceptances);
            self.second.merge(&output.snapshot);
            ledger.append(output.ledger);
            audit.merge(&output.audit);
        }
        ledger.settle();
        self.fetch(live);
        let elapsed = match load.stop_condition {
            StopCondition::For(duration) if !interrupted => duration,
            StopCondition::For(_) | StopCondition::Count(_) => last_done.since(window.opens),
        };
        let Self { totals, series, .. } = self;
        let stages = span::spans(&load.pace, elapsed);
        Generated {
            totals,
            stages,
            series,
            ledger,
            audit,
            elapsed,
            busiest_thread,
            cpu,
            interrupted,
            acceptances,
        }
    }
}

fn busy(output: &WorkerOutput) -> Option<f64> {
    let wall = output.wall.as_secs_f64();
    output.cpu.filter(|_| wall > 0.0).map(|cpu| cpu.as_secs_f64() / wall)
}

/// Processor time of both sides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// Of this process, where the system tells.
    pub client: Option<Duration>,
    /// Of the services, where they are known.
    pub server: Option<Duration>,
}

impl Cpu {
    fn read(pids: &[u32]) -> Self {
        Self { client: cpu::this_process(), server: cpu::of_processes(pids) }
    }

    fn since(self, before: Self) -> Self {
        let used = |after: Option<Duration>, before| Some(after?.saturating_sub(before?));
        Self { client: used(self.client, before.client), server: used(self.server, before.server) }
    }
}
