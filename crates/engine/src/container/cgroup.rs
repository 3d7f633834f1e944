//! Which of this machine's processes are in a container, by their control groups (cgroups(7)). In a machine of
//! its own, an engine's process ids are not ours: there are none then.

use std::fs;

/// The processes of this machine that are in a container.
#[must_use]
pub fn processes_in(container: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_in(*pid, container)).collect()
}

fn is_in(pid: u32, container: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|groups| names(&groups, container))
}

fn names(groups: &str, container: &str) -> bool {
    !container.is_empty() && groups.contains(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_container_itself_is_named() {
        assert!(names("4:memory:/docker/abc\n0::/docker/abc\n", "abc"));
        assert!(names("0::/system.slice/docker-abc.scope\n", "abc"));
        assert!(!names("0::/user.slice/session-1.scope\n", "abc"));
        assert!(!names("0::/docker/abc\n", ""), "a container without an id");
        assert_eq!(processes_in("0123456789abcdef"), Vec::<u32>::new(), "there is no such container");
    }
}
