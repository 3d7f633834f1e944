//! What a measurement ran on.

use std::ops::Range;
use std::path::Path;

use anyhow::Context as _;
use ordersys_contract::Timestamp;
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::lab::Lab;

/// The line above a table: what was done, on what, with which build, when.
pub(crate) async fn conditions(lab: &Lab, what: &str) -> anyhow::Result<String> {
    let version = lab.printed(&["--version"]).await?;
    // The directory a program was built into says how it was built.
    let build = lab.program.parent().and_then(Path::file_name).unwrap_or_default().display();
    let version = format!("{} ({build} build)", String::from_utf8_lossy(&version).trim());
    let today: String = Timestamp::now().to_string().chars().take("2026-01-01".len()).collect();
    Ok(format!("Conditions: {what}; {}, {}; {version}, {today}.\n", storage(lab.dir()), machine()))
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// From here on this thread and what it starts have these processors alone.
pub(crate) fn pin(processors: Range<usize>) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    processors.for_each(|processor| set.set(processor));
    Ok(sched_setaffinity(None, &set)?)
}

/// What `/proc` says of a process in a file of lines such as `VmRSS:  1234 kB`.
pub(crate) fn kib(pid: u32, file: &str, name: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}"))?;
    let value =
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.split_whitespace().next());
    Ok(value.with_context(|| format!("process {pid} has no {name}"))?.parse()?)
}

/// KiB as megabytes.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn megabytes(kib: u64) -> f64 {
    (kib * 1024) as f64 / 1e6
}

/// The processor, its cores and the system.
fn machine() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut names = about.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = names.next().map_or("unknown processor", |(_, name)| name);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{name}, {} cores, Linux {} {}", cores(), kernel.trim(), std::env::consts::ARCH)
}

/// The file system a directory is on.
fn storage(dir: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        dir.starts_with(place).then_some((place.len(), kind))
    });
    mounts.max_by_key(|(length, _)| *length).map_or("unknown storage", |(_, kind)| kind).to_owned()
}
