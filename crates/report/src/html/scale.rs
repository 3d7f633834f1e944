//! From values to places in a drawing, and which values deserve a label.

/// A mapping from values to coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    domain: (f64, f64),
    range: (f64, f64),
    kind: Kind,
}

/// How values are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Straight,
    /// Equal ratios are equally far from each other; no value is below the domain.
    Logarithmic,
}

/// Values that differ by more than this ratio do not fit one straight scale.
const WIDEST: f64 = 20.0;

impl Scale {
    /// Maps the ends of `domain` to the ends of `range`. An empty domain is widened.
    pub(super) fn new(domain: (f64, f64), range: (f64, f64)) -> Self {
        let domain = if domain.1 > domain.0 { domain } else { (domain.0, domain.0 + 1.0) };
        Self { domain, range, kind: Kind::Straight }
    }

    /// Maps from 0 to the largest of these values, or by their ratios where a straight scale would flatten most of them.
    pub(super) fn fitting(values: impl Iterator<Item = f64>, range: (f64, f64)) -> Self {
        let above = values.filter(|value| *value > 0.0);
        let (least, most) =
            above.fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        if most <= least * WIDEST {
            return Self::new((0.0, most.max(1e-3) * 1.04), range);
        }
        let (bottom, top) = (10_f64.powf(least.log10().floor()), most * 1.15);
        Self { domain: (bottom, top), range, kind: Kind::Logarithmic }
    }

    /// Where a value lies.
    pub(super) fn at(self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let share = match self.kind {
            Kind::Straight => (value - low) / (high - low),
            Kind::Logarithmic => (value.max(low) / low).ln() / (high / low).ln(),
        };
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Round values across the domain, at most about so many.
    pub(super) fn ticks(self, about: u32) -> Vec<f64> {
        if self.kind == Kind::Logarithmic {
            return self.decades();
        }
        let step = round_up((self.domain.1 - self.domain.0) / f64::from(about.max(1)));
        let first = (self.domain.0 / step).ceil();
        let place = |index: u32| (first + f64::from(index)) * step;
        (0..=about * 3).map(place).take_while(|tick| *tick <= self.domain.1 + step / 1e6).collect()
    }
}

impl Scale {
    /// The powers of ten across the domain, and where these are few what lies between them.
    fn decades(self) -> Vec<f64> {
        let (low, high) = self.domain;
        let few = (high / low).log10() < 3.0;
        let powers =
            std::iter::successors(Some(low), |power| Some(power * 10.0)).take_while(|power| *power <= high);
        let steps: &[f64] = if few { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let ticks = powers.flat_map(|power| steps.iter().map(move |step| power * step));
        ticks.filter(|tick| *tick <= high).collect()
    }
}

/// The next of 1, 2 and 5 times a power of ten.
pub(super) fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let rounded = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| value <= step * power * (1.0 + 1e-9));
    rounded.unwrap_or(10.0) * power
}

/// How far right a percentile (0 to 100) lies on the usual logarithmic scale: 0, 90, 99 and 99.9 are equally
/// far from each other.
pub(super) fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).max(1e-12).log10()
}

/// A number as a label: short, without needless zeros.
pub(super) fn label(value: f64) -> String {
    let (value, unit) = if value.abs() >= 10_000.0 { (value / 1000.0, "k") } else { (value, "") };
    let digits = match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 1.0 => 1,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let cases = [
            ((0.0, 10.0), vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
            ((0.0, 0.0), vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
            ((0.0, 23_500.0), vec![0.0, 5000.0, 10_000.0, 15_000.0, 20_000.0]),
        ];
        for (domain, expected) in cases {
            let ticks = Scale::new(domain, (0.0, 1.0)).ticks(5);
            let same = ticks.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(same && ticks.len() == expected.len(), "{domain:?}: {ticks:?}");
        }
    }

    #[test]
    fn values_of_very_different_size_share_a_logarithmic_scale() {
        let straight = Scale::fitting([1.0, 19.0].into_iter(), (0.0, 1.0));
        assert!((straight.at(0.0) - 0.0).abs() < 1e-9 && straight.at(9.5) < 0.5);
        let scale = Scale::fitting([0.0, 2.0, 1400.0].into_iter(), (0.0, 1.0));
        assert!((scale.at(1.0) - 0.0).abs() < 1e-9 && scale.at(1400.0) < 1.0, "{scale:?}");
        assert!((scale.at(100.0) - 2.0 * scale.at(10.0)).abs() < 1e-9, "equal ratios");
        assert_eq!(scale.ticks(5), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(
            Scale::fitting([3.0, 90.0].into_iter(), (0.0, 1.0)).ticks(5),
            [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
        );
        assert!(Scale::fitting(std::iter::empty(), (0.0, 1.0)).at(1.0).is_finite());
    }

    #[test]
    fn nines_are_equally_far_from_each_other() {
        for (percentile, expected) in [(0.0, 0.0), (90.0, 1.0), (99.0, 2.0), (99.9, 3.0), (100.0, 12.0)] {
            assert!((nines(percentile) - expected).abs() < 1e-6, "{percentile}");
        }
    }

    #[test]
    fn labels_are_short() {
        let cases =
            [(0.0, "0"), (0.25, "0.25"), (2.5, "2.5"), (120.0, "120"), (9_500.0, "9500"), (25_000.0, "25k")];
        for (value, expected) in cases {
            assert_eq!(label(value), expected);
        }
    }
}
