//! Runs the generator: watches its threads and collects what they measured.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::try_join_all;

use super::audit::Audit;
use super::clock::{Moment, Timeline, Window};
use super::cpu;
use super::crew::Crew;
use super::ledger::Ledger;
use super::mark::Mark;
use super::plan::Plan;
use super::profile::{Extent, Profile};
use super::pulse::Pulse;
use super::recording::Recording;
use super::series::{Row, Series};
use super::sheet::{Exchange, Sheet};
use super::span::{self, StageSpan};
use super::stop::Stop;
use super::storm::{Raging, Storm, Struck};
use super::tally::Tally;
use super::target::Targets;
use super::thread::Product;
use crate::stack::halt::Halted;

/// How long after a second its numbers are fetched, so that every thread has handed them over.
const FETCH_DELAY: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);

/// One second of a run.
#[derive(Debug, Clone, Copy)]
pub struct Second<'a> {
    /// Its figures.
    pub row: &'a Row,
    /// All that was measured in it.
    pub sheet: &'a Sheet,
    /// All that was measured so far.
    pub tally: &'a Tally,
}

/// What a run produced, before anybody judges it.
#[derive(Debug)]
pub struct Generated {
    /// Everything that was measured: in total, by stage, by endpoint.
    pub tally: Tally,
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
    pub pulse: Pulse,
    /// What was done to the system meanwhile, in order of time.
    pub marks: Vec<Mark>,
}

/// What to run and whom to ask about its processor time.
#[derive(Debug)]
pub struct Assignment<'a> {
    /// What is asked.
    pub profile: &'a Profile,
    /// What is sent.
    pub plan: Arc<Plan>,
    /// Where to.
    pub targets: Targets,
    /// Processes of the services, if known.
    pub server_pids: &'a [u32],
    /// What is done to the system meanwhile.
    pub storm: &'a Storm,
}

