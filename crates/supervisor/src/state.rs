//! What runs: the supervisor's account of its children, published on each change.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ordersys_contract::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use crate::home::Home;
use crate::layout::{Layout, read_json, replace_json};
use crate::os::identity::Identity;
use crate::os::table;

/// How a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessState {
    /// Waiting for what it needs, or running and not ready yet.
    Starting,
    /// Running, and every ready URL answers 200.
    Ready,
    /// Running, was ready, and is not now.
    Unready,
    /// Running, while its supervisor was killed: no process would start it again.
    Unwatched,
    /// Standing still because it was paused.
    Paused,
    /// Running, and cut off the network on purpose.
    Cut,
    /// Ended on its own, and is started again after a pause.
    BackingOff,
    /// Ended quickly several times in a row; still tried, at the longest pause.
    CrashLoop,
    /// Ended because it was asked to.
    Stopped,
}

/// One service as the supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Child {
    /// Its process, where one runs.
    pub(crate) identity: Option<Identity>,
    /// How it is doing.
    pub(crate) state: ProcessState,
    /// When its process started, or when it came into its state where none runs.
    pub(crate) since: Timestamp,
    /// How many times it was started again.
    pub(crate) restarts: u32,
    /// How its process ended last.
    pub(crate) last_exit: Option<String>,
    /// Names its settings.
    pub(crate) spec_hash: String,
    /// Names the content of the program it runs.
    pub(crate) binary_hash: String,
    /// How long its log was when the service was started: what is before is of earlier ones.
    #[serde(default)]
    pub(crate) log_from: u64,
}

/// All of it, as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The project's directory it was written for.
    #[serde(default)]
    home: Option<Home>,
    /// The list that was taken over last: nothing of an earlier one runs any more.
    pub(crate) generation: Option<Uuid>,
    /// The services by name.
    pub(crate) children: BTreeMap<String, Child>,
}

impl State {
    /// What the supervisor of this very directory wrote last. What a copy of the directory brought along is not
    /// its own: of that only processes count that are on the directory's leash.
    pub(crate) fn load(layout: &Layout) -> anyhow::Result<Self> {
        let mut state: Self = read_json(&layout.state())?.unwrap_or_default();
        if state.home.as_ref().is_some_and(|home| home.is_at(layout.project_dir())) {
            return Ok(state);
        }
        let on_leash = table::readers_of(&layout.leash()).unwrap_or_default();
        let is_ours = |child: &Child| child.identity.as_ref().is_some_and(|it| on_leash.contains(&it.pid));
        state.children.retain(|_, child| is_ours(child));
        state.generation = None;
        Ok(state)
    }

    /// Whether all of these are ready.
    fn ready(&self, names: &[String]) -> bool {
        let ready = |name| self.children.get(name).is_some_and(|child| child.state == ProcessState::Ready);
        names.iter().all(ready)
    }
}

/// The state in memory and in its file.
#[derive(Debug)]
pub(crate) struct Board {
    path: PathBuf,
    inner: Mutex<Inner>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    unsaved: bool,
}

impl Board {
    pub(crate) fn new(layout: &Layout) -> Self {
        let state = State { home: Home::of(layout.project_dir()).ok(), ..State::default() };
        let inner = Mutex::new(Inner { state, unsaved: false });
        Self { path: layout.state(), inner, changed: watch::Sender::new(()) }
    }

    /// Changes the state and publishes it. A file that cannot be written is tried again by [`Self::save`].
    pub(crate) fn update(&self, change: impl FnOnce(&mut State)) {
        {
            let mut inner = self.lock();
            let before = inner.state.clone();
            change(&mut inner.state);
            if inner.state == before {
                return;
            }
            inner.unsaved = replace_json(&self.path, &inner.state).is_err();
        }
        self.changed.send_replace(());
    }

    /// Changes one service, if it is there.
    pub(crate) fn update_child(&self, name: &str, change: impl FnOnce(&mut Child)) {
        self.update(|state| {
            if let Some(child) = state.children.get_mut(name) {
                change(child);
            }
        });
    }

    /// Writes the file again if the last attempt failed, or if the file was removed.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let mut inner = self.lock();
        if inner.unsaved || !self.path.exists() {
            inner.unsaved = true;
            replace_json(&self.path, &inner.state)?;
            inner.unsaved = false;
        }
        Ok(())
    }

    /// Reads something off the state.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock().state)
    }

    /// Returns when all of these are ready at one moment.
    pub(crate) async fn wait_ready(&self, names: &[String]) {
        let mut changes = self.changed.subscribe();
        while !self.read(|state| state.ready(names)) {
            if changes.changed().await.is_err() {
                return; // not reached: the sender lives in `self`
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
