//! How many orders were taken in each short stretch of a run: fine enough to tell how long a fault was felt.

use std::time::Duration;

use ordersys_workload::model::clock::Moment;

/// One stretch.
const BEAT: Duration = Duration::from_millis(20);
/// Stretches that are kept, two hours of them: faults begin and end within.
const MOST_BEATS: usize = 360_000;
/// How long before a fault its rate is taken from.
const BEFORE: Duration = Duration::from_secs(3);
/// Orders have to come at the old rate for so long.
const STEADY: Duration = Duration::from_millis(500);
/// Part of the old rate that counts as the old rate.
const ENOUGH: f64 = 0.8;

/// Orders taken, by when they were.
#[derive(Debug, Clone, Default)]
pub struct Acceptances(Vec<u32>);

impl Acceptances {
    /// Counts an order taken at this moment.
    pub fn beat(&mut self, done: Moment) {
        let place = place(done).min(MOST_BEATS - 1);
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        self.0[place] += 1;
    }

    /// Adds another worker's.
    pub fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// How long after `ended` orders were taken again at 80 % of the rate before `began` or more, for half a
    /// second. Where nothing was taken before, the first order counts. `None` if that was not seen.
    #[must_use]
    pub fn recovery(&self, began: Moment, ended: Moment) -> Option<Duration> {
        let before = place(began).saturating_sub(beats(BEFORE))..place(began);
        let rate = self.taken(before.clone()) / float(before.len().max(1));
        let window = beats(STEADY);
        let is_steady = |start: &usize| {
            let taken = self.taken(*start..start + window);
            self.0[*start] > 0 && taken >= (rate * ENOUGH * float(window)).max(1.0)
        };
        // The stretch in which the fault ended may hold orders from before its end.
        let mut starts = place(ended) + 1..(self.0.len() + 1).saturating_sub(window);
        let start = starts.find(is_steady)?;
        Some(Moment::at(BEAT * u32::try_from(start).ok()?).since(ended))
    }

    fn taken(&self, places: std::ops::Range<usize>) -> f64 {
        let end = places.end.min(self.0.len());
        self.0.get(places.start..end).map_or(0.0, |beats| beats.iter().copied().map(f64::from).sum())
    }
}

fn place(moment: Moment) -> usize {
    beats(moment.since(Moment::START))
}

fn beats(time: Duration) -> usize {
    usize::try_from(time.as_millis() / BEAT.as_millis()).unwrap_or(usize::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "at most MOST_BEATS")]
fn float(beats: usize) -> f64 {
    beats as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::at(Duration::from_millis(millis))
    }

    /// An order every `gap` milliseconds in each of these stretches.
    fn acceptances(gap: usize, stretches: &[(u64, u64)]) -> Acceptances {
        let mut acceptances = Acceptances::default();
        for (from, to) in stretches {
            (*from..*to).step_by(gap).for_each(|millis| acceptances.beat(at(millis)));
        }
        acceptances
    }

    #[test]
    fn recovery_lasts_until_orders_come_at_the_old_rate() {
        let felt =
            |acceptances: &Acceptances| acceptances.recovery(at(2000), at(3000)).map(|felt| felt.as_millis());
        assert_eq!(felt(&acceptances(5, &[(0, 2000), (3400, 6000)])), Some(400));
        let unfelt = felt(&acceptances(5, &[(0, 6000)])).expect("goes on");
        assert!(unfelt <= 20, "{unfelt} ms");
        let slow_first = {
            let mut slow = acceptances(5, &[(0, 2000), (4000, 6000)]);
            slow.merge(&acceptances(100, &[(3000, 4000)]));
            felt(&slow).expect("recovers")
        };
        assert!((800..=1000).contains(&slow_first), "half a second from here reaches 80 %: {slow_first} ms");
        assert_eq!(felt(&acceptances(5, &[(0, 2000)])), None, "nothing more came");
        assert_eq!(felt(&acceptances(5, &[(0, 2000), (3400, 3600)])), None, "not for half a second");
        assert_eq!(
            felt(&acceptances(5, &[(3400, 6000)])),
            Some(400),
            "nothing came before: the first one counts"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut acceptances = Acceptances::default();
        acceptances.beat(Moment::NEVER);
        assert_eq!(acceptances.0.len(), MOST_BEATS);
    }

    #[test]
    fn workers_are_added_up_stretch_by_stretch() {
        let mut sum = acceptances(5, &[(0, 40)]);
        sum.merge(&acceptances(5, &[(20, 60)]));
        assert_eq!(sum.0, [4, 8, 4]);
        sum.merge(&acceptances(20, &[(0, 20)]));
        assert_eq!(sum.0, [5, 8, 4]);
    }
}
