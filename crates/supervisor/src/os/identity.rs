//! Which process is meant: a pid alone names another process once the first has ended and the
//! number is used again, so every pid is kept with the time its process started.

use serde::{Deserialize, Serialize};

use crate::os;
use crate::os::Signal;

/// One process, for good: never equal to a later process with the same pid.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The process id.
    pub(crate) pid: u32,
    /// When it started, in the platform's own exact form; comparable on one machine only.
    pub(crate) started: String,
}

/// What the operating system says about a pid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When it started.
    pub(crate) started: String,
    /// What it is doing.
    pub(crate) activity: Activity,
}

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It runs, or waits for something.
    Running,
    /// It was told to stand still.
    Paused,
    /// It has ended and waits only for its parent to notice.
    Ended,
}

impl Identity {
    /// The process that has this pid now; `None` if there is none.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        os::look_at(pid).map(|seen| Self { pid, started: seen.started })
    }

    /// Whether this very process runs; one that has ended and was not reaped does not.
    pub(crate) fn is_alive(&self) -> bool {
        os::look_at(self.pid)
            .is_some_and(|seen| seen.activity != Activity::Ended && seen.started == self.started)
    }

    /// Signals this process, never another one that got its pid. A process that is gone is no error.
    pub(crate) fn signal(&self, signal: Signal) -> std::io::Result<()> {
        os::signal_verified(self, signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_pid_is_another_process() {
        let me = Identity::of(std::process::id()).expect("this process exists");
        assert!(me.is_alive());
        let before = Identity { started: "an earlier start".to_owned(), ..me };
        assert!(!before.is_alive());
        before.signal(Signal::Kill).expect("nothing to signal"); // would end this test if it hit
    }

    #[test]
    fn an_ended_process_is_not_alive_even_unreaped() {
        let mut child = std::process::Command::new("/bin/sleep").arg("60").spawn().expect("starts");
        let identity = Identity::of(child.id()).expect("exists");
        assert!(identity.is_alive());
        identity.signal(Signal::Kill).expect("signals");
        for _ in 0..1000 {
            if !identity.is_alive() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(!identity.is_alive(), "dead before its parent has waited for it");
        child.wait().expect("reaps");
        identity.signal(Signal::Kill).expect("a process that is gone is no error");
    }
}
