//! How long rows are kept that are not needed for long: for a time and up to a number, whichever ends first.
//!
//! The age of a row is that of its id, by the newest id there is. So a wall clock that jumps makes rows look
//! old. What must not go is therefore guarded by this process's own monotonic time: a row stays for a while
//! after it was written here, and nothing goes for a while after the start.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::StoreError;

/// How long a row stays at least after it was written: four times as long as an order may be pending, while
/// a call between services waits a second at most.
pub const SETTLE: Duration = Duration::from_mins(2);
/// How long refused orders are kept unless the configuration says otherwise.
pub const KEEP: Duration = Duration::from_hours(24);
/// How many refused orders are kept unless the configuration says otherwise.
pub const MOST: u32 = 50_000;

/// Rows that go in one transaction: a millisecond or two of the writer's time.
pub const BATCH: u32 = 100;
/// Longest pause between two looks.
const TICK: Duration = Duration::from_secs(5);
/// Shortest pause between two batches.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
/// The pause after a batch, in times of what the batch took.
const IDLE_SHARE: u32 = 4;
/// Parts of [`Retention::settle`] that are distinguished.
const PARTS: u32 = 8;

/// What is kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Rows that are older than the newest one by more than this may go.
    pub keep: Duration,
    /// Rows that are not among so many newest ones may go.
    pub most: u32,
    /// How long a row stays at least after it was written.
    pub settle: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep: KEEP, most: MOST, settle: SETTLE }
    }
}

/// An id as a number: greater ones were made later.
pub type Id = u128;

impl Retention {
    /// The greatest id that may go, by the newest id that is stored and the newest one beyond the number.
    #[must_use]
    pub fn last_to_go(&self, newest: Id, beyond: Option<Id>) -> Id {
        // The first 48 bits of an id are milliseconds.
        let keep = self.keep.as_millis().min(newest >> 80);
        let aged = newest - (keep << 80);
        // What has exactly the age stays.
        aged.saturating_sub(1).max(beyond.unwrap_or(0))
    }

    fn part(&self) -> Duration {
        self.settle / PARTS
    }
}

/// The least ids written in the last while: what is below all of them was written before.
#[derive(Debug, Clone)]
pub struct Recent(Arc<Marks>);

#[derive(Debug)]
struct Marks {
    retention: Retention,
    began: Instant,
    least: Mutex<VecDeque<(Instant, Id)>>,
}

impl Recent {
    /// Begins now, with nothing known of what was written before.
    #[must_use]
    pub fn new(retention: Retention, now: Instant) -> Self {
        Self(Arc::new(Marks { retention, began: now, least: Mutex::default() }))
    }

    /// What is kept.
    #[must_use]
    pub fn retention(&self) -> &Retention {
        &self.0.retention
    }

    /// A row is being written.
    pub fn note(&self, id: Id, now: Instant) {
        let mut least = self.0.least.lock().unwrap_or_else(PoisonError::into_inner);
        match least.back_mut() {
            Some((since, lowest)) if now.duration_since(*since) < self.0.retention.part() => {
                *lowest = id.min(*lowest);
            }
            _ => least.push_back((now, id)),
        }
        self.forget(&mut least, now);
    }

    /// Ids from this one on stay. `None` as long as nothing is known.
    #[must_use]
    pub fn bound(&self, now: Instant) -> Option<Id> {
        if now.duration_since(self.0.began) < self.0.retention.settle {
            return None;
        }
        let mut least = self.0.least.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut least, now);
        Some(least.iter().map(|(_, id)| *id).min().unwrap_or(Id::MAX))
    }

    /// Forgets parts whose last id was written long enough ago.
    fn forget(&self, least: &mut VecDeque<(Instant, Id)>, now: Instant) {
        let long = self.0.retention.settle + self.0.retention.part();
        while least.front().is_some_and(|(since, _)| now.duration_since(*since) >= long) {
            least.pop_front();
        }
    }
}

/// Lets rows go for ever, a batch at a time, and leaves the writer to others most of the time. `forget` lets
/// one batch go and says how many rows it had.
pub async fn sweep<F, Gone>(retention: Retention, name: &'static str, forget: F)
where
    F: Fn() -> Gone,
    Gone: Future<Output = Result<usize, StoreError>>,
{
    let tick = retention.part().min(TICK).max(SHORTEST_PAUSE);
    loop {
        let began = Instant::now();
        let pause = match forget().await {
            Ok(gone) if gone >= BATCH as usize => (began.elapsed() * IDLE_SHARE).clamp(SHORTEST_PAUSE, TICK),
            Ok(_) => tick,
            Err(error) => {
                tracing::warn!(service = name, %error, "old rows stay for now; the next look tries again");
                tick
            }
        };
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Id = 3_600_000;

    fn retention() -> Retention {
        Retention { keep: Duration::from_hours(1), most: 10, settle: Duration::from_secs(80) }
    }

    fn id(millis: Id) -> Id {
        millis << 80 | 5
    }

    #[test]
    fn age_and_number_end_what_is_kept() {
        let retention = retention();
        let last = retention.last_to_go(id(3 * HOUR), None);
        assert!(last >= id(2 * HOUR - 1) && last < id(2 * HOUR), "an hour before the newest");
        assert_eq!(retention.last_to_go(id(3 * HOUR), Some(id(3 * HOUR - 1))), id(3 * HOUR - 1));
        assert_eq!(retention.last_to_go(id(5), None) >> 80, 0, "there was no earlier hour");
    }

    #[test]
    fn what_was_written_lately_stays_whatever_its_id_says() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let recent = Recent::new(retention(), start);
        assert_eq!(recent.bound(at(79)), None, "who has just begun knows nothing");
        assert_eq!(recent.bound(at(80)), Some(Id::MAX));
        recent.note(id(500), at(100));
        recent.note(id(9), at(101));
        recent.note(id(600), at(140));
        assert_eq!(recent.bound(at(180)), Some(id(9)), "a late one holds on to all that is newer");
        assert_eq!(recent.bound(at(200)), Some(id(600)));
        assert_eq!(recent.bound(at(231)), Some(Id::MAX));
    }

    #[test]
    fn memory_is_bounded() {
        let start = Instant::now();
        let recent = Recent::new(retention(), start);
        for second in 0..10_000 {
            recent.note(second.into(), start + Duration::from_millis(100 * second));
        }
        assert!(recent.0.least.lock().expect("is sound").len() <= PARTS as usize + 2);
    }
}