/// Runs the load and calls `live` with each second's numbers. The first of `stop` ends the run early, the second
/// also what has to be done after it, as [`Halted::Interrupted`].
pub async fn generate(
    assignment: Assignment<'_>,
    stop: &mut Stop,
    mut live: impl FnMut(Second<'_>),
) -> anyhow::Result<Generated> {
    let profile = assignment.profile;
    let window = window(profile);
    let lengths: Vec<_> = profile.pace.stages().iter().map(|stage| stage.lasts).collect();
    let mut crew = Crew::hire(&assignment, Timeline::new(window, &lengths))?;
    let start = tokio::select! {
        start = crew.start() => start,
        () = stop.next() => return Err(Halted::Interrupted.into()), // nothing was sent yet
    };
    let opens = start + window.opens.since(Moment::START);
    let mut collector = Collector { exchanges: crew.exchanges.clone(), ..Collector::default() };
    let raging = assignment.storm.begin(opens);
    let watched = collector.watch(crew, assignment.server_pids, opens, &mut live, stop).await;
    // Whatever became of the run: what was done to the system is taken back first.
    let mut interrupted = watched.as_ref().is_ok_and(|watched| watched.interrupted);
    let struck = calm(assignment.storm, raging, watched.is_ok(), &mut interrupted, stop).await?;
    let watched = Watched { interrupted, ..watched? };
    let mut generated = collector.finish(watched, (profile, window), &mut live);
    let mark = |struck: &Struck| struck.mark((start, opens), &generated.pulse);
    generated.marks = struck.iter().map(mark).collect();
    Ok(generated)
}

/// Takes back what was done to the system and waits until it is ready again.
async fn calm(
    storm: &Storm,
    raging: Raging,
    settles: bool,
    interrupted: &mut bool,
    stop: &mut Stop,
) -> anyhow::Result<Vec<Struck>> {
    let mut calming = pin!(async {
        let mut struck = raging.end().await.context("a fault ended with a panic")?;
        if settles {
            storm.settle(&mut struck).await;
        }
        Ok(struck)
    });
    loop {
        tokio::select! {
            struck = &mut calming => return struck,
            () = stop.next() => again(interrupted)?,
        }
    }
}

/// Notes that the run shall stop; the second time is an error.
fn again(interrupted: &mut bool) -> Result<(), Halted> {
    if std::mem::replace(interrupted, true) { Err(Halted::Interrupted) } else { Ok(()) }
}

fn window(profile: &Profile) -> Window {
    let opens = Moment::at(profile.warmup);
    let closes = match profile.extent {
        Extent::For(duration) => opens.after(duration),
        Extent::Count(_) => Moment::NEVER,
    };
    Window { opens, closes }
}

/// Adds up what threads hand over.
#[derive(Debug, Default)]
struct Collector {
    exchanges: Vec<Arc<Exchange>>,
    second: Sheet,
    /// All of that second together.
    sum: Recording,
    tally: Tally,
    series: Series,
}

/// What was seen of the threads until the last one ended.
struct Watched {
    products: Vec<Product>,
    cpu: Cpu,
    interrupted: bool,
}

impl Collector {
    async fn watch(
        &mut self,
        crew: Crew,
        pids: &[u32],
        opens: Instant,
        live: &mut impl FnMut(Second<'_>),
        stop: &mut Stop,
    ) -> anyhow::Result<Watched> {
        let _ends_the_threads = crew.abort.clone().drop_guard();
        let mut threads = pin!(try_join_all(crew.results));
        let (mut before, mut interrupted, mut next) = (Cpu::read(pids), false, opens);
        let products = loop {
            tokio::select! {
                products = &mut threads => break products.context("a generator thread ended with a panic")?,
                () = tokio::time::sleep_until(next.into()) => {
                    if next == opens {
                        before = Cpu::read(pids);
                        next += FETCH_DELAY;
                    } else {
                        self.fetch(live);
                    }
                    next += SECOND;
                }
                () = stop.next() => {
                    again(&mut interrupted)?;
                    crew.abort.cancel();
                }
            }
        };
        let products = products.into_iter().collect::<std::io::Result<_>>();
        let products = products.context("a generator thread could not run")?;
        Ok(Watched { products, cpu: Cpu::read(pids).since(before), interrupted })
    }

    /// Adds what the threads handed over as one more second.
    fn fetch(&mut self, live: &mut impl FnMut(Second<'_>)) {
        self.exchanges.iter().for_each(|exchange| exchange.fetch(&mut self.second));
        self.tally.add(&self.second);
        self.sum.clear();
        self.second.cells().for_each(|cell| self.sum.merge(&cell.recording));
        let row = self.series.push(&self.sum);
        live(Second { row: &row, sheet: &self.second, tally: &self.tally });
        self.second.clear();
    }

    fn finish(
        mut self,
        watched: Watched,
        (profile, window): (&Profile, Window),
        live: &mut impl FnMut(Second<'_>),
    ) -> Generated {
        let Watched { products, cpu, interrupted } = watched;
        let last_done = products.iter().map(|product| product.last_done).max().unwrap_or(window.opens);
        let busiest_thread = products.iter().filter_map(busy).max_by(f64::total_cmp);
        let (mut ledger, mut audit, mut pulse) = (Ledger::default(), Audit::default(), Pulse::default());
        for product in products {
            pulse.merge(&product.pulse);
            self.second.merge(&product.sheet);
            ledger.append(product.ledger);
            audit.merge(&product.audit);
        }
        ledger.settle();
        self.fetch(live);
        let elapsed = match profile.extent {
            Extent::For(duration) if !interrupted => duration,
            Extent::For(_) | Extent::Count(_) => last_done.since(window.opens),
        };
        let Self { tally, series, .. } = self;
        let stages = span::spans(&profile.pace, elapsed);
        Generated {
            tally,
            stages,
            series,
            ledger,
            audit,
            elapsed,
            busiest_thread,
            cpu,
            interrupted,
            pulse,
            marks: Vec::new(),
        }
    }
}

fn busy(product: &Product) -> Option<f64> {
    let wall = product.wall.as_secs_f64();
    product.cpu.filter(|_| wall > 0.0).map(|cpu| cpu.as_secs_f64() / wall)
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
