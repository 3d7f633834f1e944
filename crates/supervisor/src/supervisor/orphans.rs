//! Ends children whose supervisor is gone.
//!
//! A supervisor can be killed at any moment, also between starting a child and writing down that it
//! did. So each child is on a leash: its standard input is an empty file of the project, locked
//! (shared) through that very descriptor. The system drops the lock when the last process that
//! inherited it has ended, so taking the lock exclusively proves that nothing is left, and on Linux
//! `/proc` tells whose standard input the file is. Elsewhere the supervisor's state names them.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::files::{no_room, open_private};
use crate::layout::Layout;
use crate::os::Signal;
use crate::os::identity::Identity;
use crate::os::table;
use crate::state::State;

/// How long a process may take to end in an orderly way.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A leash for one child, to be its standard input. The caller holds the supervisor's lock.
pub(crate) fn leash(layout: &Layout) -> anyhow::Result<File> {
    let path = layout.leash();
    let file = open_private(&path)
        .and_then(|_| File::open(&path)) // opened for reading: a child cannot write into it
        .with_context(|| format!("cannot open {}", path.display()))?;
    file.try_lock_shared().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Ends every child of the project and returns which there were. The caller holds the
/// supervisor's lock, so no new ones appear. Blocks for as long as they take, at most
/// [`GRACE`] and then a little until the killed ones are gone.
pub(crate) fn end_all(layout: &Layout) -> anyhow::Result<BTreeSet<u32>> {
    let recorded = recorded(layout);
    let leash = opened(&layout.leash())?;
    let started = Instant::now();
    let mut asked = BTreeSet::new();
    let mut killed = BTreeSet::new();
    loop {
        let left = left(&layout.leash(), &recorded)?;
        let free = || leash.as_ref().map_or(Ok(true), |leash| is_free(leash, &layout.leash()));
        if left.is_empty() && free()? {
            return Ok(asked);
        }
        for process in &left {
            if asked.insert(process.pid) {
                process.signal(Signal::Terminate)?;
            }
            if started.elapsed() >= GRACE && killed.insert(process.pid) {
                process.signal(Signal::Kill)?;
            }
        }
        if started.elapsed() >= GRACE + KILL_LIMIT {
            bail!(describe(&left, &layout.leash()));
        }
        std::thread::sleep(LOOK);
    }
}

/// The leash; `None` where there is none and no room to make one: nothing is on it then.
fn opened(path: &Path) -> anyhow::Result<Option<File>> {
    match open_private(path) {
        Ok(leash) => Ok(Some(leash)),
        Err(error) if no_room(&error) => Ok(None),
        Err(error) => Err::<_, io::Error>(error).with_context(|| format!("cannot open {}", path.display())),
    }
}

/// Children the last supervisor of this very directory wrote down. A damaged file names none; the leash still
/// does.
fn recorded(layout: &Layout) -> Vec<Identity> {
    let state = State::load(layout).unwrap_or_default();
    state.children.into_values().filter_map(|child| child.identity).collect()
}

fn left(leash: &Path, recorded: &[Identity]) -> anyhow::Result<Vec<Identity>> {
    let on_leash = table::readers_of(leash).context("cannot list processes")?;
    let mut left: Vec<Identity> = on_leash.into_iter().filter_map(Identity::of).collect();
    left.extend(recorded.iter().cloned());
    left.retain(Identity::is_alive);
    left.sort_by_key(|process| process.pid);
    left.dedup();
    Ok(left)
}

fn is_free(leash: &File, path: &Path) -> anyhow::Result<bool> {
    match leash.try_lock() {
        Ok(()) => {
            leash.unlock()?;
            Ok(true)
        }
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn describe(left: &[Identity], leash: &Path) -> String {
    if left.is_empty() {
        return format!("a process that holds {} cannot be found; `lsof` names it", leash.display());
    }
    let pids: Vec<String> = left.iter().map(|process| process.pid.to_string()).collect();
    format!("processes {} do not end, not even when killed", pids.join(", "))
}
