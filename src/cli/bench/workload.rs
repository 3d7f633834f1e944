//! Flags for what is sent over which connections; the same for every command that loads a system.

use std::time::Duration;

use crate::cli::bench::{Exit, Failure, Outcome};
use ordersys_bench::profile::{
    ExistingStock, MAX_CONNECTIONS, MAX_POOL, MAX_REGISTERED, Profile, UserKind, default_threads,
};
use ordersys_command::counted;
use ordersys_loadgen::worker::retry::MAX_RETRIES;
use ordersys_workload::model::{CountRange, Verification};
use ordersys_workload::plan::Keys;
use ordersys_workload::plan::mix::Mix;
use ordersys_workload::plan::skew::Skew;

#[derive(Debug, clap::Args)]
pub(super) struct WorkloadArgs {
    /// Connections, each with one request at a time
    #[arg(short, long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_CONNECTIONS)))]
    concurrency: u32,
    /// Lines of an order: a number or a range such as 1..3
    #[arg(long, default_value = "1", value_name = "RANGE")]
    lines: CountRange,
    /// Units of a line: a number or a range such as 1..5
    #[arg(long, default_value = "1", value_name = "RANGE")]
    quantity: CountRange,
    /// What share of the requests does what, such as order:80,read:10,cancel:5,restock:3,bad:2; of order, repeat
    /// (an order again with its key), bad (has to be refused), read (a product), track (an order), cancel, restock,
    /// live (GET /livez of the order service, to compare with)
    #[arg(long, default_value_t, value_name = "LIST")]
    mix: Mix,
    /// Which products are ordered most: uniform, zipf:0.99, or hot:1% (of the products get 90% of the lines)
    #[arg(long, default_value_t = Skew::Uniform, value_name = "SKEW")]
    skew: Skew,
    /// How idempotency keys follow each other
    #[arg(long, value_enum, default_value_t, value_name = "ORDER")]
    keys: Keys,
    /// Send a request again so often after a failure, a time-out or a 503, with the same key
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_RETRIES)))]
    retries: u32,
    /// Sold-out race: all clients want one product of so many units; no warm-up
    #[arg(long, value_name = "UNITS", conflicts_with_all = ["products", "stock"], value_parser = clap::value_parser!(u64).range(..=ordersys_contract::product::MAX_STOCK))]
    race: Option<u64>,
    /// Users that order
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_POOL)))]
    users: u32,
    /// The users have passwords and log in before the run; each orders with an access token of its own
    #[arg(long)]
    registered: bool,
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
    /// Sell the stock that is there, where the system lets the run make no products of its own
    #[arg(long)]
    sell_existing: bool,
    /// Do not check the books of the system afterwards; the report says so
    #[arg(long)]
    no_verify: bool,
}

impl WorkloadArgs {
    /// A profile with this workload; when it is sent is the caller's.
    pub(super) fn profile(&self) -> Outcome<Profile> {
        let Profile { warmup, .. } = Profile::default();
        let (products, stock, warmup) = match self.race {
            Some(units) => (1, units, Duration::ZERO),
            None => (self.products, self.stock, warmup),
        };
        if self.lines.most() > products {
            let lines = self.lines.most();
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "each line of an order names another product: {lines} lines need more than {}",
                    counted(products, "product")
                ),
            )
            .hint("raise --products or lower --lines"));
        }
        if self.registered && self.users > MAX_REGISTERED {
            let what = format!("a run has at most {MAX_REGISTERED} registered users, not {}", self.users);
            return Err(Failure::new(Exit::Usage, what)
                .hint("lower --users: the password of each is hashed twice, which is slow on purpose"));
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
            buyers: if self.registered { UserKind::Registered } else { UserKind::Guests },
            products,
            stock,
            warmup,
            mix: self.mix,
            skew: self.skew,
            keys: self.keys,
            retries: self.retries,
            existing: if self.sell_existing { ExistingStock::Sold } else { ExistingStock::Kept },
            verification: if self.no_verify { Verification::Off } else { Verification::On },
            ..Profile::default()
        })
    }
}
