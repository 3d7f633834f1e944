//! When a request is sent again: after a failure, a time-out or "not now", a bounded number of times, and
//! not sooner than the answer asks for. Pure.

use std::time::Duration;

use ordersys_workload::evidence::answer::{Ending, Judged};
use ordersys_workload::evidence::ledger::{Refusal, Told};

/// Most times a request can be asked to be sent again.
pub const MAX_RETRIES: u32 = 100;
/// The pause before the second try; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause, also where an answer asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The tries of one request.
#[derive(Debug)]
pub(crate) struct Tries {
    left: u32,
    /// Tries beyond the first.
    pub(crate) again: u32,
    past: Past,
}

/// What earlier tries may have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    Nothing,
    Unknown,
}

impl Tries {
    /// A request that may be sent again so often.
    pub(crate) fn new(retries: u32) -> Self {
        Self { left: retries, again: 0, past: Past::Nothing }
    }

    /// How long to wait before the next try, if there is one. `asked` is what the answer asks for;
    /// `jitter` is from 0 to 1, so that clients that failed together do not come back together.
    pub(crate) fn next(
        &mut self,
        judged: &Judged<'_>,
        asked: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        let passing = match judged.ending {
            Ending::Failed | Ending::TimedOut => true,
            Ending::Refused => matches!(judged.status, 429 | 503),
            Ending::Ok | Ending::Aborted => false,
        };
        if !passing || self.left == 0 {
            return None;
        }
        self.left -= 1;
        if judged.told == Told::Unknown {
            self.past = Past::Unknown;
        }
        let own = FIRST_PAUSE * 2_u32.saturating_pow(self.again.min(16));
        self.again += 1;
        Some(asked.unwrap_or_else(|| own.min(LONGEST_PAUSE).mul_f64(jitter)).min(LONGEST_PAUSE))
    }

    /// What the client knows after its last try was answered so: "not now" says nothing of the tries before.
    pub(crate) fn told(&self, last: Told) -> Told {
        match (self.past, &last) {
            (Past::Unknown, Told::Refused(Refusal::NotNow)) => Told::Unknown,
            _ => last,
        }
    }

    /// Whether a try may have reached the system, if the last one `never_left`.
    pub(crate) fn may_have_acted(&self) -> bool {
        self.past == Past::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordersys_workload::evidence::answer::judge;

    const BUSY: &[u8] = br#"{"code":"overloaded"}"#;

    #[test]
    fn passing_trouble_is_tried_again_and_nothing_else() {
        let lost = || Judged::unanswered(Ending::TimedOut, "timeout");
        let cases = [
            (lost(), true),
            (judge(503, BUSY), true),
            (judge(429, b""), true),
            (judge(500, b""), true),
            (judge(409, BUSY), false),
            (judge(422, b""), false),
            (judge(201, br#"{"id":"a"}"#), false),
            (Judged::unanswered(Ending::Aborted, "interrupted"), false),
        ];
        for (judged, again) in cases {
            assert_eq!(Tries::new(1).next(&judged, None, 1.0).is_some(), again, "{judged:?}");
            assert_eq!(Tries::new(0).next(&judged, None, 1.0), None, "{judged:?}");
        }
    }

    #[test]
    fn pauses_grow_have_a_bound_and_follow_the_answer() {
        let mut tries = Tries::new(10);
        let pauses: Vec<_> = std::iter::from_fn(|| tries.next(&judge(503, BUSY), None, 1.0))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
        let asked = |seconds| Tries::new(1).next(&judge(503, BUSY), Some(Duration::from_secs(seconds)), 0.1);
        assert_eq!((asked(2), asked(60)), (Some(Duration::from_secs(2)), Some(LONGEST_PAUSE)));
    }

    #[test]
    fn not_now_does_not_settle_an_earlier_try() {
        let not_now = || Told::Refused(Refusal::NotNow);
        let mut tries = Tries::new(2);
        let _ = tries.next(&judge(503, BUSY), None, 1.0);
        assert_eq!(tries.told(not_now()), not_now());
        let _ = tries.next(&Judged::unanswered(Ending::TimedOut, "timeout"), None, 1.0);
        assert_eq!(tries.told(not_now()), Told::Unknown);
        assert_eq!(tries.told(Told::Refused(Refusal::OutOfStock)), Told::Refused(Refusal::OutOfStock));
    }
}
