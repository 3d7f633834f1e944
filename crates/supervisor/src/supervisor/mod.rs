//! The process that stays behind after `up`: runs the services of the project's list, takes over
//! each new list, and goes when there is none left.

pub(crate) mod child;
pub(crate) mod health;
pub(crate) mod journal;
pub(crate) mod orphans;
pub(crate) mod output;
pub(crate) mod probe;
pub(crate) mod restart;
pub(crate) mod service_runner;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::layout::{Layout, read_json};
use crate::lock::{Holder, SupervisorLock};
use crate::os::identity::Identity;
use crate::service::{Desired, Layers, ProcessService, layers};
use crate::state::Board;
use crate::supervisor::journal::{Journal, Weight};
use crate::supervisor::service_runner::{Keeper, Shared};
use crate::{binary, os};
use ordersys_command::Signals;

/// Pause between two looks at the list.
const LOOK: Duration = Duration::from_millis(25);
/// How long to try for the supervisor's lock: others hold it for moments, to see whether it is free.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

/// Runs the supervisor of the project in this directory until its list is empty or it is asked to end. The
/// supervisor's lock is then still held: the end of the process frees it, so the process that
/// gets it knows that neither a service nor this process is left.
pub async fn supervise(project: &Path) -> anyhow::Result<()> {
    os::leave_terminal();
    os::keep_files_private();
    let mut endings = Signals::listen().context("cannot listen for signals")?;
    let layout = Layout::new(project);
    let lock =
        SupervisorLock::take(&layout, LOCK_LIMIT).await.context("this project has a supervisor already")?;
    Box::leak(Box::new(lock)).sign(&layout.supervisor_lock(), &myself()?)?;
    let mut supervisor = Supervisor::new(layout);
    supervisor.end_orphans().await?;
    tokio::select! {
        () = endings.next() => supervisor.note(Weight::Info, "asked to end"),
        () = supervisor.follow() => supervisor.note(Weight::Info, "nothing left to run"),
    }
    supervisor.finish().await
}

fn myself() -> anyhow::Result<Holder> {
    let identity = Identity::of(std::process::id()).context("this process cannot see itself")?;
    let program = os::own_stamp().context("cannot look at the own program")?;
    Ok(Holder { identity, program })
}

/// A service with a keeper.
#[derive(Debug)]
struct Running {
    service: ProcessService,
    incarnation: Option<Uuid>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Supervisor {
    shared: Arc<Shared>,
    running: BTreeMap<String, Running>,
    layers: Layers,
    program: std::path::PathBuf,
    seen: Option<Uuid>,
    file: Option<String>,
    /// Why the state could not be written last.
    failure: Option<String>,
}

impl Supervisor {
    fn new(layout: Layout) -> Self {
        let shared = Shared {
            board: Board::new(&layout),
            journal: Journal::new(&layout.supervisor_log()),
            hashes: binary::HashCache::default(),
            layout,
        };
        Self {
            shared: Arc::new(shared),
            running: BTreeMap::new(),
            layers: Layers::new(),
            program: std::path::PathBuf::new(),
            seen: None,
            file: None,
            failure: None,
        }
    }

    fn note(&self, weight: Weight, message: &str) {
        self.shared.journal.note(weight, None, message);
    }

    /// Ends what an earlier supervisor left behind.
    async fn end_orphans(&self) -> anyhow::Result<()> {
        let layout = self.shared.layout.clone();
        let ended = spawn_blocking(move || orphans::end_all(&layout)).await??;
        if !ended.is_empty() {
            let count = ended.len();
            self.note(Weight::Warn, &format!("ended {count} processes whose supervisor was gone"));
        }
        Ok(())
    }

