//! `ordersys bench`: load a system, measure it, and check that it kept its books.

use std::path::PathBuf;
use std::time::Duration;

use super::{Exit, Failure, Globals, OrFail, Outcome, block_on};
use crate::load::profile::{
    Arrivals, Extent, MAX_CONNECTIONS, MAX_POOL, Pace, Profile, Span, Verification, default_threads,
};
use crate::load::settings::Surroundings;
use crate::load::slo::{self, Objective};
use crate::load::{self, export, render};
use crate::stack;
use crate::stack::record::{RuntimeKind, StackRecord};

/// How long requests are sent before they count, unless a count is asked for.
const DEFAULT_WARMUP: Duration = Duration::from_secs(1);
/// How long a run lasts unless asked otherwise.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// Load the system, measure it, and check that it kept its books
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  ordersys bench                                  closed loop, 64 connections, 10 s
  ordersys bench --rate 500 --duration 30s        500 orders/s whatever the system does
  ordersys bench --count 1000 --lines 1..3        1000 orders of one to three lines
  ordersys bench --slo 'p99<50ms,errors<0.1%'     exit code 6 if missed
  ordersys bench --stock 100 --products 1 --warmup 0s   what happens when it sells out"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// One run (the same as `ordersys bench` alone)
    Run(Box<RunArgs>),
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    /// Connections, each with one request at a time
    #[arg(short, long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_CONNECTIONS)))]
    concurrency: u32,
    /// How long to measure [default: 10s]
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "count")]
    duration: Option<Duration>,
    /// Measure so many orders instead of a time
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// How long to load before measuring [default: 1s, with --count 0s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    warmup: Option<Duration>,
    /// Send so many orders a second whatever the system does (open loop)
    #[arg(short, long, value_name = "PER_SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// How orders of an open loop are spread
    #[arg(long, default_value = "poisson", value_name = "HOW", requires = "rate")]
    arrivals: Arrivals,
    /// Lines of an order: a number or a range such as 1..3
    #[arg(long, default_value = "1", value_name = "RANGE")]
    lines: Span,
    /// Units of a line: a number or a range such as 1..5
    #[arg(long, default_value = "1", value_name = "RANGE")]
    quantity: Span,
    /// Users that order
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_POOL)))]
    users: u32,
    /// Products that are ordered
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_POOL)))]
    products: u32,
    /// Units each product starts with; few make it sell out
    #[arg(long, default_value_t = 1_000_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(..=ordersys_contract::product::MAX_STOCK))]
    stock: u64,
    /// The same seed plans the same orders
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// How long an answer may take
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Generator threads [default: one per two connections, at most half the cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Option<u32>,
    /// Do not check the system's books afterwards; the report says so
    #[arg(long)]
    no_verify: bool,
    /// What has to be reached, e.g. 'p99<50ms,errors<0.1%,throughput>1000'
    #[arg(long, value_name = "LIST", value_parser = objectives)]
    slo: Option<Objectives>,
    /// Write result.json and the distributions into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A parsed `--slo`: one value of its own, since clap takes a plain list for a repeatable flag.
#[derive(Debug, Clone)]
struct Objectives(Vec<Objective>);

fn objectives(text: &str) -> Result<Objectives, String> {
    slo::parse(text).map(Objectives)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim_end_matches("/s").parse().ok();
    let usable = rate.filter(|rate: &f64| (0.01..=10_000_000.0).contains(rate));
    usable.ok_or_else(|| "orders per second, from 0.01 to 10000000".to_owned())
}

pub(super) fn run(args: Args, globals: &Globals) -> Outcome {
    let args = match args.command {
        Some(Command::Run(args)) => *args,
        None => args.run,
    };
    let profile = args.profile()?;
    let (client, printer) = (globals.client()?, globals.printer());
    let report = block_on(async {
        let surroundings = surroundings(globals).await;
        load::run(&profile, &client, &surroundings, &printer).await
    })?;
    printer.data(&report.core(), || render::text(&report, profile.pace));
    if let Some(dir) = &args.out {
        export::write(&report, dir).hint("name another directory with --out")?;
        printer.say(format!("wrote {}", dir.join("result.json").display()));
    }
    report.failure().map_or(Ok(()), Err)
}

impl RunArgs {
    fn profile(&self) -> Outcome<Profile> {
        if self.lines.most() > self.products {
            let (lines, products) = (self.lines.most(), self.products);
            return Err(Failure::new(
                Exit::Usage,
                format!("each line of an order names another product: {lines} lines need more than {products} products"),
            )
            .hint("raise --products or lower --lines"));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        let threads = self.threads.unwrap_or_else(|| default_threads(self.concurrency, cores));
        let extent = match self.count {
            Some(count) => Extent::Count(count),
            None => Extent::For(self.duration.unwrap_or(DEFAULT_DURATION)),
        };
        let warmup = match extent {
            Extent::For(_) => DEFAULT_WARMUP,
            Extent::Count(_) => Duration::ZERO,
        };
        Ok(Profile {
            pace: self.rate.map_or(Pace::Closed, |rate| Pace::Open { rate, arrivals: self.arrivals }),
            extent,
            warmup: self.warmup.unwrap_or(warmup),
            connections: self.concurrency,
            threads: threads.min(self.concurrency),
            timeout: self.timeout,
            seed: self.seed,
            lines: self.lines,
            quantity: self.quantity,
            users: self.users,
            products: self.products,
            stock: self.stock,
            verification: if self.no_verify { Verification::Off } else { Verification::On },
            objectives: self.slo.as_ref().map(|slo| slo.0.clone()).unwrap_or_default(),
        })
    }
}

/// What the project's record and its services' state say of the system, unless other addresses were named.
async fn surroundings(globals: &Globals) -> Surroundings {
    let Ok(project) = globals.project() else { return Surroundings::default() };
    let record = StackRecord::load(&project).ok().flatten();
    let Some(record) = record.filter(|record| globals.endpoints().is_ok_and(|urls| urls == record.endpoints))
    else {
        return Surroundings::default();
    };
    let mut server_pids = Vec::new();
    if record.runtime == RuntimeKind::Process {
        // Without their processes the report has no processor time of theirs; that must not stop a run.
        if let Ok(status) = stack::status(&globals.engine.lookup(), &project).await {
            server_pids = status.services.iter().filter_map(|service| service.pid).collect();
            server_pids.sort_unstable();
            server_pids.dedup();
        }
    }
    Surroundings { server_pids, ..Surroundings::of(&record) }
}
