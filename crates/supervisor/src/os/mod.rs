//! What the process runtime asks of the operating system: looking at processes, signalling them
//! safely, groups and sessions. The only file here that differs between platforms.

pub(crate) mod identity;
pub(crate) mod table;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::os::identity::{Activity, Identity, Seen};

/// What can be sent to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// End in an orderly way (`SIGTERM`), also if paused.
    Terminate,
    /// End at once (`SIGKILL`).
    Kill,
    /// Stand still (`SIGSTOP`).
    Pause,
    /// Go on (`SIGCONT`).
    Resume,
}

/// Bytes of memory a process has resident.
pub(crate) fn memory_of(pid: u32) -> Option<u64> {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
    let mut system = System::new().ok()?;
    let pid = Pid::from_u32(pid);
    let kind = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
    system.process(pid).map(sysinfo::Process::memory)
}

#[cfg(target_os = "linux")]
pub(crate) fn look_at(pid: u32) -> Option<Seen> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (activity, ticks) = parse_stat(&stat)?;
    // Ticks count from the boot, so the boot is part of the name.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(Seen { started: format!("{}/{ticks}", boot.trim()), activity })
}

/// State and start time (fields 3 and 22 of `proc_pid_stat(5)`). The name in field 2 may hold
/// anything, also spaces and parentheses, so counting starts behind its end.
#[cfg(target_os = "linux")]
fn parse_stat(stat: &str) -> Option<(Activity, u64)> {
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?;
    let ticks = fields.nth(18)?.parse().ok()?;
    let activity = match state {
        "Z" | "X" | "x" => Activity::Ended,
        "T" => Activity::Paused,
        _ => Activity::Running,
    };
    Some((activity, ticks))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn look_at(pid: u32) -> Option<Seen> {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};
    let mut system = System::new().ok()?;
    let pid = Pid::from_u32(pid);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, ProcessRefreshKind::nothing());
    let process = system.process(pid)?;
    let activity = match process.status() {
        ProcessStatus::Zombie | ProcessStatus::Dead => Activity::Ended,
        ProcessStatus::Stop => Activity::Paused,
        _ => Activity::Running,
    };
    Some(Seen { started: process.start_time().to_string(), activity })
}

/// Whether a process was told to stand still.
pub(crate) fn is_paused(pid: u32) -> bool {
    look_at(pid).is_some_and(|seen| seen.activity == Activity::Paused)
}

/// Inside a service's container: the processes of this program that its init started. None elsewhere.
pub(crate) fn served_by_first_process() -> Vec<Identity> {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
    const SERVE: [&str; 2] = ["/ordersys", "serve"];
    let Ok(mut system) = System::new() else { return Vec::new() };
    let first = Pid::from_u32(1);
    let kind = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, false, kind);
    let words = |pid: Pid| system.process(pid).map(sysinfo::Process::cmd).unwrap_or_default();
    if !words(first).windows(2).any(|pair| pair == SERVE) {
        return Vec::new();
    }
    let serves = |pid: &Pid| words(*pid).starts_with(&SERVE.map(Into::into));
    let children = system.processes().iter().filter(|(_, process)| process.parent() == Some(first));
    let served = children.map(|(pid, _)| *pid).filter(serves);
    served.filter_map(|pid| Identity::of(pid.as_u32())).collect()
}

/// Names the file behind a path as long as it exists; another file put in its place differs.
pub(crate) fn file_stamp(path: &Path) -> io::Result<String> {
    let found = fs::metadata(path)?;
    let (device, inode) = file_id(&found);
    Ok(format!("{device}-{inode}-{}-{}", found.len(), modified_nanos(&found)?))
}

/// What stays the same about a file when it is renamed, and differs from every other file.
#[must_use]
pub fn file_id(found: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.dev(), found.ino())
}

/// Names a program by size and time: the same however the file is reached.
pub(crate) fn program_stamp(program: &Path) -> io::Result<String> {
    let found = fs::metadata(program)?;
    Ok(format!("{}-{}", found.len(), modified_nanos(&found)?))
}

/// The stamp of the program this process runs, even if another file has taken its place on disk.
pub(crate) fn own_stamp() -> io::Result<String> {
    if cfg!(target_os = "linux") {
        program_stamp(Path::new("/proc/self/exe"))
    } else {
        program_stamp(&std::env::current_exe()?)
    }
}

