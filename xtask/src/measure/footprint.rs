//! What the system takes before it does anything: memory, size of the image, time to start.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Advice, fadvise};
use serde::Serialize;

use crate::common::Common;
use crate::lab::Lab;
use crate::machine::{conditions, megabytes};
use crate::serving::{docker, fill, start_to_ready};
use crate::stack::{Stack, USUAL};
use crate::turns::{median, verdict};

/// After this time a start is over.
const IDLE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Orders that are filled in
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    orders: u64,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Serialize)]
struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    limit: Option<f64>,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let (lab, benches) = (args.common.lab().await?, args.common.benches().await?);
    let rounds = args.common.rounds.unwrap_or(5);
    from_disk(&lab.program)?;
    let mut figures = memory(&lab).await?;
    figures.extend(image(&lab).await?);
    let [few, many] = ["few", "many"].map(|name| lab.dir().join(name));
    start_to_ready(&lab, &few).await?; // makes the tables
    figures.push(start(&lab, rounds, &few, 100.0).await?.of("no orders"));
    fill(&benches, &many, args.orders).await?;
    figures.push(start(&lab, rounds, &many, 1000.0).await?.of(&format!("{} orders", args.orders)));

    let what = format!("medians of {rounds} starts; page cache warm");
    println!("{}\n| what | measured | limit | |\n|---|---:|---:|---|", conditions(&lab, &what).await?);
    for Figure { what, value, unit, limit } in &figures {
        let text = limit.map_or("-".to_owned(), |limit| limit.to_string());
        println!(
            "| {what} | {value:.1} {unit} | {text} | {} |",
            limit.map_or("", |limit| verdict(*value <= limit))
        );
    }
    std::fs::write(args.common.out("footprint"), serde_json::to_string(&figures)?)?;
    let kept = figures.iter().all(|figure| figure.limit.is_none_or(|limit| figure.value <= limit));
    anyhow::ensure!(kept, "a limit is missed");
    Ok(())
}

impl Figure {
    fn new(what: &str, value: f64, unit: &'static str, limit: Option<f64>) -> Self {
        Self { what: what.to_owned(), value, unit, limit }
    }

    fn of(self, what: &str) -> Self {
        Self { what: format!("{}, {what}", self.what), ..self }
    }
}

/// What was just written lies in the page cache in large pieces, of which more is mapped than is used. Read from the
/// disk, as everywhere but where it was built, it does not.
fn from_disk(program: &Path) -> anyhow::Result<()> {
    let file = File::open(program)?;
    file.sync_all()?;
    Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
}

async fn memory(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let stack = Stack::new(lab, "idle");
    stack.up(&USUAL).await?;
    tokio::time::sleep(IDLE).await;
    let [resident, proportional] = [stack.memory("Rss").await?, stack.memory("Pss").await?].map(megabytes);
    stack.remove().await?;
    Ok(vec![
        Figure::new("three idle services, resident", resident, "MB", Some(40.0)),
        Figure::new("three idle services, proportional", proportional, "MB", None),
    ])
}

/// The size of the image, where an engine answers.
async fn image(lab: &Lab) -> anyhow::Result<Option<Figure>> {
    if docker(&["version"]).await.is_err() {
        return Ok(None);
    }
    let stack = Stack::new(lab, "image");
    stack.up(&["--runtime", "docker"]).await?;
    let image = docker(&["inspect", "--format", "{{.Image}}", &stack.container().await?]).await?;
    let size: f64 = docker(&["inspect", "--format", "{{.Size}}", &image]).await?.parse()?;
    stack.remove().await?;
    Ok(Some(Figure::new("image", size / 1e6, "MB", Some(20.0))))
}

async fn start(lab: &Lab, rounds: u32, data: &Path, limit: f64) -> anyhow::Result<Figure> {
    let mut took = Vec::new();
    for _ in 0..rounds {
        took.push(start_to_ready(lab, data).await?);
    }
    Ok(Figure::new("order service, start to ready", median(took), "ms", Some(limit)))
}
