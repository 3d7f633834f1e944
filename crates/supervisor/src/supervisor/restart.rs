//! When a service that ended is started again: at once, then later and later.

use std::time::Duration;

use crate::state::ProcessState;

/// A process that ran this long was stable: earlier quick ends are forgotten.
pub(crate) const STABLE_AFTER: Duration = Duration::from_secs(10);
/// So many quick ends in a row are a crash loop.
const CRASH_LOOP: u32 = 5;
/// The pause after the second quick end; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The jitter takes at most this share off a pause, so that services do not restart in step.
const JITTER: f64 = 0.2;

/// Counts the quick ends of one service.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    quick_ends: u32,
}

/// What to do about an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    /// How long to wait before the next start.
    pub(crate) length: Duration,
    /// How to call the service meanwhile.
    pub(crate) state: ProcessState,
}

impl Restarts {
    /// The process ended after having run that long; `chance` is a random number from 0 to 1.
    pub(crate) fn after_end(&mut self, ran: Duration, chance: f64) -> Pause {
        self.quick_ends = if ran >= STABLE_AFTER { 1 } else { self.quick_ends.saturating_add(1) };
        let (full, state) = match self.quick_ends {
            ..=1 => (Duration::ZERO, ProcessState::BackingOff),
            CRASH_LOOP.. => (LONGEST_PAUSE, ProcessState::CrashLoop),
            ends => (FIRST_PAUSE * 2_u32.saturating_pow(ends - 2), ProcessState::BackingOff),
        };
        let length = full.min(LONGEST_PAUSE).mul_f64(1.0 - JITTER * chance.clamp(0.0, 1.0));
        Pause { length, state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_crash_loop_and_a_stable_run_forgets() {
        let quick = Duration::from_millis(20);
        let mut restarts = Restarts::default();
        let steps = [
            (quick, 0, ProcessState::BackingOff),
            (quick, 100, ProcessState::BackingOff),
            (quick, 200, ProcessState::BackingOff),
            (quick, 400, ProcessState::BackingOff),
            (quick, 10_000, ProcessState::CrashLoop),
            (quick, 10_000, ProcessState::CrashLoop),
            (STABLE_AFTER, 0, ProcessState::BackingOff),
            (quick, 100, ProcessState::BackingOff),
        ];
        for (index, (ran, millis, state)) in steps.into_iter().enumerate() {
            let expected = Pause { length: Duration::from_millis(millis), state };
            assert_eq!(restarts.after_end(ran, 0.0), expected, "step {index}");
        }
    }

    #[test]
    fn jitter_only_shortens() {
        let mut restarts = Restarts { quick_ends: 7 };
        assert_eq!(restarts.after_end(Duration::ZERO, 1.0).length, Duration::from_secs(8));
        assert_eq!(restarts.after_end(Duration::ZERO, 0.5).length, Duration::from_secs(9));
    }
}
