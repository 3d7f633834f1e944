//! What the system's tables say of other processes: whose standard input a file is, who holds a lock, and with which
//! words a process was started.

use std::fs;
use std::io;
use std::path::Path;

/// Pids of the processes whose standard input is the file at this path, or was there until it was removed.
/// Empty where the platform cannot tell.
#[cfg(target_os = "linux")]
pub(crate) fn readers_of(path: &Path) -> io::Result<Vec<u32>> {
    use std::os::unix::fs::MetadataExt as _;
    let wanted = fs::metadata(path).ok();
    let dir = path.parent().and_then(|dir| fs::canonicalize(dir).ok()).unwrap_or_default();
    let removed = path.file_name().map(|name| format!("{} (deleted)", dir.join(name).display()));
    let is_stdin_of = |pid: &u32| {
        let stdin = format!("/proc/{pid}/fd/0");
        let Ok(target) = fs::read_link(&stdin) else { return false };
        if removed.as_ref().is_some_and(|removed| target.as_os_str() == removed.as_str()) {
            return true;
        }
        let same = |wanted: &fs::Metadata| {
            fs::metadata(&stdin).is_ok_and(|found| (found.dev(), found.ino()) == (wanted.dev(), wanted.ino()))
        };
        wanted.as_ref().is_some_and(same)
    };
    let entries = fs::read_dir("/proc")?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter(is_stdin_of).collect())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn readers_of(_path: &Path) -> io::Result<Vec<u32>> {
    Ok(Vec::new())
}

/// The process that locked a directory, from the kernel's table (proc(5), `/proc/locks`).
#[cfg(target_os = "linux")]
pub(crate) fn locks_directory(dir: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs::metadata(dir).ok()?;
    let (major, minor) = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
    lock_holder(&fs::read_to_string("/proc/locks").ok()?, &format!("{major:02x}:{minor:02x}:{}", found.ino()))
}

/// Nothing is known elsewhere.
#[cfg(not(target_os = "linux"))]
pub(crate) fn locks_directory(_dir: &Path) -> Option<u32> {
    None
}

/// Whose exclusive lock the table lists for a file; those who wait have an arrow before theirs.
#[cfg(target_os = "linux")]
fn lock_holder(table: &str, file: &str) -> Option<u32> {
    let holder = |line: &str| match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        [_, "FLOCK", _, "WRITE", pid, locked, ..] if locked == file => pid.parse().ok(),
        _ => None,
    };
    table.lines().find_map(holder)
}

/// The words of a process's command line; none if it is gone or not to be seen.
pub(crate) fn words_of(pid: u32) -> Vec<String> {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
    let Ok(mut system) = System::new() else { return Vec::new() };
    let pid = Pid::from_u32(pid);
    let kind = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
    let words = system.process(pid).map(sysinfo::Process::cmd).unwrap_or_default();
    words.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_names_its_holder() {
        let table = "1: POSIX  ADVISORY  WRITE 7 08:01:99 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 4711 08:01:42 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 4712 08:01:42 0 EOF\n\
                     3: FLOCK  ADVISORY  READ 9 08:01:43 0 EOF\n";
        assert_eq!(lock_holder(table, "08:01:42"), Some(4711));
        assert_eq!((lock_holder(table, "08:01:43"), lock_holder(table, "08:01:99")), (None, None));
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(locks_directory(dir.path()), None);
    }
}