    /// Takes over each new list; returns when there is none, or when another directory is in this one's place.
    async fn follow(&mut self) {
        let own = self.shared.layout.place();
        loop {
            if self.shared.layout.place() != own {
                return;
            }
            self.save();
            let file = os::file_stamp(&self.shared.layout.desired()).ok();
            if file.is_none() {
                return;
            }
            if file != self.file {
                self.file = file;
                if let Err(error) = self.look().await {
                    self.note(Weight::Warn, &format!("the list is left as it was: {error:#}"));
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Writes down what could not be written before; tried again with the next look. Says once why it cannot.
    fn save(&mut self) {
        let failure = self.shared.board.save().err().map(|error| format!("{error:#}"));
        if let Some(why) = failure.as_ref().filter(|_| failure != self.failure) {
            self.note(Weight::Warn, &format!("what runs is not written down: {why}"));
        }
        self.failure = failure;
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let path = self.shared.layout.desired();
        let desired: Desired = read_json(&path)?.with_context(|| format!("{} is empty", path.display()))?;
        if self.seen != Some(desired.generation) {
            let new_layers = layers(&desired.services)?;
            self.take_over(desired, new_layers).await?;
        }
        Ok(())
    }

    /// Stops what the list does not hold in this form, starts what is missing, then confirms.
    async fn take_over(&mut self, desired: Desired, new_layers: Layers) -> anyhow::Result<()> {
        let hash = self.shared.hashes.of(&desired.program);
        let hash = hash.with_context(|| format!("cannot read {}", desired.program.display()))?;
        let same_program = desired.program == self.program;
        let keeps = |name: &String, running: &Running| {
            let known = self
                .shared
                .board
                .read(|state| state.children.get(name).map(|child| child.binary_hash.clone()));
            let same_binary = known.is_some_and(|known| known.is_empty() || known == hash);
            let same_incarnation = running.incarnation == desired.incarnations.get(name).copied();
            let wanted = desired.services.contains(&running.service) && !desired.stopped.contains(name);
            same_program && same_binary && same_incarnation && wanted
        };
        let outdated: Vec<String> = self
            .running
            .iter()
            .filter(|(name, running)| !keeps(name, running))
            .map(|(name, _)| name.clone())
            .collect();
        self.stop(&outdated).await;
        self.program = desired.program;
        self.layers = new_layers;
        for service in desired.services.into_iter().filter(|service| !desired.stopped.contains(&service.name))
        {
            let incarnation = desired.incarnations.get(&service.name).copied();
            self.ensure(service, incarnation);
        }
        self.seen = Some(desired.generation);
        self.shared.board.update(|state| state.generation = Some(desired.generation));
        Ok(())
    }

    /// Starts a keeper for the service unless it has one.
    fn ensure(&mut self, service: ProcessService, incarnation: Option<Uuid>) {
        if self.running.contains_key(&service.name) {
            return;
        }
        let name = service.name.clone();
        let entry = Keeper::first_entry(&service);
        self.shared.board.update(|state| {
            state.children.insert(name.clone(), entry);
        });
        let stop = CancellationToken::new();
        let keeper = Keeper {
            service: service.clone(),
            program: self.program.clone(),
            shared: Arc::clone(&self.shared),
            stop: stop.clone(),
        };
        let task = tokio::spawn(keeper.run());
        self.running.insert(name, Running { service, incarnation, stop, task });
    }

    /// Stops services, those that need others before these, and forgets them.
    async fn stop(&mut self, names: &[String]) {
        for layer in self.layers.clone().into_iter().rev() {
            let mut ends = JoinSet::new();
            for name in layer.iter().filter(|name| names.contains(name)) {
                if let Some(running) = self.running.remove(name) {
                    running.stop.cancel();
                    ends.spawn(running.task);
                }
            }
            while let Some(end) = ends.join_next().await {
                if !matches!(end, Ok(Ok(()))) {
                    self.note(Weight::Warn, "a service's keeper failed; its process was killed");
                }
            }
            self.shared.board.update(|state| {
                state.children.retain(|name, _| !(layer.contains(name) && names.contains(name)));
            });
        }
    }

    /// Stops everything and proves it.
    async fn finish(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        let all: Vec<String> = self.running.keys().cloned().collect();
        self.stop(&all).await;
        self.end_orphans().await?;
        if !self.running.is_empty() {
            bail!("services {} were not stopped", all.join(", "));
        }
        self.note(Weight::Info, &format!("ended after {:.2} s", started.elapsed().as_secs_f64()));
        Ok(())
    }
}
