//! The stores alone, without HTTP and without each other: commits and orders a second by the shape of what is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::common::{Common, printed};
use crate::lab::Lab;
use crate::machine::conditions;
use crate::turns::median;

const LEVELS: [&str; 2] = ["full", "memory"];
/// How long all shapes of a level may take.
const LIMIT: Duration = Duration::from_mins(10);
/// Pages that are written and synced one after the other, to see what the disk does by itself.
const PAGES: u32 = 500;
const PAGE: [u8; 4096] = [0; 4096];

/// What one shape came to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rate {
    #[serde(default)]
    durability: String,
    store: String,
    callers: u64,
    orders_per_call: u64,
    commits_per_second: f64,
    orders_per_second: f64,
    p50_micros: f64,
}

pub(crate) async fn run(args: &Common) -> anyhow::Result<()> {
    let (rounds, seconds) = (args.rounds.unwrap_or(3), args.seconds.unwrap_or(2));
    let lab = Lab::new(args.benches().await?)?;
    let (mut file, mut synced) = (File::create(args.out("store"))?, Vec::new());
    let mut shapes: BTreeMap<_, Vec<Rate>> = BTreeMap::new();
    for round in 1..=rounds {
        synced.push(syncs(lab.dir())?);
        for level in LEVELS {
            eprintln!("round {round} of {rounds}, durability {level}");
            for rate in turn(&lab, level, seconds).await? {
                writeln!(file, "{}", serde_json::to_string(&rate)?)?;
                let shape = (rate.store.clone(), level, rate.callers, rate.orders_per_call);
                shapes.entry(shape).or_default().push(rate);
            }
        }
    }
    let what = format!("{seconds} s a shape, medians of {rounds}; {:.0} synced pages/s", median(synced));
    println!("{}", conditions(&lab, &what).await?);
    println!(
        "| store | durability | callers | orders a call | commits/s | orders/s | orders a commit | p50 us a call |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for ((store, level, callers, each), rates) in &shapes {
        let of = |figure: fn(&Rate) -> f64| median(rates.iter().map(figure));
        let (commits, orders) = (of(|rate| rate.commits_per_second), of(|rate| rate.orders_per_second));
        let (batch, p50) = (orders / commits, of(|rate| rate.p50_micros));
        println!(
            "| {store} | {level} | {callers} | {each} | {commits:.0} | {orders:.0} | {batch:.1} | {p50:.0} |"
        );
    }
    Ok(())
}

async fn turn(lab: &Lab, level: &str, seconds: u64) -> anyhow::Result<Vec<Rate>> {
    let mut store = Command::new(&lab.program);
    store.args(["store", "--durability", level, "--seconds", &seconds.to_string(), "--dir"]).arg(lab.dir());
    let text = printed(&mut store, LIMIT).await?;
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Ok(Rate { durability: level.to_owned(), ..serde_json::from_slice(line)? })).collect()
}

/// Synced pages a second.
fn syncs(dir: &Path) -> anyhow::Result<f64> {
    let mut file = File::create(dir.join("pages"))?;
    let began = Instant::now();
    for _ in 0..PAGES {
        file.write_all(&PAGE)?;
        file.sync_data()?;
    }
    Ok(f64::from(PAGES) / began.elapsed().as_secs_f64())
}
