//! The flags of tracing.

use ordersys_spans::{Collector, DEFAULT_BUDGET, Sample, Settings};

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Tracing")]
pub(super) struct TracingArgs {
    /// Send spans to the OTLP collector at this URL, over HTTP with protobuf
    #[arg(long = "otlp", env = "ORDERSYS_OTLP", value_name = "URL")]
    collector: Option<Collector>,
    /// Part of the requests without a trace of their own that begin one, from 0 to 1
    #[arg(long = "otlp-sample", env = "ORDERSYS_OTLP_SAMPLE", default_value_t = Sample::HUNDREDTH, value_name = "RATIO", requires = "collector")]
    sample: Sample,
    /// Most spans a service records in a second; further ones are dropped and counted
    #[arg(long = "otlp-budget", env = "ORDERSYS_OTLP_BUDGET", default_value_t = DEFAULT_BUDGET, value_name = "SPANS", requires = "collector", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    budget: u32,
}

impl TracingArgs {
    pub(super) fn settings(&self) -> Option<Settings> {
        let collector = self.collector.clone()?;
        Some(Settings { collector, sample: self.sample, budget: self.budget })
    }
}
