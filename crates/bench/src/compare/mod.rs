//! Whether two groups of runs differ, by how much, and whether there are enough runs to say so. Pure: the
//! unit is a run, never a request, since requests of one run share its luck.

mod metric;
mod settings;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::stats::{holm, median, rank_sum, shift};

pub use crate::compare::metric::{Metric, Sample};
pub use crate::compare::settings::{Difference, Differences};

/// How likely a difference may be reported where there is none.
pub const LEVEL: f64 = 0.05;
/// With fewer runs a side no difference can be shown, however large it is.
pub const FEWEST_RUNS: usize = 4;
/// Most runs of one side: the exact test counts all ways to deal them out.
pub const MOST_RUNS: usize = 50;
/// The version of the comparison's JSON: raised when a member changes its name or meaning.
const VERSION: u32 = 2;

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// A metric differs, more than by chance.
    Different,
    /// No metric was shown to differ, and at least one may, by more than the margin.
    NotShown,
    /// Every metric was shown to be the same, up to the margin.
    Same,
    /// There are too few runs to tell.
    Undecided,
}

impl Decision {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Different => "different",
            Self::NotShown => "no difference shown",
            Self::Same => "the same",
            Self::Undecided => "cannot decide",
        }
    }
}

/// Two groups of runs, compared.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    version: u32,
    /// What it says.
    pub decision: Decision,
    /// Why it says no more.
    pub reason: Option<String>,
    /// Up to which part of the first median a difference counts as none.
    pub margin: f64,
    /// Runs of either side.
    pub runs: [usize; 2],
    /// Each metric.
    pub metrics: Vec<Compared>,
    /// How the systems differ, as far as is known: what is compared.
    pub systems: Vec<Difference>,
}

/// One metric of both sides.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// Which.
    pub metric: Metric,
    /// The values of either side, in the order of the runs.
    pub values: [Vec<f64>; 2],
    /// The medians of either side.
    pub medians: [f64; 2],
    /// How far the second lies above the first.
    pub shift: f64,
    /// Where the true shift lies with a confidence of 95 %.
    pub interval: Option<(f64, f64)>,
    /// The shift as a part of the first median.
    pub relative: Option<f64>,
    /// By how much of the first median the sides could differ at most, with a confidence of 95 %; `null` where
    /// nothing bounds it.
    pub at_most: Option<f64>,
    /// The p-value of the metric alone.
    pub p: f64,
    /// The p-value corrected for the number of metrics.
    pub adjusted_p: f64,
    /// Whether it differs.
    pub differs: bool,
    /// Whether it was shown to be the same, up to the margin.
    pub same: bool,
}

/// Up to which part of the first median a difference counts as none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin(pub f64);

impl std::str::FromStr for Margin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        let margin = percent.filter(|percent| *percent > 0.0 && *percent <= 100.0);
        margin.map(|percent| Self(percent / 100.0)).ok_or_else(|| "a share such as 5%, up to 100%".to_owned())
    }
}

impl std::fmt::Display for Margin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.0 * 100.0)
    }
}

impl Comparison {
    /// Compares two groups of runs by metrics that all of them have.
    #[must_use]
    pub fn of(
        metrics: &[Metric],
        a: &[Sample],
        b: &[Sample],
        Margin(margin): Margin,
        systems: Vec<Difference>,
    ) -> Self {
        let mut compared: Vec<_> = metrics.iter().filter_map(|metric| compare(*metric, a, b)).collect();
        let p_values: Vec<_> = compared.iter().map(|one| one.p).collect();
        for (one, adjusted) in compared.iter_mut().zip(holm::adjusted(&p_values)) {
            one.adjusted_p = adjusted;
            one.differs = adjusted < LEVEL && a.len().min(b.len()) >= FEWEST_RUNS;
            // The whole interval lies within the margin: the two one-sided tests for equivalence.
            one.same = one.at_most.is_some_and(|most| most <= margin);
        }
        let few = too_few(a.len(), b.len(), compared.len());
        let (decision, reason) = match few {
            _ if compared.iter().any(|one| one.differs) => (Decision::Different, few),
            Some(_) => (Decision::Undecided, few),
            None if compared.iter().all(|one| one.same) => (Decision::Same, None),
            None => (Decision::NotShown, Some(not_shown(&compared))),
        };
        let runs = [a.len(), b.len()];
        Self { version: VERSION, decision, reason, margin, runs, metrics: compared, systems }
    }
}

/// By how much the metrics could differ that were shown neither to differ nor to be the same.
fn not_shown(compared: &[Compared]) -> String {
    let open = compared.iter().filter(|one| !one.same).map(|one| match one.at_most {
        Some(most) => format!("{} could differ by up to {:.0} %", one.metric.name(), most * 100.0),
        None => format!("nothing bounds by how much {} differs", one.metric.name()),
    });
    open.collect::<Vec<_>>().join(", ")
}

/// Why no difference could be shown with so few runs, whatever they measured.
fn too_few(a: usize, b: usize, metrics: usize) -> Option<String> {
    if metrics == 0 {
        return Some("the runs have no metric in common".to_owned());
    }
    if a.min(b) < FEWEST_RUNS {
        return Some(format!("{a} and {b} runs; it takes at least {FEWEST_RUNS} a side"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of metrics")]
    let least = rank_sum::smallest_p(a, b) * metrics as f64;
    (least >= LEVEL).then(|| {
        format!("{a} and {b} runs cannot show a difference in one of {metrics} metrics; add runs, or name one --metric")
    })
}

fn compare(metric: Metric, a: &[Sample], b: &[Sample]) -> Option<Compared> {
    let values = |runs: &[Sample]| runs.iter().map(|run| run.of(metric)).collect::<Option<Vec<_>>>();
    let (a, b) = (values(a)?, values(b)?);
    let shift = shift::between(&a, &b)?;
    let medians = [median(&a)?, median(&b)?];
    let p = rank_sum::p_value(&a, &b);
    Some(Compared {
        metric,
        medians,
        shift: shift.estimate,
        interval: shift.interval,
        relative: (medians[0] > 0.0).then(|| shift.estimate / medians[0]),
        at_most: shift.interval.and_then(|(low, high)| farthest(low, high, medians[0])),
        p,
        adjusted_p: p,
        differs: false,
        same: false,
        values: [a, b],
    })
}

/// The larger end of an interval as a part of a median; nothing is a part of none.
fn farthest(low: f64, high: f64, median: f64) -> Option<f64> {
    let far = low.abs().max(high.abs());
    if far == 0.0 { Some(0.0) } else { (median > 0.0).then(|| far / median) }
}

/// Which side runs when: each pair turned around against the one before, so that a drift of the machine
/// meets both sides alike.
#[must_use]
pub fn order(runs: usize) -> Vec<Side> {
    let pair = |index: usize| match index % 2 {
        0 => [Side::A, Side::B],
        _ => [Side::B, Side::A],
    };
    (0..runs).flat_map(pair).collect()
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    /// Its letter.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}
