//! Processes of this machine that are kept running: a small supervisor per directory stays behind and keeps
//! those of a list. It knows no stack: which processes there should be is for the orchestrator to say. The private
//! files and locks that this takes are of use to other state of a project, too.
//!
//! The commands here and the supervisor share nothing but files: the list of what should run, the
//! state of what runs, and locks that the operating system drops with their holder. So each may be
//! killed at any moment; the next command or supervisor finds out what is left and ends or continues it.

pub(crate) mod binary;
pub(crate) mod faults;
pub mod files;
pub mod home;
pub(crate) mod layout;
pub(crate) mod lock;
pub(crate) mod observe;
pub(crate) mod os;
pub mod port;
pub(crate) mod service;
pub(crate) mod state;
pub(crate) mod supervisor;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub use crate::binary::binary_hash;
pub use crate::faults::crash_container;
pub use crate::layout::{Obstacle, logs_dir, old_log};
pub use crate::observe::ProcessObserved;
pub use crate::os::Signal;
pub use crate::os::file_id;
pub use crate::service::ProcessService;
pub use crate::state::ProcessState;
pub use crate::supervisor::probe::{Answer, Probe};
pub use crate::supervisor::supervise;

use crate::layout::{Layout, read_json, remove, replace_json};
use crate::lock::{ApplyLock, Holder, SupervisorLock};
use crate::service::{Desired, layers};
use crate::state::State;

use crate::files::{append_private, no_room};
use crate::home::Home;

/// Pause between two looks at what the supervisor has done.
const LOOK: Duration = Duration::from_millis(5);
/// How long a supervisor may take over a list: it first ends, layer by layer, what is outdated.
const TAKE_OVER_LIMIT: Duration = Duration::from_mins(1);
/// How long to wait for it before a look whether there is room for what it writes, and between two such looks.
const ROOM_AFTER: Duration = Duration::from_millis(500);
/// How long a supervisor may take to end everything before it is killed.
const DOWN_LIMIT: Duration = Duration::from_secs(45);
/// How long another command may change the list before this one gives up.
const APPLY_LOCK_LIMIT: Duration = Duration::from_mins(2);
/// The first descriptor behind standard input, output and error.
const FIRST_INHERITED: i32 = 3;
/// Supervisors started for one list before giving up.
const MAX_STARTS: u32 = 3;

/// What [`Processes::down`] ended besides the services that a supervisor ends itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// The supervisor.
    pub supervisor: Option<u32>,
    /// Processes without a supervisor.
    pub left_alone: BTreeSet<u32>,
}

/// The processes of a project.
#[derive(Debug, Clone)]
pub struct Processes {
    layout: Layout,
    program: PathBuf,
    supervisor: Option<PathBuf>,
}

impl Processes {
    /// The processes of this project; each service runs `program`.
    #[must_use]
    pub fn new(dir: &Path, program: PathBuf) -> Self {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let program = std::path::absolute(&program).unwrap_or(program);
        Self { layout: Layout::new(&dir), program, supervisor: None }
    }

    /// The same, with another `ordersys` than this process as the supervisor.
    #[must_use]
    pub fn supervised_by(mut self, ordersys: PathBuf) -> Self {
        self.supervisor = Some(ordersys);
        self
    }

    /// The services there are, by name. Nothing is started or signalled. Services whose supervisor
    /// was killed are listed as unwatched as long as their process lives.
    pub fn observe(&self) -> anyhow::Result<Vec<ProcessObserved>> {
        observe::observe(&self.layout)
    }

