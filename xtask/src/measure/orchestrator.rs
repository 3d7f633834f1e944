//! Times `up` and `down` in Docker against the limits they have to keep.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::common::Common;
use crate::machine::conditions;
use crate::serving::docker;
use crate::stack::Stack;
use crate::turns::{median, verdict};

/// What is timed, and the limit of its median in seconds.
const TIMED: [(&str, f64); 4] = [
    ("up, image present", 1.5),
    ("up, nothing changed", 0.15),
    ("down", 1.0),
    ("up, image made and loaded", 2.5),
];

pub(crate) async fn run(args: &Common) -> anyhow::Result<()> {
    let (lab, rounds) = (args.lab().await?, args.rounds.unwrap_or(10));
    let stack = Stack::new(&lab, "timed");
    let mut took = [const { Vec::new() }; TIMED.len()];
    up(&stack, &lab.program).await?; // makes the image
    stack.down().await?;
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        took[0].push(up(&stack, &lab.program).await?);
        took[1].push(up(&stack, &lab.program).await?);
        let began = Instant::now();
        stack.down().await?;
        took[2].push(began.elapsed().as_secs_f64());
        took[3].push(with_new_image(&stack, round).await?);
    }
    println!("{}", conditions(&lab, &format!("Docker, {rounds} rounds")).await?);
    println!("| what | fastest s | median s | slowest s | limit s | |\n|---|---:|---:|---:|---:|---|");
    let mut all_kept = true;
    for ((what, limit), mut took) in TIMED.into_iter().zip(took) {
        took.sort_by(f64::total_cmp);
        let (fastest, slowest) = (took[0], took[took.len() - 1]);
        let middle = median(took);
        let kept = verdict(middle <= limit);
        println!("| {what} | {fastest:.3} | {middle:.3} | {slowest:.3} | {limit} | {kept} |");
        all_kept &= middle <= limit;
    }
    anyhow::ensure!(all_kept, "a limit is missed");
    Ok(())
}

/// Seconds that `up` takes with this program in the image.
async fn up(stack: &Stack<'_>, program: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    stack.up(&["--runtime", "docker", "--binary", &program.display().to_string()]).await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The same with a program whose image was never made: bytes behind the end of an ELF file change nothing else.
async fn with_new_image(stack: &Stack<'_>, round: u32) -> anyhow::Result<f64> {
    let program = stack.lab.dir().join("program");
    std::fs::copy(&stack.lab.program, &program)?;
    write!(std::fs::File::options().append(true).open(&program)?, "{} {round}", std::process::id())?;
    let took = up(stack, &program).await?;
    let image = docker(&["inspect", "--format", "{{.Config.Image}}", &stack.container().await?]).await?;
    stack.down().await?;
    docker(&["rmi", &image]).await?;
    Ok(took)
}
