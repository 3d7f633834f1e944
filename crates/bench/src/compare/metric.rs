//! What two runs are compared by.

use serde::Serialize;

use crate::result::RunResult;

/// What two runs are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Right answers per second.
    Throughput,
    /// Median response time in milliseconds.
    P50,
    /// 99 % of responses are shorter, in milliseconds.
    P99,
    /// 99.9 % of responses are shorter, in milliseconds.
    P999,
    /// Processor time of the services per request, in microseconds.
    ServerCpu,
}

impl Metric {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 5] = [Self::Throughput, Self::P50, Self::P99, Self::P999, Self::ServerCpu];

    /// Its name and unit.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Throughput => "throughput /s",
            Self::P50 => "p50 ms",
            Self::P99 => "p99 ms",
            Self::P999 => "p99.9 ms",
            Self::ServerCpu => "server CPU us",
        }
    }

    /// Its name in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::ServerCpu => "server CPU",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Throughput => 0,
            Self::P50 => 1,
            Self::P99 => 2,
            Self::P999 => 3,
            Self::ServerCpu => 4,
        }
    }
}

/// What one run measured, by metric.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample([Option<f64>; Metric::ALL.len()]);

impl Sample {
    /// A sample with these values.
    #[must_use]
    pub fn new(values: &[(Metric, f64)]) -> Self {
        let mut sample = Self::default();
        for (metric, value) in values {
            sample.0[metric.place()] = Some(*value);
        }
        sample
    }

    /// What a run measured.
    #[must_use]
    pub fn of_run(run: &RunResult) -> Self {
        let core = &run.core;
        let (totals, response) = (&core.measures.totals, &core.measures.latency.response);
        let server = core.cpu_micros_per_request.server;
        Self([Some(totals.throughput), Some(response.p50), Some(response.p99), Some(response.p999), server])
    }

    /// The value of a metric, if the run has it.
    #[must_use]
    pub fn of(&self, metric: Metric) -> Option<f64> {
        self.0[metric.place()]
    }
}
