//! Waits until a moment, more exactly than the runtime's timers (1 ms) where the system allows it.

use std::time::Duration;

use ordersys_workload::model::clock::{Clock, Moment};

/// Wake-ups closer together than this are not worth their cost; requests due meanwhile leave together.
pub(crate) const FINEST_WAIT: Duration = Duration::from_micros(100);
/// The same where a wait lets a [`CROWD`] leave: there the thread has hardly time for anything else.
const CROWDED_WAIT: Duration = Duration::from_micros(250);
/// So many requests at once are many.
const CROWD: usize = 8;

/// Waits for one generator thread.
#[derive(Debug)]
pub(crate) struct Pacer {
    clock: Clock,
    #[cfg(target_os = "linux")]
    timer: Option<exact::Timer>,
}

impl Pacer {
    /// A pacer of this clock. Must be made on the runtime that waits.
    #[must_use]
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            #[cfg(target_os = "linux")]
            timer: exact::Timer::new().ok(),
        }
    }

    /// Waits until the moment, at least [`FINEST_WAIT`], or longer if many requests left after the last wait.
    pub(crate) async fn wait_until(&self, moment: Moment, left: usize) {
        let least = if left < CROWD { FINEST_WAIT } else { CROWDED_WAIT };
        let wait = moment.since(self.clock.now()).max(least);
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer
            && timer.wait(wait).await.is_ok()
        {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

#[cfg(target_os = "linux")]
mod exact {
    //! A kernel timer that the runtime waits for as it waits for sockets: exact to some 50 µs.

    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(crate) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(deprecated, reason = "unsound only for types that may give up their descriptor early")]
            let fd = AsyncFd::with_interest(fd, Interest::READABLE)?;
            Ok(Self(fd))
        }

        pub(crate) async fn wait(&self, wait: Duration) -> io::Result<()> {
            let once = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
            let value = wait.try_into().map_err(|_| io::ErrorKind::InvalidInput)?;
            let spec = Itimerspec { it_interval: once, it_value: value };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &spec)?;
            loop {
                let mut ready = self.0.readable().await?;
                let mut expirations = [0; 8];
                let read = ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut expirations)?));
                match read {
                    Ok(read) => return read.map(drop),
                    Err(_would_block) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn it_waits_long_enough_again_and_again() {
        let clock = Clock::starting_at(Instant::now());
        let pacer = Pacer::new(clock);
        for _ in 0..5 {
            let due = clock.now().after(Duration::from_micros(1500));
            pacer.wait_until(due, 0).await;
            assert!(clock.now() >= due);
        }
        for (left, least) in [(CROWD - 1, FINEST_WAIT), (CROWD, CROWDED_WAIT)] {
            let before = clock.now();
            pacer.wait_until(Moment::START, left).await;
            assert!(clock.now().since(before) >= least, "a moment gone by still costs the least wait");
        }
    }
}
