//! A run's results as files: `result.json`, the page, and one `.hgrm` per distribution.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::html;
use ordersys_bench::compare::Comparison;
use ordersys_bench::result::files::{create_shared, make_shared_dir};
use ordersys_bench::result::interval_log::FILE as LOG;
use ordersys_bench::result::report::Report;
use ordersys_bench::result::{FILE, RunResult};
use ordersys_loadgen::measure::distribution::{Distribution, millis};
use ordersys_loadgen::measure::recording::Recording;

/// Rows of a `.hgrm` for each halving of the distance to 100 %.
const TICKS_PER_HALF_DISTANCE: u32 = 5;
/// The page's file in the directory of a run.
pub const PAGE: &str = "report.html";
/// A comparison's file.
const COMPARISON: &str = "compare.json";
/// A comparison's page.
pub const COMPARISON_PAGE: &str = "compare.html";
/// How the files of distributions end.
const PLOT: &str = ".hgrm";
/// The distributions of all requests.
const DISTRIBUTIONS: [&str; 5] = ["response", "service", "connection-wait", "generator-lag", "refusals"];
/// What the names of the endpoints' distributions begin with.
const ENDPOINT: &str = "endpoint-";

/// Whether a run or a comparison stores a file of this name.
#[must_use]
pub fn is_stored(name: &str) -> bool {
    let plot = |name: &str| DISTRIBUTIONS.contains(&name) || name.starts_with(ENDPOINT);
    [FILE, PAGE, COMPARISON, COMPARISON_PAGE, LOG].contains(&name)
        || name.strip_suffix(PLOT).is_some_and(plot)
}

/// Writes a comparison and its page into a directory.
pub fn comparison(comparison: &Comparison, dir: &Path) -> anyhow::Result<()> {
    make_shared_dir(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let json = serde_json::to_vec_pretty(comparison).context("the comparison is no JSON")?;
    put(dir, COMPARISON, &json)?;
    put(dir, COMPARISON_PAGE, html::comparison(comparison).as_bytes())
}

/// Writes all files of a run into a directory, which is made if it is not there.
pub fn write(report: &Report, dir: &Path) -> anyhow::Result<()> {
    make_shared_dir(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let result = RunResult::of(report);
    let json = serde_json::to_vec_pretty(&result).context("the result is no JSON")?;
    put(dir, FILE, &json)?;
    page(&result, dir)?;
    let totals = &report.generated.totals;
    let Recording { response, service, wait, lag, refusals, .. } = &totals.total;
    for (name, distribution) in DISTRIBUTIONS.into_iter().zip([response, service, wait, lag, refusals]) {
        put(dir, &format!("{name}{PLOT}"), hgrm(distribution).as_bytes())?;
    }
    for (endpoint, recording) in &totals.endpoints {
        let name = format!("{ENDPOINT}{}{PLOT}", endpoint.name());
        put(dir, &name, hgrm(&recording.response).as_bytes())?;
    }
    Ok(())
}

/// Writes the page of a result into a directory.
pub fn page(result: &RunResult, dir: &Path) -> anyhow::Result<()> {
    put(dir, PAGE, html::page(result).as_bytes())
}

fn put(dir: &Path, name: &str, content: &[u8]) -> anyhow::Result<()> {
    let path = dir.join(name);
    let written = create_shared(&path).and_then(|mut file| file.write_all(content));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// The percentile distribution in the text form that HdrHistogram's plotter reads, in milliseconds.
fn hgrm(distribution: &Distribution) -> String {
    let histogram = distribution.histogram();
    let mut text =
        format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let mut below = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        let (quantile, value) = (step.quantile_iterated_to(), millis(step.value_iterated_to()));
        below += step.count_since_last_iteration();
        let _ = if quantile < 1.0 {
            writeln!(text, "{value:>12.3} {quantile:>14.12} {below:>10} {:>14.2}", 1.0 / (1.0 - quantile))
        } else {
            writeln!(text, "{value:>12.3} {quantile:>14.12} {below:>10}")
        };
    }
    let _ = writeln!(
        text,
        "#[Mean    = {:>12.3}, StdDeviation   = {:>12.3}]",
        histogram.mean() / 1e6,
        histogram.stdev() / 1e6
    );
    let _ = writeln!(
        text,
        "#[Max     = {:>12.3}, Total count    = {:>12}]",
        millis(distribution.quantile(1.0).nanos),
        histogram.len()
    );
    let _ = writeln!(text, "#[Buckets = {:>12}, SubBuckets     = {:>12}]", histogram.buckets(), 2048);
    text
}
