//! By how much one group lies above the other: the Hodges-Lehmann estimate with its exact interval.
//!
//! Source: J. L. Hodges, E. L. Lehmann, "Estimates of location based on rank tests", Annals of Mathematical
//! Statistics 34 (1963); the interval is that of the rank sum test turned around.

use crate::stats::median;
use crate::stats::rank_sum::u_ways;

/// How often the interval misses the true shift.
const MISSES: f64 = 0.05;

/// A shift and where it lies with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The estimate: the median of all differences.
    pub estimate: f64,
    /// The interval; `None` if there are too few values for one that is bounded.
    pub interval: Option<(f64, f64)>,
}

/// How far `b` lies above `a`; `None` if a group is empty.
#[must_use]
pub fn between(a: &[f64], b: &[f64]) -> Option<Shift> {
    let mut differences: Vec<f64> = a.iter().flat_map(|a| b.iter().map(move |b| b - a)).collect();
    differences.sort_by(f64::total_cmp);
    let estimate = median(&differences)?;
    let left_out = left_out(a.len(), b.len());
    let interval =
        (left_out > 0).then(|| (differences[left_out - 1], differences[differences.len() - left_out]));
    Some(Shift { estimate, interval })
}

/// Which of the sorted differences from either end bounds the interval, counted from 1; 0 if none can.
fn left_out(a: usize, b: usize) -> usize {
    let ways = u_ways(a, b);
    let all: f64 = ways.iter().sum();
    let mut tail = 0.0;
    ways.iter()
        .take_while(|count| {
            tail += **count;
            tail / all <= MISSES / 2.0
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_example_comes_out() {
        // Hollander, Wolfe (1973), example of section 4.2: the estimate is 0.305.
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let early = [1.15, 0.88, 0.90, 0.74, 1.21];
        let shift = between(&early, &term).expect("values");
        assert!((shift.estimate - 0.305).abs() < 1e-9, "{shift:?}");
        // R: wilcox.test(term, early, conf.int = TRUE).
        let (low, high) = shift.interval.expect("enough values");
        assert!((low - -0.15).abs() < 0.02 && (high - 0.76).abs() < 0.02, "{shift:?}");
    }

    #[test]
    fn the_interval_has_the_confidence_it_claims() {
        // Four values a side: only the outermost differences, confidence 97.1 %; three: no interval at all.
        assert_eq!(left_out(3, 3), 0);
        assert_eq!(left_out(4, 4), 1);
        assert_eq!(left_out(5, 5), 3);
        assert_eq!(left_out(10, 10), 24, "the critical value of U plus one");
        assert_eq!(between(&[1.0; 3], &[2.0; 3]), Some(Shift { estimate: 1.0, interval: None }));
        let four = between(&[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0, 30.0, 40.0]).expect("values");
        assert_eq!(four.interval, Some((6.0, 39.0)), "the smallest and the largest difference");
        assert_eq!(between(&[], &[1.0]), None);
    }
}
