//! What overload does: finds the highest rate the system sustains, then asks for three times as much. The generator has
//! a processor of its own, or what it takes to ask for more would be missing where orders are made.

use ordersys_bench::result::Core;

use crate::common::Common;
use crate::machine::{conditions, cores, pin};
use crate::stack::{Stack, USUAL};
use crate::turns::{broken, is_sound, median};

/// Shares of what a closed loop reaches that are tried as the sustained rate, in percent.
const LADDER: [u32; 12] = [95, 90, 85, 80, 75, 70, 65, 60, 55, 50, 45, 40];
/// How long 99 of 100 orders may take at a sustained rate, in milliseconds.
const SUSTAINED_P99: f64 = 50.0;
/// More than there are permits for orders.
const CONNECTIONS: [&str; 2] = ["--concurrency", "1024"];
const SIDES: [&str; 2] = ["peak", "overload"];
/// What has to be left of the peak, and by how much accepted orders may take longer.
const LEAST_GOODPUT: f64 = 0.9;
const MOST_P99: f64 = 2.0;

pub(crate) async fn run(args: &Common) -> anyhow::Result<()> {
    let (rounds, seconds) = (args.rounds.unwrap_or(3), args.seconds.unwrap_or(6));
    let (lab, last) = (args.lab().await?, cores() - 1);
    let what = format!(
        "open loop, 1024 connections; {seconds} s a turn, {rounds} rounds; the generator on processor {last}"
    );
    let conditions = conditions(&lab, &what).await?;
    let stack = Stack::new(&lab, "overload");
    pin(0..last.max(1))?;
    stack.up(&USUAL).await?;
    pin(last..last + 1)?;
    let sustained = sustained(&stack).await?;

    println!("{conditions}");
    println!(
        "| | asked/s | sent | orders/s | p50 ms | p99 ms | refused | failed | not sent | broken checks | run |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---|");
    let mut turns = args.turns("overload")?;
    for _ in 0..rounds {
        for (side, rate) in SIDES.into_iter().zip([sustained, 3.0 * sustained]) {
            let run = open(&stack, seconds, rate, &[]).await?;
            print(side, rate, &run);
            turns.add(side, 0, run)?;
        }
    }
    let [peak, over] = SIDES.map(|side| turns.of(side, 0));
    let ratio = |figure: fn(&Core) -> f64| median(over.iter().zip(&peak).map(|(a, b)| figure(a) / figure(b)));
    let goodput = ratio(|run| run.measures.totals.throughput);
    let p99 = ratio(|run| run.measures.latency.service.p99);
    println!("\ngoodput {goodput:.2} of the peak, p99 of accepted orders {p99:.2} times that at the peak");
    anyhow::ensure!(peak.iter().chain(&over).all(|run| broken(run).is_empty()), "a check fails");
    anyhow::ensure!(goodput >= LEAST_GOODPUT && p99 <= MOST_P99, "a limit is missed");
    Ok(())
}

async fn open(stack: &Stack<'_>, seconds: u64, rate: f64, flags: &[&str]) -> anyhow::Result<Core> {
    let rate = format!("{rate:.0}");
    stack.load(seconds, &[&["--warmup", "1s", "--rate", &rate][..], &CONNECTIONS, flags].concat()).await
}

/// The highest rate at which every order is taken, within 50 ms for 99 of 100.
async fn sustained(stack: &Stack<'_>) -> anyhow::Result<f64> {
    let closed = stack.load(4, &["--warmup", "1s", "--concurrency", "256", "--no-verify"]).await?;
    let ceiling = closed.measures.totals.throughput;
    eprintln!("closed loop with 256 connections: {ceiling:.0}/s");
    for percent in LADDER {
        let rate = ceiling * f64::from(percent) / 100.0;
        // Twice: a machine that is shared has good moments.
        if is_sustained(stack, rate).await? && is_sustained(stack, rate).await? {
            return Ok(rate);
        }
    }
    anyhow::bail!("not even 40 % of what a closed loop reaches is sustained")
}

async fn is_sustained(stack: &Stack<'_>, rate: f64) -> anyhow::Result<bool> {
    let run = open(stack, 3, rate, &["--no-verify"]).await?;
    let p99 = run.measures.latency.response.p99;
    eprintln!("{rate:.0}/s: {:.0}/s, p99 {p99} ms", run.measures.totals.throughput);
    Ok(is_sound(&run) && not_sent(&run) == 0 && p99 < SUSTAINED_P99)
}

fn not_sent(run: &Core) -> u64 {
    let counters = &run.measures.totals.counters;
    counters.skipped + counters.unsent
}

fn print(side: &str, rate: f64, run: &Core) {
    let (totals, times) = (&run.measures.totals, &run.measures.latency.service);
    let counters = &totals.counters;
    let (sent, refused, not_sent) = (counters.sent, counters.refused, not_sent(run));
    let failed = counters.failed + counters.timed_out + counters.aborted;
    println!(
        "| {side} | {rate:.0} | {sent} | {:.0} | {} | {} | {refused} | {failed} | {not_sent} | {} | {} |",
        totals.throughput,
        times.p50,
        times.p99,
        broken(run).join(" "),
        run.verdict.word(),
    );
}
