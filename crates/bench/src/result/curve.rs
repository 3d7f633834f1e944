//! A whole distribution, in as many points as a plot of percentiles needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ordersys_loadgen::measure::distribution::{Distribution, FEW_SAMPLES, Quantiles, millis, rank};
use ordersys_loadgen::measure::totals::RunTotals;

/// Points for each halving of the distance to 100 %.
const POINTS_PER_HALF_DISTANCE: u32 = 5;

/// A distribution of times.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Curve {
    /// Which time, e.g. `response`.
    pub name: String,
    /// Of which endpoint; `null` for all requests.
    pub endpoint: Option<String>,
    /// How many times were measured.
    pub count: u64,
    /// How many of them, from the shortest on, are exact; the others may have been longer.
    pub certain: u64,
    /// The usual quantiles, in milliseconds.
    pub quantiles: Quantiles,
    /// From the shortest to the longest.
    pub points: Vec<Point>,
}

/// So many percent took at most so long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// From 0 to 100.
    pub percentile: f64,
    /// The time in milliseconds.
    pub millis: f64,
    /// How many requests that is.
    pub count: u64,
}

impl Curve {
    fn of(name: &str, endpoint: Option<&str>, distribution: &Distribution) -> Self {
        let mut count = 0;
        let longest = millis(distribution.quantile(1.0).nanos);
        let points = distribution.histogram().iter_quantiles(POINTS_PER_HALF_DISTANCE).map(|step| {
            count += step.count_since_last_iteration();
            let percentile = step.quantile_iterated_to() * 100.0;
            Point { percentile, millis: millis(step.value_iterated_to()).min(longest), count }
        });
        Self {
            name: name.to_owned(),
            endpoint: endpoint.map(str::to_owned),
            count: distribution.len(),
            certain: distribution.certain(),
            quantiles: distribution.quantiles(),
            points: points.collect(),
        }
    }

    /// Its name in tables and plots.
    #[must_use]
    pub fn label(&self) -> String {
        self.endpoint
            .as_ref()
            .map_or_else(|| self.name.clone(), |endpoint| format!("{} {endpoint}", self.name))
    }

    /// Whether the true value of a quantile (0 to 1) may be longer.
    #[must_use]
    pub fn is_bound(&self, quantile: f64) -> bool {
        rank(self.count, quantile).max(1) > self.certain
    }

    /// Whether enough samples lie above a quantile to mean something.
    #[must_use]
    pub fn is_supported(&self, quantile: f64) -> bool {
        self.count - rank(self.count, quantile).min(self.count) >= FEW_SAMPLES
    }
}

/// All curves of a run that have a point.
pub(crate) fn all(totals: &RunTotals) -> Vec<Curve> {
    let total = &totals.total;
    let of_all = [
        ("response", &total.response),
        ("service", &total.service),
        ("connection wait", &total.wait),
        ("generator lag", &total.lag),
        ("refusals", &total.refusals),
    ];
    let of_all = of_all.into_iter().map(|(name, distribution)| Curve::of(name, None, distribution));
    let of_endpoints = totals
        .endpoints
        .iter()
        .map(|(endpoint, recording)| Curve::of("response", Some(endpoint.name()), &recording.response));
    of_all.chain(of_endpoints).filter(|curve| curve.count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_support_are_those_of_the_distribution() {
        let mut distribution = Distribution::new();
        (0..90).for_each(|_| distribution.record(1_000_000));
        (0..10).for_each(|_| distribution.record_at_least(5_000_000_000));
        let curve = Curve::of("response", None, &distribution);
        assert_eq!((curve.count, curve.certain), (100, 90));
        for quantile in [0.1, 0.5, 0.9, 0.905, 0.95, 1.0] {
            let truth = distribution.quantile(quantile);
            assert_eq!(curve.is_bound(quantile), truth.at_least, "{quantile}");
            assert_eq!(curve.is_supported(quantile), truth.is_supported(), "{quantile}");
        }
        let last = curve.points.last().expect("points");
        assert!((last.percentile - 100.0).abs() < 1e-9 && last.count == 100, "{last:?}");
        assert!(curve.points.is_sorted_by(|a, b| a.percentile <= b.percentile && a.millis <= b.millis));
    }
}
