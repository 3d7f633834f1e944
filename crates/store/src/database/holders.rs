//! Which other programs hold locks of a database, as far as the system tells.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The bytes of the shared-memory file whose locks mean that a transaction is under way: the writer's, those of
/// recovery and checkpoints, and the readers'. The byte behind them is locked by all
/// (<https://sqlite.org/walformat.html>, "WAL Locks").
const AT_WORK: std::ops::RangeInclusive<u64> = 120..=127;

/// Names the processes, or says that they are not known.
pub(crate) fn of(database: &Path) -> String {
    let inode = fs::metadata(database.with_extension("db-shm")).map(|metadata| metadata.ino());
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let mut pids: Vec<u32> = inode.map(|inode| holders(&locks, inode)).unwrap_or_default();
    pids.retain(|pid| *pid != std::process::id());
    pids.sort_unstable();
    pids.dedup();
    let named = |pid: &u32| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        format!("process {pid} ({})", name.trim_end())
    };
    let named: Vec<_> = pids.iter().map(named).collect();
    if named.is_empty() { "another program".to_owned() } else { named.join(" and ") }
}

/// Whose locks a list of the system has on a file: lines such as
/// `1: POSIX ADVISORY WRITE 4242 08:01:131090 120 120`.
fn holders(locks: &str, inode: u64) -> Vec<u32> {
    let holder = |line: &str| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, "POSIX", _, _, pid, file, start, _] = words[..] else { return None };
        let is_it = file.rsplit(':').next()?.parse() == Ok(inode);
        let is_at_work = start.parse().is_ok_and(|start| AT_WORK.contains(&start));
        (is_it && is_at_work).then(|| pid.parse().ok()).flatten()
    };
    locks.lines().filter_map(holder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_of_a_transaction_are_found_and_waiters_and_other_files_are_not() {
        let locks = "1: POSIX  ADVISORY  WRITE 4242 08:01:77 120 120\n\
                     2: POSIX  ADVISORY  READ 4243 08:01:77 128 128\n\
                     3: POSIX  ADVISORY  READ 4244 08:01:77 124 124\n\
                     3: -> POSIX  ADVISORY  WRITE 4245 08:01:77 124 124\n\
                     4: POSIX  ADVISORY  READ 4246 08:01:78 124 124\n\
                     5: FLOCK  ADVISORY  WRITE 4247 08:01:77 0 EOF\n";
        assert_eq!(holders(locks, 77), [4242, 4244]);
    }
}
