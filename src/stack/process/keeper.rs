//! Keeps one service running: starts it when what it needs is ready, asks it whether it is, starts
//! it again when it ends on its own or stays unready.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ordersys_contract::Timestamp;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::binary::HashCache;
use super::child::Process;
use super::journal::{Journal, Weight};
use super::layout::Layout;
use super::os;
use super::output::{Log, MAX_LOG_BYTES};
use super::probe::{Answer, Probe};
use super::restart::{Pause, Restarts};
use super::service::ProcessService;
use super::state::{Board, Child, ProcessState};

/// Pause between two questions to a service that starts.
const PROBE_STARTING: Duration = Duration::from_millis(15);
/// Pause between two questions to a service that was ready.
const PROBE_READY: Duration = Duration::from_secs(1);
/// How long an answer may take.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// So many questions in a row without any answer mean unready; a busy machine may swallow one or two.
const SILENT_LIMIT: u32 = 3;
/// A service that was ready and is not for this long is started again.
const UNREADY_LIMIT: Duration = Duration::from_secs(30);

/// What all keepers of a supervisor share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) layout: Layout,
    pub(super) board: Board,
    pub(super) journal: Journal,
    pub(super) hashes: HashCache,
}

/// One service's keeper.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) service: ProcessService,
    pub(super) program: PathBuf,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: CancellationToken,
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
    pub(super) fn first_entry(service: &ProcessService) -> Child {
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
    pub(super) async fn run(self) {
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
    async fn run_once(&self, log: super::output::SharedLog) -> Ended {
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
    /// not been for [`UNREADY_LIMIT`], other than on purpose. How long it may take to become ready is its starter's business.
    async fn watch(&self, pid: u32) {
        let probes: Vec<Probe> = self.service.ready_urls.iter().filter_map(|url| url.parse().ok()).collect();
        let mut health = Health::Starting;
        loop {
            let before = health;
            health = health.after(ask_all(&probes).await, Instant::now());
            if before.state() != health.state() {
                self.update(|child| child.state = health.state());
                self.note(Weight::Info, &format!("{:?}", health.state()).to_lowercase());
            }
            if os::is_paused(pid) || self.shared.layout.cut(&self.service.name).exists() {
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

/// Asks every probe; the worst answer counts.
async fn ask_all(probes: &[Probe]) -> Answer {
    for probe in probes {
        match probe.ask(PROBE_LIMIT).await {
            Answer::Ready => {}
            other => return other,
        }
    }
    Answer::Ready
}

/// What the answers of a running process add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Never ready yet.
    Starting,
    /// Ready; so many questions since went without an answer.
    Ready { silent: u32 },
    /// Ready once, not now.
    Unready { since: Instant },
}

impl Health {
    fn after(self, answer: Answer, now: Instant) -> Self {
        match (self, answer) {
            (_, Answer::Ready) => Self::Ready { silent: 0 },
            (Self::Ready { silent }, Answer::Silent) if silent + 1 < SILENT_LIMIT => {
                Self::Ready { silent: silent + 1 }
            }
            (Self::Ready { .. }, Answer::Silent | Answer::NotReady(_)) => Self::Unready { since: now },
            (Self::Starting | Self::Unready { .. }, Answer::Silent | Answer::NotReady(_)) => self,
        }
    }

    fn state(self) -> ProcessState {
        match self {
            Self::Starting => ProcessState::Starting,
            Self::Ready { .. } => ProcessState::Ready,
            Self::Unready { .. } => ProcessState::Unready,
        }
    }

    /// The time it is unready on purpose does not count.
    fn excused(self, now: Instant) -> Self {
        match self {
            Self::Unready { .. } => Self::Unready { since: now },
            Self::Starting | Self::Ready { .. } => self,
        }
    }

    fn is_hopeless(self, now: Instant) -> bool {
        matches!(self, Self::Unready { since } if now.duration_since(since) >= UNREADY_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_follows_the_answers() {
        let now = Instant::now();
        let unready = Health::Unready { since: now };
        let cases = [
            (Health::Starting, Answer::Silent, Health::Starting),
            (Health::Starting, Answer::NotReady(503), Health::Starting),
            (Health::Starting, Answer::Ready, Health::Ready { silent: 0 }),
            (Health::Ready { silent: 0 }, Answer::Silent, Health::Ready { silent: 1 }),
            (Health::Ready { silent: 2 }, Answer::Silent, unready),
            (Health::Ready { silent: 2 }, Answer::Ready, Health::Ready { silent: 0 }),
            (Health::Ready { silent: 0 }, Answer::NotReady(503), unready),
            (unready, Answer::Ready, Health::Ready { silent: 0 }),
        ];
        for (before, answer, expected) in cases {
            assert_eq!(before.after(answer, now), expected, "{before:?} {answer:?}");
        }
        let later = now + UNREADY_LIMIT;
        assert_eq!(unready.after(Answer::Silent, later), unready, "the time counts from the first");
        assert!(unready.is_hopeless(later) && !unready.is_hopeless(now));
        assert!(
            !unready.excused(later).is_hopeless(later + UNREADY_LIMIT / 2),
            "paused or cut off until then"
        );
        assert!(!Health::Starting.is_hopeless(later), "never ready: not the supervisor's decision");
    }
}
