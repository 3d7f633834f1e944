//! How many spans may be recorded: so many a second, and no more at once.

use std::time::{Duration, Instant};

/// Spans that may be recorded now.
#[derive(Debug)]
pub(crate) struct Budget {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Budget {
    pub(crate) fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, left: per_second, at: now }
    }

    /// Takes one span, if one is left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let passed = now.checked_duration_since(self.at).unwrap_or(Duration::ZERO);
        self.left = (self.left + passed.as_secs_f64() * self.per_second).min(self.per_second);
        self.at = now.max(self.at);
        let one = self.left >= 1.0;
        if one {
            self.left -= 1.0;
        }
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_so_many_a_second() {
        let start = Instant::now();
        let mut budget = Budget::new(10, start);
        let mut taken = |at: Duration| (0..100).filter(|_| budget.take(start + at)).count();
        assert_eq!(taken(Duration::ZERO), 10);
        assert_eq!(taken(Duration::from_millis(510)), 5);
        assert_eq!(taken(Duration::from_mins(1)), 10, "what was not used is not kept");
        assert_eq!(taken(Duration::from_secs(1)), 0, "time that goes back brings nothing");
    }
}
