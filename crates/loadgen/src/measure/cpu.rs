//! How much processor time the generator and the services used.

use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Processor time of the calling thread, where the system tells.
#[must_use]
pub fn this_thread() -> Option<Duration> {
    clock(CpuClock::Thread)
}

/// Processor time of this process, where the system tells.
#[must_use]
pub fn this_process() -> Option<Duration> {
    clock(CpuClock::Process)
}

#[derive(Debug, Clone, Copy)]
enum CpuClock {
    Thread,
    Process,
}

#[cfg(unix)]
fn clock(clock: CpuClock) -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let id = match clock {
        CpuClock::Thread => ClockId::ThreadCPUTime,
        CpuClock::Process => ClockId::ProcessCPUTime,
    };
    clock_gettime(id).try_into().ok()
}

#[cfg(not(unix))]
fn clock(clock: CpuClock) -> Option<Duration> {
    match clock {
        CpuClock::Thread => None,
        CpuClock::Process => of_processes(&[std::process::id()]),
    }
}

/// Processor time of other processes together; `None` if there are none or one of them is gone.
#[must_use]
pub fn of_processes(pids: &[u32]) -> Option<Duration> {
    if pids.is_empty() {
        return None;
    }
    let pids: Vec<_> = pids.iter().map(|pid| Pid::from_u32(*pid)).collect();
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, what);
    let times = pids.iter().map(|pid| Some(system.process(*pid)?.accumulated_cpu_time()));
    times.sum::<Option<u64>>().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_shows_up_in_every_clock() {
        let (thread, process) = (this_thread(), this_process());
        let mut sum = 0_u64;
        while this_thread() < thread.map(|before| before + Duration::from_millis(20)) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        // The process's clock is only brought up to date now and then.
        assert!(this_process() >= process.map(|before| before + Duration::from_millis(10)));
        assert!(of_processes(&[std::process::id()]).is_some());
        assert_eq!(of_processes(&[]), None);
    }
}
