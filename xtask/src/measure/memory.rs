//! Whether the memory of the load generator grows with the length of a run: an open loop against the bare responder,
//! without the ledger that verification needs (at most 64 bytes an order, and those are promised to grow).

use std::time::{Duration, Instant};

use anyhow::Context as _;
use ordersys_bench::result::Core;
use rustix::process::Signal;
use tokio::process::Child;

use crate::common::Common;
use crate::machine::{kib, megabytes};
use crate::serving::{ended, free_port, ready};

/// Samples, a second apart, of which the largest counts.
const SAMPLES: u64 = 5;
/// Exit code of a run that was asked to end.
const INTERRUPTED: i32 = 130;
/// Requests a second.
const RATE: u64 = 10_000;
const MOST_GROWTH_MB: f64 = 4.0;

pub(crate) async fn run(args: &Common) -> anyhow::Result<()> {
    let seconds = args.seconds.unwrap_or(600);
    let from = seconds / 5; // by then everything of a fixed size is there
    anyhow::ensure!(from >= SAMPLES, "at least {} seconds", 5 * SAMPLES);
    let lab = args.lab().await?;
    let port = free_port()?.to_string();
    let url = format!("http://127.0.0.1:{port}");
    let mut responder = lab.beside(&["respond", "--port", &port], "responder.log")?;
    ready(&mut responder, &url).await?;
    let (state, length) = (lab.dir().join("state").display().to_string(), format!("{}s", seconds + 15));
    let bench =
        ["bench", "--rate", &RATE.to_string(), "--duration", &length, "--warmup", "0s", "--threads", "1"];
    let at = ["--state-dir", &state, "--user-url", &url, "--product-url", &url, "--order-url", &url];
    let flags = ["--sell-existing", "--no-verify", "--quiet", "--output", "json"];
    let generator = lab.beside(&[&bench[..], &at, &flags].concat(), "report")?;
    let began = Instant::now();
    let before = most_from(&generator, began + Duration::from_secs(from)).await?;
    let after = most_from(&generator, began + Duration::from_secs(seconds)).await?;
    let code = ended(generator, Signal::INT).await?; // what was sent until now is reported
    let report = std::fs::read_to_string(lab.dir().join("report"))?;
    anyhow::ensure!(code == Some(INTERRUPTED), "the run ended with {code:?}: {report}");
    // The reason for its end follows the result.
    let mut results = serde_json::Deserializer::from_str(&report).into_iter::<Core>();
    let sent = results.next().context("no result")??.measures.totals.counters.sent;
    let (before, after) = (megabytes(before), megabytes(after));
    let grown = after - before;
    println!("open loop of {RATE} requests/s: {sent} sent");
    println!("memory of the generator: {before:.1} MB after {from} s, {after:.1} MB after {seconds} s");
    println!("grown by {grown:.2} MB, at most {MOST_GROWTH_MB} MB");
    anyhow::ensure!(
        sent >= RATE * seconds / 10 * 9,
        "the generator did not keep its plan, so this says little"
    );
    anyhow::ensure!(grown <= MOST_GROWTH_MB, "the limit is missed");
    Ok(())
}

/// The most of some samples from then on, in KiB.
async fn most_from(generator: &Child, then: Instant) -> anyhow::Result<u64> {
    let pid = generator.id().context("the run ended early")?;
    let mut most = 0;
    for second in 0..SAMPLES {
        tokio::time::sleep_until((then + Duration::from_secs(second)).into()).await;
        most = most.max(kib(pid, "status", "RssAnon").context("the run ended early")?);
    }
    Ok(most)
}
