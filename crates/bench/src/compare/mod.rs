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
/// The version of the comparison's JSON.
const VERSION: u32 = 1;

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// A metric differs, more than by chance.
    Different,
    /// No metric differs by more than chance explains.
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
            Self::Same => "no difference",
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
    /// The p-value of the metric alone.
    pub p: f64,
    /// The p-value corrected for the number of metrics.
    pub adjusted_p: f64,
    /// Whether it differs.
    pub differs: bool,
}

impl Comparison {
    /// Compares two groups of runs by metrics that all of them have.
    #[must_use]
    pub fn of(metrics: &[Metric], a: &[Sample], b: &[Sample], systems: Vec<Difference>) -> Self {
        let mut compared: Vec<_> = metrics.iter().filter_map(|metric| compare(*metric, a, b)).collect();
        let p_values: Vec<_> = compared.iter().map(|one| one.p).collect();
        for (one, adjusted) in compared.iter_mut().zip(holm::adjusted(&p_values)) {
            one.adjusted_p = adjusted;
            one.differs = adjusted < LEVEL && a.len().min(b.len()) >= FEWEST_RUNS;
        }
        let reason = too_few(a.len(), b.len(), compared.len());
        let decision = match (&reason, compared.iter().any(|one| one.differs)) {
            (_, true) => Decision::Different,
            (None, false) => Decision::Same,
            (Some(_), false) => Decision::Undecided,
        };
        Self { version: VERSION, decision, reason, runs: [a.len(), b.len()], metrics: compared, systems }
    }
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
        p,
        adjusted_p: p,
        differs: false,
        values: [a, b],
    })
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