/// The stamp of the program that a process runs; `None` where the system does not tell.
pub(super) fn stamp_of(pid: u32) -> Option<String> {
    program_stamp(&PathBuf::from(format!("/proc/{pid}/exe"))).ok()
}

/// A path to start the program this process runs.
pub(crate) fn own_program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let replaced = cfg!(target_os = "linux") && program_stamp(&path).ok() != Some(own_stamp()?);
    Ok(if replaced { PathBuf::from("/proc/self/exe") } else { path })
}

fn modified_nanos(found: &fs::Metadata) -> io::Result<u128> {
    Ok(found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos())
}

pub(crate) use unix::{keep_files_private, leave_terminal, own_group, signal_group, signal_verified};

mod unix {
    use std::io;

    use rustix::io::Errno;
    use rustix::process::{self, Pid};

    use crate::Signal;
    use crate::os::identity::Identity;

    fn number(signal: Signal) -> process::Signal {
        match signal {
            Signal::Terminate => process::Signal::TERM,
            Signal::Kill => process::Signal::KILL,
            Signal::Pause => process::Signal::STOP,
            Signal::Resume => process::Signal::CONT,
        }
    }

    fn pid(raw: u32) -> io::Result<Pid> {
        i32::try_from(raw).ok().and_then(Pid::from_raw).ok_or_else(|| Errno::SRCH.into())
    }

    /// Sends, and wakes a paused process so that it can end; one that is gone is no error.
    fn send(signal: Signal, raw: impl Fn(process::Signal) -> rustix::io::Result<()>) -> io::Result<()> {
        let mut outcome = raw(number(signal));
        if signal == Signal::Terminate && outcome.is_ok() {
            outcome = raw(process::Signal::CONT);
        }
        match outcome {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn signal_verified(target: &Identity, signal: Signal) -> io::Result<()> {
        // The handle is taken before the check, so it means the checked process or none.
        match process::pidfd_open(pid(target.pid)?, process::PidfdFlags::empty()) {
            Ok(handle) if target.is_alive() => {
                send(signal, |number| process::pidfd_send_signal(&handle, number))
            }
            Ok(_) | Err(Errno::SRCH) => Ok(()),
            Err(Errno::NOSYS | Errno::PERM) => signal_after_check(target, signal), // old or sandboxed kernel
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn signal_verified(target: &Identity, signal: Signal) -> io::Result<()> {
        signal_after_check(target, signal)
    }

    fn signal_after_check(target: &Identity, signal: Signal) -> io::Result<()> {
        if !target.is_alive() {
            return Ok(());
        }
        let pid = pid(target.pid)?;
        send(signal, |number| process::kill_process(pid, number))
    }

    /// Signals a whole process group. Only for the parent of a leader that it has not reaped: until
    /// then the number cannot mean another group.
    pub(crate) fn signal_group(leader: u32, signal: Signal) -> io::Result<()> {
        let leader = pid(leader)?;
        send(signal, |number| process::kill_process_group(leader, number))
    }

    /// Makes the child the leader of a process group of its own.
    pub(crate) fn own_group(command: &mut tokio::process::Command) {
        command.process_group(0);
    }

    /// Leaves the terminal's session, so that Ctrl-C and hang-ups there do not arrive here.
    pub(crate) fn leave_terminal() {
        let _ = process::setsid(); // refused only to a group leader: then a shell runs us in the foreground
    }

    /// Whatever this process and its children make is their owner's alone.
    pub(crate) fn keep_files_private() {
        rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_behind_the_name() {
        let tail = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";
        let cases = [
            (format!("7 (sh) S{tail}"), Some((Activity::Running, 4711))),
            (format!("7 (a) R 1 (b c) Z{tail}"), Some((Activity::Ended, 4711))),
            (format!("7 (sh) T{tail}"), Some((Activity::Paused, 4711))),
            ("7 (sh) S 1 2".to_owned(), None),
            (String::new(), None),
        ];
        for (stat, expected) in cases {
            assert_eq!(parse_stat(&stat), expected, "{stat}");
        }
    }
}
