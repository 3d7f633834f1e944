//! Keeps one service running: starts it when what it needs is ready, asks it whether it is, starts
//! it again when it ends on its own or stays unready.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ordersys_contract::Timestamp;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::binary::HashCache;
use crate::layout::Layout;
use crate::os;
use crate::service::ProcessService;
use crate::state::{Board, Child, ProcessState};
use crate::supervisor::child::Process;
use crate::supervisor::health::{Health, UNREADY_LIMIT, ask_all, reason};
use crate::supervisor::journal::{Journal, Weight};
use crate::supervisor::output::{Log, MAX_LOG_BYTES};
use crate::supervisor::probe::Probe;
use crate::supervisor::restart::{Pause, Restarts};

/// Pause between two questions to a service that starts.
const PROBE_STARTING: Duration = Duration::from_millis(15);
/// Pause between two questions to a service that was ready.
const PROBE_READY: Duration = Duration::from_secs(1);

/// What all keepers of a supervisor share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) layout: Layout,
    pub(crate) board: Board,
    pub(crate) journal: Journal,
    pub(crate) hashes: HashCache,
}

/// One service's keeper.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) service: ProcessService,
    pub(crate) program: PathBuf,
    pub(crate) shared: Arc<Shared>,
    pub(crate) stop: CancellationToken,
}

/// How one process of the service came to its end.
enum Ended {
    /// It was asked to.
    Stopped(String),
    /// Not by us, or it had to be started again; it ran that long.
    Failed(String, Duration),
}

impl Keeper {
    /// The service's entry on the board before it was ever started.
    pub(crate) fn first_entry(service: &ProcessService) -> Child {
        Child {
            identity: None,
            state: ProcessState::Starting,
            since: Timestamp::now(),
            restarts: 0,
            last_exit: None,
            spec_hash: service.spec_hash.clone(),
            binary_hash: String::new(),
            log_from: 0,
        }
    }

    /// Runs the service until asked to stop; its process has ended when this returns.
    pub(crate) async fn run(self) {
        let log = Log::new(&self.shared.layout.log(&self.service.name), &self.service.name, MAX_LOG_BYTES);
        self.update(|child| child.log_from = log.size());
        let log = Arc::new(Mutex::new(log));
        let mut restarts = Restarts::default();
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.shared.board.wait_ready(&self.service.after) => {}
            }
            let (how, ran) = match self.run_once(Arc::clone(&log)).await {
                Ended::Stopped(how) => {
                    self.set_ended(ProcessState::Stopped, &how);
                    self.note(Weight::Info, &format!("stopped ({how})"));
                    return;
                }
                Ended::Failed(how, ran) => (how, ran),
            };
            let pause = restarts.after_end(ran, rand::random());
            self.report(&how, ran, pause);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep(pause.length) => {}
            }
            self.update(|child| {
                child.restarts = child.restarts.saturating_add(1);
                child.state = ProcessState::Starting;
            });
        }
        self.update(|child| child.state = ProcessState::Stopped);
    }

    /// One process of the service, from its start to its end.
    async fn run_once(&self, log: crate::supervisor::output::SharedLog) -> Ended {
        let hash = self.shared.hashes.of(&self.program);
        let started = Process::start(&self.service, &self.program, &self.shared.layout, log);
        let mut process = match started {
            Ok(process) => process,
            Err(error) => return Ended::Failed(format!("{error:#}"), Duration::ZERO),
        };
        self.update(|child| {
            child.identity = Some(process.identity.clone());
            child.state = ProcessState::Starting;
            child.since = Timestamp::now();
            child.binary_hash = hash.unwrap_or_default();
        });
        self.note(Weight::Info, &format!("started as process {}", process.identity.pid));
        let pid = process.identity.pid;
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Ended::Stopped(process.end().await),
            how = process.ended() => Ended::Failed(how, process.started.elapsed()),
            () = self.watch(pid) => {
                self.note(Weight::Warn, &format!("unready for {} s: starting it again", UNREADY_LIMIT.as_secs()));
                let ran = process.started.elapsed();
                Ended::Failed(format!("ended for being unready ({})", process.end().await), ran)
            }
        }
    }

    /// Asks the service whether it is ready, again and again. Returns when it was ready once and has
    /// not been for [`UNREADY_LIMIT`], other than on purpose, and without saying why: one that says why, such as a
    /// full disk, does not hang, and a restart would not mend it. How long it may take to become ready is its starter's business.
    async fn watch(&self, pid: u32) {
        let probes: Vec<Probe> = self.service.ready_urls.iter().filter_map(|url| url.parse().ok()).collect();
        let mut health = Health::Starting;
        let mut told = None;
        loop {
            let before = health;
            health = health.after(ask_all(&probes).await, Instant::now());
            if before.state() != health.state() {
                self.update(|child| child.state = health.state());
                self.note(Weight::Info, &format!("{:?}", health.state()).to_lowercase());
            }
            let reason = if matches!(health, Health::Unready { .. }) { reason(&probes).await } else { None };
            if let Some(reason) = reason.as_ref().filter(|_| reason != told) {
                self.note(
                    Weight::Warn,
                    &format!("it is not started again for being unready, since it says why: {reason}"),
                );
            }
            told = reason;
            let on_purpose = os::is_paused(pid) || self.shared.layout.cut(&self.service.name).exists();
            if on_purpose || told.is_some() {
                health = health.excused(Instant::now());
            }
            if health.is_hopeless(Instant::now()) {
                return;
            }
            sleep(if matches!(health, Health::Starting) { PROBE_STARTING } else { PROBE_READY }).await;
        }
    }

    fn report(&self, how: &str, ran: Duration, pause: Pause) {
        self.set_ended(pause.state, how);
        let looping = if pause.state == ProcessState::CrashLoop { "crash loop: " } else { "" };
        let (ran, length) = (ran.as_secs_f64(), pause.length.as_secs_f64());
        self.note(
            Weight::Warn,
            &format!("{looping}ended after {ran:.1} s ({how}); starts again in {length:.1} s"),
        );
    }

    fn set_ended(&self, state: ProcessState, how: &str) {
        self.update(|child| {
            child.identity = None;
            child.state = state;
            child.since = Timestamp::now();
            child.last_exit = Some(how.to_owned());
        });
    }

    fn update(&self, change: impl FnOnce(&mut Child)) {
        self.shared.board.update_child(&self.service.name, change);
    }

    fn note(&self, weight: Weight, message: &str) {
        self.shared.journal.note(weight, Some(&self.service.name), message);
    }
}
