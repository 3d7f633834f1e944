//! The same load on variants of the same system, turn by turn, each time on an empty store.

use crate::common::Common;
use crate::lab::Lab;
use crate::machine::conditions;
use crate::stack::Stack;
use crate::turns::{Medians, Turns};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What differs
    which: Which,
    /// Connections that are tried
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,64,256")]
    connections: Vec<u64>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Which {
    /// Three services against one process
    Topology,
    /// Synced at each commit, at checkpoints, never
    Durability,
    /// Local processes against Docker
    Runtime,
    /// Idempotency keys that rise with time against random ones
    Keys,
}

impl Which {
    /// The flag that makes the difference, and its values; the first is the usual one.
    const fn flag(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Topology => ("--topology", &["services", "monolith"]),
            Self::Durability => ("--durability", &["full", "normal", "memory"]),
            Self::Runtime => ("--runtime", &["process", "docker"]),
            Self::Keys => ("--keys", &["rising", "random"]),
        }
    }

    /// A flag with the value of a variant if it is the one that differs, else with its usual one.
    fn set(self, other: Self, variant: &'static str) -> [&'static str; 2] {
        let (flag, values) = other.flag();
        [flag, if self.flag().0 == flag { variant } else { values[0] }]
    }
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let (flag, variants) = args.which.flag();
    let name = flag.trim_start_matches('-');
    let (rounds, seconds) = (args.common.rounds.unwrap_or(3), args.common.seconds.unwrap_or(5));
    let lab = args.common.lab().await?;
    let mut turns = args.common.turns(&format!("variants-{name}"))?;
    for _ in 0..rounds {
        for connections in args.connections.iter().copied() {
            for variant in variants.iter().copied() {
                eprintln!("{name} {variant}, {connections} connections");
                let stack = up(&lab, args.which, variant).await?;
                let [keys, order] = args.which.set(Which::Keys, variant);
                let flags = ["--concurrency", &connections.to_string(), keys, order];
                turns.add(variant, connections, stack.load(seconds, &flags).await?)?;
                stack.remove().await?;
            }
        }
    }
    let what = format!(
        "{name}; orders of 1 line, an empty store each turn, otherwise three services, processes, durability full, \
         rising keys; {seconds} s a turn, medians of {rounds}"
    );
    println!("{}", conditions(&lab, &what).await?);
    table(&args.connections, variants, &turns);
    turns.check()
}

async fn up<'a>(lab: &'a Lab, which: Which, variant: &'static str) -> anyhow::Result<Stack<'a>> {
    let stack = Stack::new(lab, "variant");
    let flags = [Which::Topology, Which::Durability, Which::Runtime].map(|flag| which.set(flag, variant));
    stack.up(&flags.concat()).await?;
    Ok(stack)
}

fn table(connections: &[u64], variants: &[&str], turns: &Turns) {
    println!(
        "| connections | variant | orders/s | to {} | p50 ms | p99 ms | services us/order |",
        variants[0]
    );
    println!("|---:|---|---:|---:|---:|---:|---:|");
    for group in connections {
        let base = turns.medians(variants[0], *group).rate;
        for variant in variants {
            let Medians { rate, p50, p99, cpu } = turns.medians(variant, *group);
            let ratio = rate / base;
            println!("| {group} | {variant} | {rate:.0} | {ratio:.2} | {p50:.2} | {p99:.2} | {cpu:.1} |");
        }
    }
}
