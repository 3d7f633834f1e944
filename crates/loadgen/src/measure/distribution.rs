//! How long things took: a histogram of fixed size that also knows times it could only bound from below.

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Finest step told apart, in nanoseconds.
const LOWEST_NANOS: u64 = 256;
/// Longest time told apart, in nanoseconds: two minutes.
const HIGHEST_NANOS: u64 = 120_000_000_000;
/// Significant decimal digits kept.
const DIGITS: u8 = 3;
/// A quantile with fewer samples above it says little.
pub const FEW_SAMPLES: u64 = 10;

/// Times in nanoseconds, three digits each.
#[derive(Debug, Clone)]
pub struct Distribution {
    histogram: Histogram<u64>,
    shortest: u64,
    longest: u64,
    /// The shortest of the times that are lower bounds: quantiles from there on are bounds as well.
    shortest_bound: u64,
}

/// One quantile of a [`Distribution`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantile {
    /// The time in nanoseconds.
    pub nanos: u64,
    /// Whether the true value may be larger, since requests without an answer lie at or below it.
    pub at_least: bool,
    /// How many samples lie above it.
    pub above: u64,
}

impl Quantile {
    /// Whether enough samples lie above it to mean something.
    #[must_use]
    pub fn is_supported(self) -> bool {
        self.above >= FEW_SAMPLES
    }

    /// The time in milliseconds, to the microsecond.
    #[must_use]
    pub fn millis(self) -> f64 {
        millis(self.nanos)
    }
}

/// Nanoseconds as milliseconds, to the microsecond.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "whole microseconds of at most minutes are exact")]
pub fn millis(nanos: u64) -> f64 {
    nanos.div_ceil(1000) as f64 / 1e3
}

/// What every report shows of a distribution, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// The shortest.
    pub min: f64,
    /// The mean; a lower bound where requests had no answer in time.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// 75 % are shorter.
    pub p75: f64,
    /// 90 % are shorter.
    pub p90: f64,
    /// 95 % are shorter.
    pub p95: f64,
    /// 99 % are shorter.
    pub p99: f64,
    /// 99.9 % are shorter.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Default for Distribution {
    fn default() -> Self {
        Self::new()
    }
}

impl Distribution {
    /// An empty distribution; takes about 160 KiB from the start, however much is recorded.
    ///
    /// # Panics
    /// Never: the bounds are constants of this file.
    #[must_use]
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(LOWEST_NANOS, HIGHEST_NANOS, DIGITS);
        let mut histogram = histogram.expect("the constants above are valid bounds");
        // Writes to all of it: else each time of a new length takes memory while it counts.
        std::hint::black_box(&mut histogram).clear();
        Self { histogram, shortest: u64::MAX, longest: 0, shortest_bound: u64::MAX }
    }

    /// Records a time.
    pub fn record(&mut self, nanos: u64) {
        self.histogram.saturating_record(nanos);
        self.shortest = self.shortest.min(nanos);
        self.longest = self.longest.max(nanos);
    }

    /// Records a time that is only known to be at least so long.
    pub fn record_at_least(&mut self, nanos: u64) {
        self.record(nanos);
        self.shortest_bound = self.shortest_bound.min(nanos);
    }

    /// Adds all of another distribution.
    pub fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        let added = self.histogram.add(&other.histogram);
        debug_assert!(added.is_ok(), "both have the same bounds");
        self.shortest = self.shortest.min(other.shortest);
        self.longest = self.longest.max(other.longest);
        self.shortest_bound = self.shortest_bound.min(other.shortest_bound);
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        if self.histogram.is_empty() {
            return;
        }
        self.histogram.reset();
        self.shortest = u64::MAX;
        self.longest = 0;
        self.shortest_bound = u64::MAX;
    }

    /// How many times were recorded.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.histogram.len()
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// The value below which the share `quantile` (0 to 1) lies; 1 gives the exact maximum.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Quantile {
        let nanos = if quantile >= 1.0 {
            self.longest
        } else {
            self.histogram.value_at_quantile(quantile).min(self.longest)
        };
        let at_least = self.shortest_bound <= self.histogram.highest_equivalent(nanos);
        let below = rank(self.len(), quantile).min(self.len());
        Quantile { nanos, at_least, above: self.len() - below }
    }

    /// The shortest time in nanoseconds, exact; 0 of none.
    fn shortest(&self) -> u64 {
        if self.is_empty() { 0 } else { self.shortest }
    }

    /// What every report shows.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        let at = |quantile| self.quantile(quantile).millis();
        Quantiles {
            min: millis(self.shortest()),
            mean: (self.histogram.mean() / 1e3).round() / 1e3,
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: at(1.0),
        }
    }

    /// How many times, from the shortest on, are exact; the others are lower bounds.
    #[must_use]
    pub fn certain(&self) -> u64 {
        if self.shortest_bound > self.longest {
            return self.len();
        }
        let first = self.histogram.lowest_equivalent(self.shortest_bound);
        first.checked_sub(1).map_or(0, |below| self.histogram.count_between(0, below))
    }

    /// The histogram itself, for export.
    #[must_use]
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }
}

