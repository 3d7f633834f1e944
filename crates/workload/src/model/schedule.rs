//! When the requests of an open loop are planned: pure, so that a plan can be checked without waiting.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::evidence::audit::Gaps;
use crate::model::Arrivals;
use crate::model::clock::{Moment, Window};
use crate::model::stages::RateCurve;

/// Which of how many generator threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// From 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

impl Share {
    /// This thread's part of `total` things.
    #[must_use]
    pub fn part(self, total: u64) -> u64 {
        let (index, of) = (u64::from(self.index), u64::from(self.of));
        total / of + u64::from(index < total % of)
    }

    /// The number in the whole run of this thread's `local`-th request.
    #[must_use]
    pub fn number(self, local: u64) -> u64 {
        local * u64::from(self.of) + u64::from(self.index)
    }
}

/// The planned requests of one thread, in order of time.
#[derive(Debug)]
pub struct Schedule {
    timing: Timing,
    share: Share,
    dice: Xoshiro256PlusPlus,
    /// Requests left that count, for a run that ends by count.
    left: u64,
    local: u64,
    /// How many requests of the whole curve are due when the next one is.
    due: f64,
    next: Option<Moment>,
    last: Option<f64>,
    gaps: Gaps,
}

/// A request with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Its number in the run.
    pub number: u64,
    /// When it should leave.
    pub at: Moment,
}

/// What makes a [`Schedule`].
#[derive(Debug, Clone)]
pub struct Timing {
    /// How the rate of all threads goes over time.
    pub curve: Arc<RateCurve>,
    /// How they are spread.
    pub arrivals: Arrivals,
    /// The part of the run that counts.
    pub window: Window,
    /// Requests that count, of all threads; `None` for a run that ends by time.
    pub count: Option<u64>,
    /// The same seed plans the same times.
    pub seed: u64,
}

impl Schedule {
    /// The schedule of one thread. Together the threads' schedules have the rate and spread asked
    /// for: every `of`-th of the even ones; independent Poisson processes add up to one.
    #[must_use]
    pub fn new(timing: Timing, share: Share) -> Self {
        let dice = Xoshiro256PlusPlus::seed_from_u64(timing.seed ^ (u64::from(share.index) << 32));
        let left = timing.count.map_or(u64::MAX, |count| share.part(count));
        let (last, gaps) = (None, Gaps::default());
        let mut schedule = Self { timing, share, dice, left, local: 0, due: 0.0, next: None, last, gaps };
        schedule.advance();
        schedule
    }

    /// When the next request is planned; `None` when there is none left.
    #[must_use]
    pub fn peek(&self) -> Option<Moment> {
        self.next.filter(|next| self.left > 0 && *next < self.timing.window.closes)
    }

    /// The next request if it is planned for `now` or earlier.
    pub fn due(&mut self, now: Moment) -> Option<Planned> {
        let at = self.peek().filter(|at| *at <= now)?;
        let number = self.share.number(self.local);
        self.local += 1;
        if self.timing.window.counts(at) && self.left != u64::MAX {
            self.left -= 1;
        }
        self.measure(at);
        self.advance();
        Some(Planned { number, at })
    }

    /// The gaps between the requests so far, in units of their mean.
    #[must_use]
    pub fn gaps(&self) -> Gaps {
        self.gaps.clone()
    }

    /// Plans the next request: the n-th is due when the curve has come to n.
    fn advance(&mut self) {
        let of = f64::from(self.share.of);
        self.due = match self.timing.arrivals {
            // From the index, not from the last one: rounding must not add up.
            Arrivals::Even => as_float(self.local).mul_add(of, f64::from(self.share.index)),
            Arrivals::Poisson => self.due + exponential(of, &mut self.dice),
        };
        let time = self.timing.curve.time_of(self.due);
        self.next = time.map(|seconds| Moment::at(Duration::from_secs_f64(seconds)));
    }

    /// Measures the gap before a request by its moment, not by what it was planned from.
    fn measure(&mut self, at: Moment) {
        let due = self.timing.curve.count_at(at.since(Moment::START).as_secs_f64());
        if let Some(last) = self.last.replace(due) {
            self.gaps.add((due - last) / f64::from(self.share.of));
        }
    }
}

