//! Flags for what is sent over which connections; the same for every command that loads a system.

use std::time::Duration;

use super::{Exit, Failure, Outcome};
use crate::load::profile::{MAX_CONNECTIONS, MAX_POOL, Profile, Span, Verification, default_threads};

/// What is sent, over which connections, and whether it is verified.
#[derive(Debug, clap::Args)]
pub(super) struct WorkloadArgs {
    /// Connections, each with one request at a time
    #[arg(short, long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_CONNECTIONS)))]
    concurrency: u32,
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
}

impl WorkloadArgs {
    /// A profile with this workload; when it is sent is the caller's.
    pub(super) fn profile(&self) -> Outcome<Profile> {
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
        Ok(Profile {
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
            ..Profile::default()
        })
    }
}
