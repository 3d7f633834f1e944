//! What is done to a running service on purpose: the system's signals, and a file that cuts it off the
//! network. Nothing is written down about a kill or a pause: the system knows.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::files::open_private;
use crate::layout::{Obstacle, read_json, remove, replace_json};
use crate::lock::ApplyLock;
use crate::os;
use crate::os::identity::Identity;
use crate::service::Desired;
use crate::{APPLY_LOCK_LIMIT, ProcessState, Processes, Signal};

/// How long a signal may take to show.
const SHOWS_WITHIN: Duration = Duration::from_secs(5);
/// Pause between two looks whether it does.
const LOOK: Duration = Duration::from_millis(2);
/// Lines of a log that say why a service ended.
const LOG_LINES: usize = 20;

impl Processes {
    /// Kills a service's process and returns its pid once it is gone; `None` if none runs.
    pub async fn kill(&self, name: &str) -> anyhow::Result<Option<u32>> {
        self.signal_until(name, Signal::Kill, |process| !process.is_alive()).await
    }

    /// Makes a service's process stand still; `None` if none runs.
    pub async fn pause(&self, name: &str) -> anyhow::Result<Option<u32>> {
        self.signal_until(name, Signal::Pause, |process| os::is_paused(process.pid)).await
    }

    /// Lets a service's process go on; `None` if none runs.
    pub async fn resume(&self, name: &str) -> anyhow::Result<Option<u32>> {
        self.signal_until(name, Signal::Resume, |process| !os::is_paused(process.pid)).await
    }

    /// Where the file is that cuts a service off the network for as long as it is there.
    #[must_use]
    pub fn cut_path(&self, name: &str) -> PathBuf {
        self.layout.cut(name)
    }

    /// Cuts a service off the network; a restart does not change that. It notices within moments.
    pub fn cut(&self, name: &str) -> anyhow::Result<()> {
        let path = self.cut_path(name);
        open_private(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(())
    }

    /// Puts a service back on the network.
    pub fn heal(&self, name: &str) -> anyhow::Result<()> {
        remove(&self.cut_path(name))
    }

    /// Ends a service in an orderly way and starts it anew. Returns when it has ended; whether the new
    /// process is ready is for the caller to see.
    pub async fn restart(&self, name: &str) -> anyhow::Result<()> {
        self.change(|desired| {
            desired.stopped.remove(name);
            desired.incarnations.insert(name.to_owned(), desired.generation);
        })
        .await
    }

    /// Ends a service in an orderly way; it stays so until it is started. Returns when it has ended.
    pub async fn stop(&self, name: &str) -> anyhow::Result<()> {
        self.change(|desired| {
            desired.stopped.insert(name.to_owned());
        })
        .await
    }

    /// Starts a service that was stopped; whether it is ready is for the caller to see.
    pub async fn start(&self, name: &str) -> anyhow::Result<()> {
        self.change(|desired| {
            desired.stopped.remove(name);
        })
        .await
    }

    /// Changes the list, and waits until the supervisor has taken it over.
    async fn change(&self, change: impl FnOnce(&mut Desired)) -> anyhow::Result<()> {
        let _lock = ApplyLock::take(&self.layout.apply_lock(), APPLY_LOCK_LIMIT).await?;
        let desired: Option<Desired> = read_json(&self.layout.desired())?;
        let is_ours =
            |list: &Desired| list.home.as_ref().is_some_and(|home| home.is_at(self.layout.project_dir()));
        let mut desired = desired.filter(is_ours).context("no services are to run")?;
        if self.has_foreign_supervisor()? {
            let what = "the supervisor is of another build of ordersys".to_owned();
            return Err(Obstacle { what, hint: "`ordersys up` replaces it" }.into());
        }
        desired.generation = Uuid::new_v4();
        change(&mut desired);
        replace_json(&self.layout.desired(), &desired)?;
        self.wait_for_take_over(desired.generation).await
    }

    /// How a service that was just started anew has ended, and what it logged last; `None` while it runs.
    #[must_use]
    pub fn ended(&self, name: &str) -> Option<(String, Vec<String>)> {
        let seen = self.observe().ok()?.into_iter().find(|seen| seen.name == name)?;
        let ended = matches!(seen.state, ProcessState::BackingOff | ProcessState::CrashLoop);
        let how = seen.last_exit.filter(|_| ended || seen.restarts > 0)?;
        Some((how, self.last_log_lines(name, LOG_LINES)))
    }

    /// The process of a service, if one runs.
    pub(crate) fn process_of(&self, name: &str) -> anyhow::Result<Option<Identity>> {
        let pid = self.observe()?.into_iter().find(|seen| seen.name == name).and_then(|seen| seen.pid);
        Ok(pid.and_then(Identity::of))
    }

    async fn signal_until(
        &self,
        name: &str,
        signal: Signal,
        shows: impl Fn(&Identity) -> bool,
    ) -> anyhow::Result<Option<u32>> {
        let Some(process) = self.process_of(name)? else { return Ok(None) };
        let pid = process.pid;
        process.signal(signal).with_context(|| format!("cannot signal process {pid} of `{name}`"))?;
        let deadline = Instant::now() + SHOWS_WITHIN;
        while !shows(&process) {
            if Instant::now() >= deadline {
                bail!("process {pid} of `{name}` does not follow the signal to {signal:?}");
            }
            sleep(LOOK).await;
        }
        Ok(Some(pid))
    }
}

/// Kills, in the container this process was started in, the service: an engine takes a kill of its own
/// for a stop that is wanted, and does not start the container again as after a crash.
pub fn crash_container() -> anyhow::Result<()> {
    let served = os::served_by_first_process();
    if served.is_empty() {
        bail!("this is not a container of a service");
    }
    for process in served {
        process.signal(Signal::Kill)?;
    }
    Ok(())
}

/// Removes what cuts services off.
pub(crate) fn heal_all(layout: &crate::layout::Layout) -> anyhow::Result<()> {
    let entries = match std::fs::read_dir(layout.own_dir()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.with_context(|| format!("cannot list {}", layout.own_dir().display()))?,
    };
    let is_cut = |path: &PathBuf| path.extension().is_some_and(|kind| kind == crate::layout::CUT);
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_cut).try_for_each(|path| remove(&path))
}