    /// Makes the project's supervisor run exactly these services: unchanged ones are not touched,
    /// changed ones start anew (also when the program's content changed), others are stopped.
    /// Starts the supervisor if there is none. Returns when it has taken the list over and nothing
    /// outdated runs any more; whether services are ready is for the caller to see. An empty list
    /// is the same as [`Self::down`].
    pub async fn apply(&self, services: Vec<ProcessService>) -> anyhow::Result<()> {
        layers(&services)?;
        std::fs::metadata(&self.program).with_context(|| format!("cannot run {}", self.program.display()))?;
        if services.is_empty() {
            return self.down().await.map(drop);
        }
        self.layout.prepare()?;
        let _lock = ApplyLock::take(&self.layout.apply_lock(), APPLY_LOCK_LIMIT).await?;
        if self.has_foreign_supervisor()? {
            self.end_everything().await?; // it may not read what this version writes
        }
        let earlier: Option<Desired> = read_json(&self.layout.desired()).unwrap_or_default(); // it is replaced
        let desired = Desired {
            generation: Uuid::new_v4(),
            program: self.program.clone(),
            services,
            incarnations: earlier.map(|earlier| earlier.incarnations).unwrap_or_default(),
            stopped: BTreeSet::new(),
            home: Home::of(self.layout.project_dir()).ok(),
        };
        replace_json(&self.layout.desired(), &desired)?;
        self.wait_for_take_over(desired.generation).await
    }

    /// Ends the supervisor and every process of the project, also those a killed supervisor left, and
    /// proves it; says which there were. Needs no space on the disk. Logs stay.
    pub async fn down(&self) -> anyhow::Result<Ended> {
        if !self.layout.own_dir().exists() {
            return Ok(Ended::default()); // nothing was ever started
        }
        let _lock = match ApplyLock::take(&self.layout.apply_lock(), APPLY_LOCK_LIMIT).await {
            Err(error) if error.downcast_ref().is_some_and(no_room) => None, // commands hold the project's lock
            lock => Some(lock?),
        };
        self.end_everything().await
    }

    /// Signals a service's process and returns its pid; `None` if none runs.
    pub fn signal(&self, name: &str, signal: Signal) -> anyhow::Result<Option<u32>> {
        let Some(identity) = self.process_of(name)? else { return Ok(None) };
        identity
            .signal(signal)
            .with_context(|| format!("cannot signal process {} of `{name}`", identity.pid))?;
        Ok(Some(identity.pid))
    }

    /// Where a service's log is.
    #[must_use]
    pub fn log_path(&self, name: &str) -> PathBuf {
        self.layout.log(name)
    }

    /// The last lines of a service's log, of this run of it if it is known; none if there is no log.
    #[must_use]
    pub fn last_log_lines(&self, name: &str, lines: usize) -> Vec<String> {
        let state = State::load(&self.layout).unwrap_or_default();
        let from = state.children.get(name).map_or(0, |child| child.log_from);
        supervisor::output::last_lines(&self.log_path(name), lines, from)
    }

    /// Whether the supervisor runs another program than the one that would be started now.
    fn has_foreign_supervisor(&self) -> anyhow::Result<bool> {
        let Some(holder) = Holder::of(&self.layout) else { return Ok(false) };
        let ours = match &self.supervisor {
            Some(path) => os::program_stamp(path).with_context(|| format!("cannot read {}", path.display())),
            None => os::own_stamp().context("cannot look at the own program"),
        };
        Ok(holder.program != ours?)
    }

    /// Fails if the supervisor cannot write down what runs.
    pub fn has_room(&self) -> anyhow::Result<()> {
        self.layout.has_room()
    }

    async fn wait_for_take_over(&self, generation: Uuid) -> anyhow::Result<()> {
        let deadline = Instant::now() + TAKE_OVER_LIMIT;
        let mut started: Vec<Child> = Vec::new();
        let mut next_look = Instant::now() + ROOM_AFTER;
        loop {
            if State::load(&self.layout)?.generation == Some(generation) {
                supervisor::child::reap_later(started);
                return Ok(());
            }
            if Instant::now() >= deadline {
                bail!(
                    "the supervisor did not take the list over in {TAKE_OVER_LIMIT:?}: {}",
                    self.its_last_words()
                );
            }
            if Instant::now() >= next_look {
                self.layout.has_room()?; // else the supervisor cannot even say that it has none
                next_look += ROOM_AFTER;
            }
            if self.needs_supervisor(&mut started)? {
                if started.len() >= MAX_STARTS as usize {
                    self.layout.has_room()?;
                    bail!("the supervisor ended at once: {}", self.its_last_words());
                }
                started.push(self.start_supervisor()?);
            }
            sleep(LOOK).await;
        }
    }

