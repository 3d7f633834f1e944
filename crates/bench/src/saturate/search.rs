//! Which rate to try next: first doubled, then halved between what was met and what was missed, then once
//! more to confirm. Pure.

/// Most runs of one search.
const MOST_RUNS: usize = 40;
/// The slowest rate that is tried, in requests per second.
const SLOWEST: f64 = 1.0;
/// The fastest rate that is tried, in requests per second.
const FASTEST: f64 = 1_000_000.0;

/// What was learnt so far.
#[derive(Debug, Clone)]
pub struct Search {
    from: f64,
    precision: f64,
    tried: Vec<(f64, bool)>,
    confirmed: Option<f64>,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Try this rate.
    Try(f64),
    /// Try this rate once more, for longer.
    Confirm(f64),
    /// There is nothing more to learn.
    Done,
}

impl Next {
    /// The rate, and whether it is tried for the second time.
    #[must_use]
    pub fn asked(self) -> Option<(f64, bool)> {
        match self {
            Self::Try(rate) => Some((rate, false)),
            Self::Confirm(rate) => Some((rate, true)),
            Self::Done => None,
        }
    }
}

impl Search {
    /// A search that starts at a rate and ends with an interval this narrow (0.05: 5 % of its lower end).
    #[must_use]
    pub fn new(from: f64, precision: f64) -> Self {
        Self { from: from.clamp(SLOWEST, FASTEST), precision, tried: Vec::new(), confirmed: None }
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Next {
        if self.tried.len() >= MOST_RUNS {
            return Next::Done;
        }
        match self.interval() {
            (None, None) => Next::Try(self.from),
            (None, Some(missed)) if missed <= SLOWEST => Next::Done,
            (None, Some(missed)) => Next::Try((missed / 2.0).max(SLOWEST)),
            (Some(met), None) if met < FASTEST => Next::Try((met * 2.0).min(FASTEST)),
            (Some(met), Some(missed)) if missed > met * (1.0 + self.precision) => {
                Next::Try(round((met * missed).sqrt()))
            }
            (Some(met), _) if self.confirmed != Some(met) => Next::Confirm(met),
            (Some(_), _) => Next::Done,
        }
    }

    /// What came of a rate. One that was met and then missed counts as missed.
    pub fn learn(&mut self, rate: f64, met: bool) {
        if met && self.next() == Next::Confirm(rate) {
            self.confirmed = Some(rate);
        }
        self.tried.push((rate, met));
    }

    /// The highest rate that was met below every one that was missed, and the lowest that was missed.
    #[must_use]
    pub fn interval(&self) -> (Option<f64>, Option<f64>) {
        let missed = self.tried.iter().filter(|(_, met)| !met).map(|(rate, _)| *rate).min_by(f64::total_cmp);
        let below = |rate: f64| missed.is_none_or(|missed| rate < missed);
        let met = self.tried.iter().filter(|(rate, met)| *met && below(*rate)).map(|(rate, _)| *rate);
        (met.max_by(f64::total_cmp), missed)
    }

    /// Whether the highest rate was met twice.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmed.is_some() && self.confirmed == self.interval().0
    }
}

/// A rate is easier to read, and to ask for again, without decimals.
fn round(rate: f64) -> f64 {
    if rate >= 100.0 { rate.round() } else { (rate * 100.0).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a search against a system that meets its objectives up to a limit.
    fn find(limit: f64, from: f64) -> (Search, usize) {
        let mut search = Search::new(from, 0.05);
        let mut runs = 0;
        while let Some((rate, _)) = search.next().asked() {
            search.learn(rate, rate <= limit);
            runs += 1;
        }
        (search, runs)
    }

    #[test]
    fn the_limit_lies_in_the_interval_which_is_narrow_and_confirmed() {
        for limit in [3.0, 97.0, 1000.0, 8421.0, 250_000.0] {
            for from in [10.0, 100.0, 5000.0] {
                let (search, runs) = find(limit, from);
                let (Some(met), Some(missed)) = search.interval() else {
                    panic!("{limit} from {from}: {search:?}")
                };
                assert!(met <= limit && limit < missed, "{limit} from {from}: {met} to {missed}");
                assert!(missed <= met * 1.051, "{limit} from {from}: {met} to {missed}");
                assert!(search.is_confirmed() && runs <= 30, "{limit} from {from}: {runs} runs");
                let tries = search.tried.iter().filter(|(rate, _)| rate.total_cmp(&met).is_eq()).count();
                assert_eq!(tries, 2, "{limit} from {from}: found and confirmed");
            }
        }
    }

    #[test]
    fn a_system_without_limit_or_without_a_rate_ends_the_search() {
        let (search, _) = find(f64::INFINITY, 100.0);
        assert_eq!(search.interval(), (Some(FASTEST), None));
        assert!(search.is_confirmed());
        let (search, runs) = find(0.0, 100.0);
        assert_eq!(search.interval(), (None, Some(SLOWEST)));
        assert!(!search.is_confirmed());
        assert_eq!(runs, 8, "100, 50, 25 and so on down to 1, each once");
    }

    #[test]
    fn a_rate_that_is_not_met_again_is_given_up_for_a_lower_one() {
        let (mut search, _) = find(1000.0, 100.0);
        let (Some(met), _) = search.interval() else { panic!("{search:?}") };
        search.confirmed = None;
        assert_eq!(search.next(), Next::Confirm(met));
        search.learn(met, false);
        let (lower, missed) = search.interval();
        assert!(lower.is_some_and(|lower| lower < met) && missed == Some(met), "{lower:?} {missed:?}");
        assert!(!search.is_confirmed() && search.next() != Next::Done);
    }

    #[test]
    fn rates_are_round_and_a_search_ends_after_its_most_runs() {
        for (rate, rounded) in [(99.456, 99.46), (100.4, 100.0), (1234.5, 1235.0), (3.0, 3.0)] {
            assert!((round(rate) - rounded).abs() < 1e-9, "{rate}: {}", round(rate));
        }
        let mut search = Search::new(2_000_000.0, 0.0);
        assert_eq!(search.next(), Next::Try(FASTEST));
        for _ in 0..MOST_RUNS {
            assert_ne!(search.next(), Next::Done);
            let Some((rate, _)) = search.next().asked() else { panic!("{search:?}") };
            search.learn(rate, rate < 700.0 * std::f64::consts::SQRT_2);
        }
        assert_eq!(search.next(), Next::Done);
    }
}
