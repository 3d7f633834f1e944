//! `ordersys serve`: one service, or all, in the foreground.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use ordersys_chassis::telemetry::log::{self, Colour, Format};
use ordersys_chassis::{Capacity, Counting, HostName, Listener, Network};
use ordersys_contract::client::Endpoints;
use ordersys_contract::settings::Durability;
use tokio_util::sync::CancellationToken;

use crate::cli::allowance::AllowanceArgs;
use crate::cli::arguments::switch;
use crate::cli::breaker::BreakerArgs;
use crate::cli::store::StoreArgs;
use crate::cli::tracing::TracingArgs;
use crate::serve;
use crate::serve::{Exposure, Listeners, ServeConfig};
use ordersys_command::{Exit, Failure, OrFail as _, Outcome, Signals};
use ordersys_contract::{BaseUrl, Role};
use ordersys_report::draw::terminal;

/// How long a service may take to stop before it is cut off: whatever it waits for then does not come.
const STOP_LIMIT: Duration = Duration::from_secs(35);
/// Most threads for work that blocks. Little does: the stores have threads of their own.
const MAX_BLOCKING_THREADS: usize = 16;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys serve user --data-dir ./data
  ordersys serve order --data-dir ./data --user-url http://127.0.0.1:3001
  ordersys serve order --data-dir ./data --breaker-calls 5 --breaker-ratio 1
  ordersys serve all --data-dir ./data --log-format text
  ordersys serve all --data-dir ./data --allowed-host shop.example
  ordersys serve all --data-dir ./data --otlp http://127.0.0.1:4318
  ordersys serve order --store postgres://shop@db1,db2/shop --store-password-file ./password

A service calls the others at --user-url and --product-url, each of which may be
repeated for several replicas; else at http://user-service:3001 and
http://product-service:3002.")]
pub(super) struct Args {
    /// Which service
    role: What,
    /// The address to listen on
    #[arg(long, env = "ORDERSYS_BIND", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    bind: IpAddr,
    /// A further name under which clients reach the service, as in the `Host` they send; repeat it for several.
    /// On loopback all but localhost, 127.0.0.1, the service's own name and these are refused; on another address
    /// any name is accepted unless one is named here
    #[arg(long = "allowed-host", env = "ORDERSYS_ALLOWED_HOST", value_delimiter = ',', value_name = "NAME")]
    allowed_hosts: Vec<HostName>,
    /// The port of a single service [default: 3001 user, 3002 product, 3003 order]
    #[arg(long, env = "ORDERSYS_PORT", value_name = "PORT")]
    port: Option<u16>,
    /// The user service's port, for `all`
    #[arg(long, default_value_t = Role::User.default_port(), value_name = "PORT")]
    user_port: u16,
    /// The product service's port, for `all`
    #[arg(long, default_value_t = Role::Product.default_port(), value_name = "PORT")]
    product_port: u16,
    /// The order service's port, for `all`
    #[arg(long, default_value_t = Role::Order.default_port(), value_name = "PORT")]
    order_port: u16,
    /// Where data lives: a directory for each service below it
    #[arg(long, env = "ORDERSYS_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    /// The directory with service.token and admin.token
    #[arg(long, env = "ORDERSYS_SECRETS_DIR", value_name = "DIR")]
    secrets_dir: Option<PathBuf>,
    /// Serve other machines without credentials: every caller may then do everything
    #[arg(long, env = "ORDERSYS_INSECURE", value_parser = switch)]
    insecure: bool,
    /// How long a key signs access tokens before the next one takes over
    #[arg(long, env = "ORDERSYS_KEY_AGE", default_value = "30d", value_name = "DURATION")]
    key_age: humantime::Duration,
    /// What a commit means: full (on disk), normal, memory; anything but full is for measuring
    #[arg(long, env = "ORDERSYS_DURABILITY", default_value_t = Durability::Full, value_name = "LEVEL")]
    durability: Durability,
    /// Connections of each service at a time [default: 4096, less if the limit of open files is low]
    #[arg(long, env = "ORDERSYS_MAX_CONNECTIONS", value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: Option<u32>,
    #[command(flatten)]
    breaker: BreakerArgs,
    #[command(flatten)]
    allowance: AllowanceArgs,
    #[command(flatten)]
    tracing: TracingArgs,
    /// Be cut off from the network while there is a file at this path (see `ordersys chaos`)
    #[arg(long, value_name = "FILE", hide = true)]
    cut_while: Option<PathBuf>,
    /// Count and time no requests: to measure what that costs (`cargo xtask logging`)
    #[arg(long, hide = true)]
    no_metrics: bool,
    /// How log lines look [default: text on a terminal, else json]
    #[arg(long, env = "ORDERSYS_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Which log lines: error, warn, info, debug or trace
    #[arg(long, env = "ORDERSYS_LOG", default_value = "info", value_name = "FILTER", value_parser = log::filter)]
    log: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Accounts
    User,
    /// Catalog and inventory
    Product,
    /// Orders
    Order,
    /// All three in one process
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Json,
    Text,
}