    /// Whether no supervisor is there to take the list over: the one started here has ended, or none runs.
    fn needs_supervisor(&self, started: &mut [Child]) -> anyhow::Result<bool> {
        match started.last_mut() {
            // Not by trying the lock, which the new one may be trying to take in this moment.
            Some(child) => Ok(child.try_wait()?.is_some()),
            None => Ok(SupervisorLock::try_take(&self.layout)?.is_some()),
        }
    }

    fn start_supervisor(&self) -> anyhow::Result<Child> {
        let program = match &self.supervisor {
            Some(path) => path.clone(),
            None => os::own_program().context("cannot find the own program")?,
        };
        let path = self.layout.supervisor_log();
        let log = append_private(&path).with_context(|| format!("cannot open {}", path.display()))?;
        // A lock held around `up` by its caller's shell, say, must not stay held by what stays behind.
        close_fds::set_fds_cloexec_threadsafe(FIRST_INHERITED, &[]);
        let mut command = Command::new(&program);
        for name in settings() {
            command.env_remove(name);
        }
        command
            .args(["supervise", "--dir"])
            .arg(self.layout.project_dir())
            .current_dir(self.layout.project_dir())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start the supervisor {}", program.display()))
    }

    fn its_last_words(&self) -> String {
        let path = self.layout.supervisor_log();
        let last = supervisor::output::last_lines(&path, 3, 0).join("\n");
        if last.is_empty() { format!("see {}", path.display()) } else { last }
    }

    /// The caller holds the lock on changes.
    async fn end_everything(&self) -> anyhow::Result<Ended> {
        let supervisor = Holder::of(&self.layout).map(|holder| holder.identity.pid);
        remove(&self.layout.desired())?; // from here on no supervisor starts anything
        let lock = self.end_supervisor().await?;
        let layout = self.layout.clone();
        let left_alone = spawn_blocking(move || supervisor::orphans::end_all(&layout)).await??;
        remove(&self.layout.state())?;
        faults::heal_all(&self.layout)?;
        drop(lock);
        Ok(Ended { supervisor, left_alone })
    }

    /// Ends the supervisor, by force if need be, and takes its place so that no other comes.
    async fn end_supervisor(&self) -> anyhow::Result<SupervisorLock> {
        let started = Instant::now();
        let mut asked = false;
        let mut killed = false;
        loop {
            if let Some(lock) = SupervisorLock::try_take(&self.layout)? {
                return Ok(lock);
            }
            if let Some(holder) = Holder::of(&self.layout) {
                if !asked {
                    holder.identity.signal(Signal::Terminate)?;
                    asked = true;
                } else if !killed && started.elapsed() >= DOWN_LIMIT {
                    holder.identity.signal(Signal::Kill)?;
                    killed = true;
                }
            }
            if started.elapsed() >= DOWN_LIMIT * 2 {
                let dir = self.layout.own_dir();
                bail!("the supervisor does not end, not even when killed; {} is locked", dir.display());
            }
            sleep(LOOK).await;
        }
    }
}

/// Variables that mirror flags. Services get all they need as arguments, as they do in containers; a
/// variable meant for `up` would mean something else to `serve`.
fn settings() -> impl Iterator<Item = std::ffi::OsString> {
    let ours = |name: &std::ffi::OsString| name.as_encoded_bytes().starts_with(b"ORDERSYS_");
    std::env::vars_os().map(|(name, _)| name).filter(ours)
}
