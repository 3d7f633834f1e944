//! A run's results as files: `result.json` and one `.hgrm` per distribution.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::distribution::{Distribution, millis};
use super::mark::Mark;
use super::recording::Kind;
use super::render::word;
use super::report::{Core, Report};
use super::series::Series;

/// Rows of a `.hgrm` for each halving of the distance to 100 %.
const TICKS_PER_HALF_DISTANCE: u32 = 5;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    #[serde(flatten)]
    core: Core<'a>,
    host: Host,
    elapsed_seconds: f64,
    interrupted: bool,
    busiest_thread: Option<f64>,
    missed_objectives: &'a [String],
    outcomes: Vec<Outcome<'a>>,
    series: &'a Series,
    marks: &'a [Mark],
}

#[derive(Serialize)]
struct Host {
    os: &'static str,
    arch: &'static str,
    kernel: Option<String>,
    name: Option<String>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    ending: &'static str,
    status: u16,
    code: &'a str,
    count: u64,
    example: &'a str,
}

/// Writes all files of a run into a directory, which is made if it is not there.
pub fn write(report: &Report, dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let json = serde_json::to_vec_pretty(&stored(report)).context("the result is no JSON")?;
    put(dir, "result.json", &json)?;
    let total = &report.generated.tally.total;
    let distributions = [
        ("response", &total.response),
        ("service", &total.service),
        ("connection-wait", &total.wait),
        ("generator-lag", &total.lag),
        ("refusals", &total.refusals),
    ];
    for (name, distribution) in distributions {
        put(dir, &format!("{name}.hgrm"), hgrm(distribution).as_bytes())?;
    }
    Ok(())
}

fn put(dir: &Path, name: &str, content: &[u8]) -> anyhow::Result<()> {
    let path = dir.join(name);
    std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
}

fn stored(report: &Report) -> Stored<'_> {
    Stored {
        core: report.core(),
        host: Host {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            kernel: sysinfo::System::kernel_version().ok(),
            name: sysinfo::System::host_name().ok(),
        },
        elapsed_seconds: report.generated.elapsed.as_secs_f64(),
        interrupted: report.generated.interrupted,
        busiest_thread: report.generated.busiest_thread,
        missed_objectives: &report.missed,
        outcomes: report.generated.tally.total.kinds.iter().map(outcome).collect(),
        series: &report.generated.series,
        marks: &report.marks,
    }
}

fn outcome(kind: &Kind) -> Outcome<'_> {
    Outcome {
        ending: word(kind.ending),
        status: kind.status,
        code: &kind.code,
        count: kind.count,
        example: &kind.example,
    }
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
