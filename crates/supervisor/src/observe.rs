//! What runs: the supervisor's account, held against what the operating system says.

use std::fs;

use ordersys_contract::Timestamp;
use serde::Serialize;

use crate::layout::{Layout, Obstacle, read_json};
use crate::lock::Holder;
use crate::os;
use crate::os::identity::Identity;
use crate::os::table;
use crate::service::{Desired, ProcessService};
use crate::state::{Child, ProcessState, State};

/// A service as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessObserved {
    /// The service's name.
    pub name: String,
    /// Its process, where one runs: checked, not only remembered.
    pub pid: Option<u32>,
    /// How it is doing.
    pub state: ProcessState,
    /// Names its settings.
    pub spec_hash: String,
    /// The SHA-256 of the program it runs; empty as long as it was never started.
    pub binary_hash: String,
    /// When its process started, or when it came into its state where none runs.
    pub since: Timestamp,
    /// How many times it was started again.
    pub restarts: u32,
    /// Its resident memory.
    pub memory_bytes: Option<u64>,
    /// How its process ended last.
    pub last_exit: Option<String>,
}

/// The services there are, by name.
pub(crate) fn observe(layout: &Layout) -> anyhow::Result<Vec<ProcessObserved>> {
    let supervised = Holder::of(layout).is_some();
    if supervised && fs::metadata(layout.state()).is_ok_and(|file| file.len() == 0) {
        return Err(Obstacle::damaged(&layout.state(), "it is empty").into()); // while something runs
    }
    let state = State::load(layout)?;
    let link = |name: &str| if layout.cut(name).exists() { Link::Cut } else { Link::Up };
    let seen = state.children.into_iter().filter_map(|(name, child)| {
        let link = link(&name);
        let child = if supervised { looked_for(layout, &name, child) } else { child };
        observed(name, child, supervised.then_some(link))
    });
    let mut seen: Vec<_> = seen.collect();
    if supervised {
        seen.extend(stopped(layout));
    }
    Ok(seen)
}

/// The services that were stopped and are to be started again.
fn stopped(layout: &Layout) -> Vec<ProcessObserved> {
    // A list that cannot be read names none; the next `up` writes it anew.
    let Ok(Some(desired)) = read_json::<Desired>(&layout.desired()) else { return Vec::new() };
    let Desired { services, stopped, .. } = desired;
    let services = services.into_iter().filter(|service| stopped.contains(&service.name));
    let seen = |service: ProcessService| ProcessObserved {
        name: service.name,
        pid: None,
        state: ProcessState::Stopped,
        spec_hash: service.spec_hash,
        binary_hash: String::new(),
        since: Timestamp::now(),
        restarts: 0,
        memory_bytes: None,
        last_exit: Some("on purpose".to_owned()),
    };
    services.map(seen).collect()
}

/// The service's process as the system lists it, where the one that was written down is gone: on a full disk the
/// supervisor cannot write down the next.
fn looked_for(layout: &Layout, name: &str, child: Child) -> Child {
    let waits = matches!(child.state, ProcessState::BackingOff | ProcessState::CrashLoop);
    let stale = match &child.identity {
        Some(identity) => !identity.is_alive(),
        None => waits,
    };
    if !stale {
        return child;
    }
    let serves = |pid: &u32| {
        let words = table::words_of(*pid);
        words.windows(2).take(2).any(|pair| pair[0] == "serve" && pair[1] == name)
    };
    let found = table::readers_of(&layout.leash()).unwrap_or_default().into_iter().find(serves);
    match found.and_then(Identity::of) {
        Some(identity) => Child { identity: Some(identity), state: ProcessState::Starting, ..child },
        None => child,
    }
}

/// Whether a service was cut off the network on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Up,
    Cut,
}

/// A service with a supervisor has a link; without one nothing is known of it.
fn observed(name: String, child: Child, supervised: Option<Link>) -> Option<ProcessObserved> {
    let pid = child.identity.filter(Identity::is_alive).map(|identity| identity.pid);
    let (state, last_exit) = match (pid, supervised) {
        (None, None) => return None,
        (Some(_), None) => (ProcessState::Unwatched, child.last_exit),
        (Some(pid), Some(_)) if os::is_paused(pid) => (ProcessState::Paused, child.last_exit),
        (Some(_), Some(Link::Cut)) => (ProcessState::Cut, child.last_exit),
        (_, Some(_)) => (child.state, child.last_exit),
    };
    Some(ProcessObserved {
        name,
        pid,
        state,
        spec_hash: child.spec_hash,
        binary_hash: child.binary_hash,
        since: child.since,
        restarts: child.restarts,
        memory_bytes: pid.and_then(os::memory_of),
        last_exit,
    })
}
