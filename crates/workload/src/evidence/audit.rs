//! What a thread's plan turned out to be, so that it can be compared with what was asked for.

use crate::endpoint::Endpoint;

/// Classes that gaps between arrivals are sorted into, equally likely for independent arrivals.
pub const GAP_CLASSES: usize = 32;

/// What was really planned.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Requests by endpoint, warm-up included.
    pub planned: [u64; Endpoint::ALL.len()],
    /// Requests of an endpoint that became orders, since there was no order to name yet.
    pub turned: [u64; Endpoint::ALL.len()],
    /// The gaps between arrivals.
    pub gaps: Gaps,
}

/// Gaps between the arrivals of an open loop, in units of their mean.
#[derive(Debug, Clone, Default)]
pub struct Gaps {
    /// How many fell into each class.
    pub classes: [u64; GAP_CLASSES],
    /// The largest distance of a gap from the mean.
    pub farthest: f64,
}

impl Gaps {
    /// One more gap.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of 1 times a small number"
    )]
    pub fn add(&mut self, gap: f64) {
        let below = 1.0 - (-gap.max(0.0)).exp();
        let class = (below * GAP_CLASSES as f64) as usize;
        self.classes[class.min(GAP_CLASSES - 1)] += 1;
        self.farthest = self.farthest.max((gap - 1.0).abs());
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }
}

impl Audit {
    /// Adds another thread's.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.planned.iter_mut().zip(other.planned) {
            *mine += theirs;
        }
        for (mine, theirs) in self.turned.iter_mut().zip(other.turned) {
            *mine += theirs;
        }
        for (mine, theirs) in self.gaps.classes.iter_mut().zip(other.gaps.classes) {
            *mine += theirs;
        }
        self.gaps.farthest = self.gaps.farthest.max(other.gaps.farthest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_sorted_into_classes_that_are_equally_likely() {
        let quantile = |share: f64| -(1.0 - share).ln();
        for (gap, class) in [
            (-1.0, 0),
            (0.0, 0),
            (quantile(0.031), 0),
            (quantile(0.032), 1),
            (quantile(0.5001), 16),
            (quantile(0.9999), 31),
            (1_000.0, 31),
        ] {
            let mut gaps = Gaps::default();
            gaps.add(gap);
            assert_eq!((gaps.classes[class], gaps.count()), (1, 1), "{gap}");
        }
        let mut gaps = Gaps::default();
        for gap in [1.5, 0.25, 1.0] {
            gaps.add(gap);
        }
        assert!((gaps.farthest - 0.75).abs() < 1e-9, "{}", gaps.farthest);
    }

    #[test]
    fn threads_are_added_up() {
        let audit = |number: u64, farthest: f64| Audit {
            planned: [number; Endpoint::ALL.len()],
            turned: [2 * number; Endpoint::ALL.len()],
            gaps: Gaps { classes: [3 * number; GAP_CLASSES], farthest },
        };
        let mut all = audit(2, 0.5);
        all.merge(&audit(3, 0.25));
        assert_eq!((all.planned[7], all.turned[0], all.gaps.classes[31]), (5, 10, 15));
        assert!((all.gaps.farthest - 0.5).abs() < 1e-9);
    }
}
