//! Measures a fresh stack and writes the table between the marks of a page.

use std::path::PathBuf;

use anyhow::Context as _;
use ordersys_bench::result::Core;
use ordersys_bench::verdict::Grade;

use crate::common::{Common, root};
use crate::machine::conditions;
use crate::stack::{Stack, USUAL};
use crate::turns::{broken, is_sound};

/// The table stands between these lines.
const MARKS: [&str; 2] = ["<!-- bench:begin -->", "<!-- bench:end -->"];
const CONNECTIONS: [u32; 3] = [1, 64, 256];
/// How often a run is made that measured the generator.
const ATTEMPTS: usize = 3;
const HEAD: &str = "\
| connections | orders/s | p50 ms | p90 ms | p99 ms | p99.9 ms | max ms | CPU us/order, client + server | verdict | checks |
|---:|---:|---:|---:|---:|---:|---:|---:|---|---|";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The page that is written; it stays as it is if a run is not sound
    #[arg(long, value_name = "FILE", default_value = "docs/performance/results.md")]
    page: PathBuf,
    #[command(flatten)]
    common: Common,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let (path, seconds) = (root().join(&args.page), args.common.seconds.unwrap_or(10));
    let page =
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let [before, after] = around(&page).with_context(|| format!("{} lacks {MARKS:?}", path.display()))?;
    let lab = args.common.lab().await?;
    let stack = Stack::new(&lab, "record");
    stack.up(&USUAL).await?;
    let mut runs = Vec::new();
    for connections in CONNECTIONS {
        runs.push(valid(&stack, seconds, connections).await?);
    }
    let what = format!(
        "closed loop, orders of 1 line, {seconds} s each; three services, local processes, durability full; processors \
         shared with the generator"
    );
    let rows: String =
        CONNECTIONS.iter().zip(&runs).map(|(connections, run)| row(*connections, run)).collect();
    let causes = CONNECTIONS.iter().zip(&runs).filter_map(|(connections, run)| {
        Some(format!("\n{connections} connections, {}: {}.\n", run.verdict.word(), run.cause.as_ref()?))
    });
    let table = format!("{}\n{HEAD}\n{rows}{}", conditions(&lab, &what).await?, causes.collect::<String>());
    std::fs::write(&path, format!("{before}\n{table}{after}"))?;
    print!("{table}");
    Ok(())
}

/// What precedes the table and what follows it, with the marks.
fn around(page: &str) -> Option<[&str; 2]> {
    let begin = page.find(MARKS[0])? + MARKS[0].len();
    let end = page.find(MARKS[1])?;
    (begin <= end).then(|| [&page[..begin], &page[end..]])
}

async fn valid(stack: &Stack<'_>, seconds: u64, connections: u32) -> anyhow::Result<Core> {
    for attempt in 1..=ATTEMPTS {
        eprintln!("{connections} connections, {seconds} s, attempt {attempt}");
        let run = stack.load(seconds, &["--lines", "1", "--concurrency", &connections.to_string()]).await?;
        anyhow::ensure!(is_sound(&run), "not sound: {:?}, {:?}", run.measures.totals, broken(&run));
        if run.verdict != Grade::Invalid {
            return Ok(run);
        }
    }
    anyhow::bail!("{ATTEMPTS} runs with {connections} connections measured the generator")
}

fn row(connections: u32, run: &Core) -> String {
    let (rate, times) = (run.measures.totals.throughput, &run.measures.latency.response);
    let times =
        [times.p50, times.p90, times.p99, times.p999, times.max].map(|time| time.to_string()).join(" | ");
    let cpu = run.cpu_micros_per_request;
    let [client, server] = [cpu.client, cpu.server].map(|used| used.unwrap_or(f64::NAN));
    let count = |result: &str| run.verification.iter().filter(|check| check.result == result).count();
    let (passed, skipped, verdict) = (count("PASS"), count("SKIP"), run.verdict.word());
    format!(
        "| {connections} | {rate:.0} | {times} | {client:.1} + {server:.1} | {verdict} | \
         {passed} passed, {skipped} skipped |\n"
    )
}