/// A gap of a Poisson process.
fn exponential(mean: f64, random: &mut Xoshiro256PlusPlus) -> f64 {
    -mean * (1.0 - random.random::<f64>()).ln()
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 requests")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn timing(arrivals: Arrivals, count: Option<u64>) -> Timing {
        let window = Window {
            opens: Moment::at(Duration::from_secs(1)),
            closes: count.map_or(Moment::at(Duration::from_secs(11)), |_| Moment::NEVER),
        };
        Timing { curve: Arc::new(RateCurve::steady(1000.0)), arrivals, window, count, seed: 3 }
    }

    fn all(timing: &Timing, threads: u32) -> Vec<Planned> {
        let mut planned = Vec::new();
        for index in 0..threads {
            let mut schedule = Schedule::new(timing.clone(), Share { index, of: threads });
            while let Some(next) = schedule.due(Moment::NEVER) {
                planned.push(next);
            }
        }
        planned.sort_by_key(|planned| planned.at);
        planned
    }

    #[test]
    fn even_arrivals_have_equal_distances_over_all_threads() {
        for threads in [1, 3] {
            let planned = all(&timing(Arrivals::Even, None), threads);
            assert_eq!(planned.len(), 11_000, "warm-up included");
            let gaps = planned.windows(2).map(|pair| pair[1].at.nanos_since(pair[0].at));
            assert!(gaps.into_iter().all(|gap| gap.abs_diff(1_000_000) <= 1), "{threads} threads");
        }
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread() {
        let planned = all(&timing(Arrivals::Poisson, None), 3);
        assert!((10_600..11_400).contains(&planned.len()), "{}", planned.len());
        let gaps: Vec<_> =
            planned.windows(2).map(|pair| as_float(pair[1].at.nanos_since(pair[0].at))).collect();
        let mean = gaps.iter().sum::<f64>() / as_float(gaps.len() as u64);
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / as_float(gaps.len() as u64);
        let variation = variance.sqrt() / mean;
        assert!((0.93..1.07).contains(&variation), "an exponential's is 1, found {variation}");
    }

    #[test]
    fn a_count_ends_the_run_and_numbers_are_unique() {
        for threads in [1, 3] {
            let planned = all(&timing(Arrivals::Even, Some(100)), threads);
            let window = timing(Arrivals::Even, Some(100)).window;
            let counted = planned.iter().filter(|planned| window.counts(planned.at)).count();
            assert_eq!(counted, 100);
            let numbers: BTreeSet<_> = planned.iter().map(|planned| planned.number).collect();
            assert_eq!(numbers.len(), planned.len());
        }
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let mut schedule = Schedule::new(timing(Arrivals::Even, None), Share { index: 0, of: 1 });
        let at = |micros| Moment::at(Duration::from_micros(micros));
        assert!(schedule.due(at(0)).is_some());
        assert!(schedule.due(at(999)).is_none());
        assert!(schedule.due(at(2500)).is_some());
        assert_eq!(schedule.peek(), Some(at(2000)));
    }

    #[test]
    fn stages_have_their_own_rates_however_many_threads_there_are() {
        let stages = "100/s:2s,100..300/s:2s,50/s:4s".parse().expect("stages");
        let warmup = Duration::from_secs(1);
        let window = Window { opens: Moment::at(warmup), closes: Moment::at(Duration::from_secs(9)) };
        for (arrivals, slack) in [(Arrivals::Even, 1), (Arrivals::Poisson, 80)] {
            for threads in [1, 3] {
                let curve = Arc::new(RateCurve::staged(warmup, &stages));
                let planned = all(&Timing { curve, arrivals, window, count: None, seed: 3 }, threads);
                let between = |from: u64, to: u64| {
                    let (from, to) =
                        (Moment::at(Duration::from_secs(from)), Moment::at(Duration::from_secs(to)));
                    planned.iter().filter(|planned| planned.at >= from && planned.at < to).count()
                };
                for (from, to, expected) in [(0, 1, 100), (1, 3, 200), (3, 5, 400), (5, 9, 200)] {
                    let found = between(from, to);
                    assert!(
                        found.abs_diff(expected) <= slack,
                        "{arrivals:?} {threads}: {from}..{to} s has {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn threads_share_what_there_is_and_the_first_ones_take_the_rest() {
        for (total, of, parts) in
            [(7, 3, vec![3, 2, 2]), (8, 3, vec![3, 3, 2]), (6, 3, vec![2, 2, 2]), (1, 2, vec![1, 0])]
        {
            let shared: Vec<_> = (0..of).map(|index| Share { index, of }.part(total)).collect();
            assert_eq!(shared, parts, "{total} over {of}");
        }
        assert_eq!(Share { index: 2, of: 3 }.number(4), 14);
    }

    #[test]
    fn gaps_are_measured_in_units_of_their_mean() {
        for (threads, arrivals, is_even) in
            [(1, Arrivals::Even, true), (3, Arrivals::Even, true), (1, Arrivals::Poisson, false)]
        {
            let mut schedule = Schedule::new(timing(arrivals, None), Share { index: 0, of: threads });
            let planned = std::iter::from_fn(|| schedule.due(Moment::NEVER)).count();
            let gaps = schedule.gaps();
            assert_eq!(gaps.count(), planned as u64 - 1, "{arrivals:?}");
            assert_eq!(gaps.farthest < 1e-3, is_even, "{arrivals:?}: {}", gaps.farthest);
            let common = gaps.classes.iter().max().expect("some");
            assert_eq!(common * 2 > gaps.count(), is_even, "{:?}", gaps.classes);
        }
    }
}
