//! The memory a container uses: read from the kernel where its processes are this machine's, else
//! asked from the engine, which takes up to a second for it.

use std::fs;
use std::time::Duration;

use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt as _;

use crate::engine::Engine;

/// How long an engine may take to say how much memory a container uses.
const STATS_LIMIT: Duration = Duration::from_secs(5);
const CGROUPS: &str = "/sys/fs/cgroup";

/// The memory of a running container, in bytes: none where neither the kernel nor the engine tells.
pub async fn of(engine: &Engine, id: &str, pid: Option<u32>) -> Option<u64> {
    match known(id, pid) {
        None => from_engine(engine, id).await,
        known => known,
    }
}

/// The same, in bytes, where it costs nothing to know: of a container whose first process is this machine's.
#[must_use]
pub fn known(id: &str, pid: Option<u32>) -> Option<u64> {
    from_kernel(pid?, id)
}

/// From the control group of the container's first process, if that process is this machine's.
fn from_kernel(pid: u32, container: &str) -> Option<u64> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let Group { dir, usage_file, cache_field } = memory_group(&groups, container)?;
    let usage: u64 = fs::read_to_string(format!("{dir}/{usage_file}")).ok()?.trim().parse().ok()?;
    let stat = fs::read_to_string(format!("{dir}/memory.stat")).ok()?;
    Some(usage.saturating_sub(field(&stat, cache_field).unwrap_or(0)))
}

#[derive(Debug, PartialEq, Eq)]
struct Group {
    dir: String,
    usage_file: &'static str,
    cache_field: &'static str,
}

/// Where the memory of a process is accounted (cgroups(7)). The path has to name the container:
/// in a machine of its own, an engine's process ids are not ours.
fn memory_group(groups: &str, container: &str) -> Option<Group> {
    let path = |line: &str, prefix: &str| line.strip_prefix(prefix).map(str::to_owned);
    let unified = groups.lines().find_map(|line| path(line, "0::"));
    let classic = groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        path(rest, "memory:")
    });
    let (path, root, usage_file, cache_field) = match (classic, unified) {
        (Some(path), _) => (path, "/memory", "memory.usage_in_bytes", "total_inactive_file"),
        (None, Some(path)) => (path, "", "memory.current", "inactive_file"),
        (None, None) => return None,
    };
    let ours = path.contains(container);
    ours.then(|| Group { dir: format!("{CGROUPS}{root}{path}"), usage_file, cache_field })
}

fn field(stat: &str, name: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

async fn from_engine(engine: &Engine, id: &str) -> Option<u64> {
    let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
    let mut answers = Box::pin(engine.docker.stats(id, Some(options)));
    let answer = tokio::time::timeout(STATS_LIMIT, answers.next()).await.ok()??;
    let stats = answer.ok()?.memory_stats?;
    // What the kernel would give back at once does not count, as in `docker stats`.
    let cache = |fields: &std::collections::HashMap<String, u64>| {
        fields.get("total_inactive_file").or_else(|| fields.get("inactive_file")).copied()
    };
    let cache = stats.stats.as_ref().and_then(cache).unwrap_or(0);
    stats.usage.map(|usage| usage.saturating_sub(cache))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_either_hierarchy_is_found() {
        let dir = |groups: &str| memory_group(groups, "abc").map(|group| group.dir);
        assert_eq!(
            dir("0::/system.slice/docker-abc.scope\n"),
            Some("/sys/fs/cgroup/system.slice/docker-abc.scope".to_owned())
        );
        let classic = "12:cpu:/docker/abc\n4:memory:/docker/abc\n0::/docker/abc\n";
        assert_eq!(dir(classic), Some("/sys/fs/cgroup/memory/docker/abc".to_owned()));
        assert_eq!(dir("0::/user.slice/other\n"), None, "another machine's process id");
        assert_eq!(field("active_file 5\ninactive_file 7\n", "inactive_file"), Some(7));
    }
}
