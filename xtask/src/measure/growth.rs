//! What stored orders cost: throughput, latency, start, disk and memory with ever more of them, each size in turn with
//! an empty store, so that both sides see the same machine.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use crate::common::{Common, printed};
use crate::machine::{conditions, megabytes};
use crate::serving::{fill, start_to_ready};
use crate::stack::{Stack, USUAL};
use crate::turns::{Turns, verdict};

/// How long a check may take.
const CHECKING: Duration = Duration::from_mins(15);
/// What has to be left of the empty store's throughput at the largest size.
const LEAST: f64 = 0.80;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stored orders, rising; the stack is checked at the first size
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "10000,1000000,5000000")]
    sizes: Vec<u64>,
    /// Check it at every size
    #[arg(long)]
    check_all: bool,
    #[command(flatten)]
    common: Common,
}

/// What was found at one size besides the turns.
struct Size {
    orders: u64,
    bytes_per_order: u64,
    ready_ms: f64,
    resident: f64,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let (rounds, seconds) = (args.common.rounds.unwrap_or(8), args.common.seconds.unwrap_or(3));
    let (lab, benches) = (args.common.lab().await?, args.common.benches().await?);
    let mut turns = args.common.turns("growth")?;
    let (grown, empty) = (Stack::new(&lab, "grown"), Stack::new(&lab, "empty"));
    grown.up(&USUAL).await?; // makes the directories
    grown.down().await?;
    let mut sizes: Vec<Size> = Vec::new();
    for orders in args.sizes.iter().copied() {
        let (data, stored) = (grown.dir().join("data"), sizes.last().map_or(0, |size| size.orders));
        let (before, more) = (bytes(&data)?, orders.saturating_sub(stored).max(1));
        fill(&benches, &data, more).await?;
        let bytes_per_order = bytes(&data)?.saturating_sub(before) / more;
        let ready_ms = start_to_ready(&lab, &data).await?;
        empty.up(&USUAL).await?;
        grown.up(&USUAL).await?;
        if stored == 0 || args.check_all {
            printed(lab.command().arg("check").args(grown.at()), CHECKING).await?;
        }
        for round in 1..=rounds {
            eprintln!("{orders} orders, round {round} of {rounds}");
            turns.add("empty", orders, empty.load(seconds, &[]).await?)?;
            turns.add("grown", orders, grown.load(seconds, &[]).await?)?;
        }
        sizes.push(Size {
            orders,
            bytes_per_order,
            ready_ms,
            resident: megabytes(grown.memory("Rss").await?),
        });
        grown.down().await?;
        empty.remove().await?;
    }
    let what = format!(
        "64 connections, orders of 1 line, durability full; {seconds} s a turn, medians of {rounds}; memory of all \
         three services after the turns"
    );
    println!("{}", conditions(&lab, &what).await?);
    let left = table(&sizes, &turns);
    println!("\n{left:.2} of the empty store's throughput at the largest size: {}", verdict(left >= LEAST));
    turns.check()?;
    anyhow::ensure!(left >= LEAST, "less than {LEAST} of the empty store's throughput is left");
    Ok(())
}

/// What a directory takes on the disk.
fn bytes(dir: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { bytes(&entry.path())? } else { about.blocks() * 512 };
    }
    Ok(sum)
}

/// Prints the table; what is left of the empty store's throughput at the largest size.
fn table(sizes: &[Size], turns: &Turns) -> f64 {
    println!(
        "| orders | orders/s | of an empty store | p50 ms | p99 ms | start to ready ms | disk bytes/order | memory MB |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut left = f64::NAN;
    for Size { orders, bytes_per_order, ready_ms, resident } in sizes {
        let (found, empty) = (turns.medians("grown", *orders), turns.medians("empty", *orders));
        left = found.rate / empty.rate;
        println!(
            "| {orders} | {:.0} | {left:.2} | {:.2} | {:.2} | {ready_ms:.0} | {bytes_per_order} | {resident:.1} |",
            found.rate, found.p50, found.p99
        );
    }
    left
}