pub(super) fn run(args: &Args, user_urls: &[BaseUrl], product_urls: &[BaseUrl]) -> Outcome {
    // Whatever the shell allows: data and secrets are this user's alone. No thread runs yet.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    ordersys_store::failpoint::arm();
    let stdout = terminal::stdout();
    let colour = match stdout.colour {
        terminal::Colour::On => Colour::On,
        terminal::Colour::Off => Colour::Off,
    };
    let format = match args.log_format {
        Some(LogFormat::Text) => Format::Text(colour),
        None if stdout.width.is_some() => Format::Text(colour),
        Some(LogFormat::Json) | None => Format::Json,
    };
    let _flush = log::start(format, &args.log).exit(Exit::Usage)?;
    let guarded = args.secrets_dir.is_some() || args.insecure;
    serve::check_exposure(args.bind, if guarded { Exposure::Guarded } else { Exposure::Open })?;
    if args.secrets_dir.is_none() {
        tracing::warn!("no credentials are configured: every caller may do everything");
    }
    let peers = Endpoints::default()
        .with(Role::User, &urls(user_urls, Role::User))
        .with(Role::Product, &urls(product_urls, Role::Product));
    let services = if args.role == What::All { Role::ALL.len() } else { 1 };
    let capacity = serve::capacity(u32::try_from(services)?, args.max_connections)?;
    let runtime = runtime()?;
    let served = runtime.block_on(serve_until_signal(args, peers, capacity));
    runtime.shutdown_background(); // what still runs by now was given up
    served
}

/// Half the cores for requests, since the store's threads and the other services want some too.
/// With one thread everything stays on it: handing tasks between threads costs more than it brings.
fn runtime() -> Outcome<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = match cores / 2 {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    Ok(builder.enable_all().max_blocking_threads(MAX_BLOCKING_THREADS).build()?)
}

/// Where a peer is unless named: its host name on the stack's network, as in the compose file.
fn urls(named: &[BaseUrl], role: Role) -> Vec<String> {
    if named.is_empty() {
        return vec![format!("http://{}:{}", role.host_name(), role.default_port())];
    }
    named.iter().map(BaseUrl::to_string).collect()
}

async fn serve_until_signal(args: &Args, peers: Endpoints, capacity: Capacity) -> Outcome {
    let shutdown = CancellationToken::new();
    let mut signals = Signals::listen()?;
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            signals.next().await;
            tracing::info!("stopping: requests in flight are finished first");
            shutdown.cancel();
        }
    });
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(STOP_LIMIT).await;
    };
    tokio::select! {
        served = serve_until(args, peers, capacity, shutdown.clone()) => served,
        () = overdue => {
            let what = format!("the service did not stop within {} s and is cut off", STOP_LIMIT.as_secs());
            Err(Failure::new(Exit::TimedOut, what).hint("nothing that was answered is lost: start it again"))
        }
    }
}

async fn serve_until(
    args: &Args,
    peers: Endpoints,
    capacity: Capacity,
    shutdown: CancellationToken,
) -> Outcome {
    let config = ServeConfig {
        bind: args.bind,
        allowed_hosts: args.allowed_hosts.clone(),
        store: args.store.stores(args.data_dir.as_deref(), args.durability)?,
        secrets_dir: args.secrets_dir.clone(),
        key_age: args.key_age.into(),
        breaker: args.breaker.settings(),
        counting: if args.no_metrics { Counting::Off } else { Counting::On },
        tracing: args.tracing.settings(),
        retention: args.allowance.retention(),
        allowance: args.allowance.orders(),
        guests_per_address: args.allowance.guests_per_address,
    };
    let role = match args.role {
        What::User => Role::User,
        What::Product => Role::Product,
        What::Order => Role::Order,
        What::All => {
            let listen = |role, port| {
                let socket = serve::listen(args.bind, role, port)?;
                Outcome::Ok(Listener { socket, network: Network::default(), capacity })
            };
            let listeners = Listeners {
                user: listen(Role::User, args.user_port)?,
                product: listen(Role::Product, args.product_port)?,
                order: listen(Role::Order, args.order_port)?,
            };
            return serve::all(&config, listeners, shutdown).await;
        }
    };
    let socket = serve::listen(args.bind, role, args.port.unwrap_or(role.default_port()))?;
    let network = args.cut_while.clone().map(Network::up_unless).unwrap_or_default();
    serve::one(role, &config, peers, Listener { socket, network, capacity }, shutdown).await
}