/// How many of `count` samples lie at or below a quantile.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of samples; a rounding error of one sample in 2^53 does not matter"
)]
#[must_use]
pub fn rank(count: u64, quantile: f64) -> u64 {
    (count as f64 * quantile).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn of(values: impl IntoIterator<Item = u64>) -> Distribution {
        let mut distribution = Distribution::new();
        values.into_iter().for_each(|value| distribution.record(value));
        distribution
    }

    #[test]
    fn quantiles_have_three_digits_and_never_pass_the_maximum() {
        let distribution = of((1..=1000).map(|n| n * MS));
        let quantiles = distribution.quantiles();
        assert!((quantiles.p50 - 500.0).abs() < 1.0, "{quantiles:?}");
        assert!((quantiles.p99 - 990.0).abs() < 1.5, "{quantiles:?}");
        assert!((quantiles.max - 1000.0).abs() < 1e-9, "exact: {quantiles:?}");
        assert!(quantiles.p999 <= quantiles.max);
        assert!((quantiles.min - 1.0).abs() < 1e-9 && (quantiles.mean - 500.5).abs() < 1.0, "{quantiles:?}");
        assert!((quantiles.p75 - 750.0).abs() < 1.0 && (quantiles.p95 - 950.0).abs() < 1.0, "{quantiles:?}");
        assert_eq!(distribution.quantile(0.99).above, 10);
        assert!(distribution.quantile(0.99).is_supported());
        assert!(!distribution.quantile(0.999).is_supported());
    }

    #[test]
    fn a_quantile_among_unanswered_requests_is_a_lower_bound() {
        let mut distribution = of((0..90).map(|_| MS));
        (0..10).for_each(|_| distribution.record_at_least(5000 * MS));
        assert!(!distribution.quantile(0.5).at_least);
        assert!(!distribution.quantile(0.9).at_least);
        assert!(distribution.quantile(0.95).at_least);
        assert!(distribution.quantile(1.0).at_least);

        let mut merged = Distribution::new();
        merged.merge(&distribution);
        assert!(merged.quantile(0.95).at_least, "bounds survive a merge");
        merged.clear();
        assert!(merged.is_empty() && !merged.quantile(0.95).at_least);
    }

    #[test]
    fn nothing_recorded_is_zero() {
        let quantiles = Distribution::new().quantiles();
        let Quantiles { min, mean, p50, max, .. } = quantiles;
        assert!([min, mean, p50, max].iter().all(|time| *time == 0.0), "{quantiles:?}");
    }

    #[test]
    fn milliseconds_are_rounded_up_to_the_microsecond() {
        for (nanos, expected) in [(0, 0.0), (1, 0.001), (1_000, 0.001), (1_001, 0.002), (2_500_000, 2.5)] {
            assert!((millis(nanos) - expected).abs() < 1e-9, "{nanos}");
        }
    }

    #[test]
    fn what_lies_above_a_quantile_and_what_is_certain_is_counted() {
        let mut distribution = of([MS; 90]);
        assert_eq!((distribution.len(), distribution.certain()), (90, 90));
        distribution.record_at_least(MS / 2);
        (0..9).for_each(|_| distribution.record_at_least(5000 * MS));
        assert_eq!((distribution.len(), distribution.certain()), (100, 0), "all lie above a bound");
        let mut late = of([MS; 90]);
        (0..10).for_each(|_| late.record_at_least(5000 * MS));
        assert_eq!((late.certain(), late.histogram().len()), (90, 100));
        let above = [0.0, 0.5, 0.999, 1.0, 2.0].map(|quantile| late.quantile(quantile).above);
        assert_eq!(above, [100, 50, 0, 0, 0]);
        assert_eq!([rank(10, 0.5), rank(10, 0.51), rank(0, 0.5)], [5, 6, 0]);
        assert!(!Distribution::new().quantile(1.0).at_least && Distribution::new().is_empty());
    }

    #[test]
    fn a_distribution_that_is_cleared_or_merged_with_nothing_is_as_before() {
        let mut distribution = of([MS, 3 * MS]);
        distribution.merge(&Distribution::new());
        assert_eq!((distribution.len(), distribution.quantile(1.0).nanos), (2, 3 * MS));
        distribution.merge(&of([7 * MS]));
        assert_eq!((distribution.len(), distribution.quantile(1.0).nanos), (3, 7 * MS));
        distribution.clear();
        assert_eq!((distribution.len(), distribution.quantile(1.0).nanos), (0, 0));
        assert!(!distribution.quantile(1.0).at_least);
    }
}
