//! The command line: one file per command, each an args struct and a `run`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Parser, Subcommand};

mod allowance;
mod arguments;
mod bench;
mod breaker;
pub mod caller;
mod chaos;
mod check;
mod client_failure;
mod completions;
mod config;
mod crash_container;
mod doctor;
mod down;
pub mod engine;
pub mod globals;
mod health;
mod junit;
mod listing;
mod logs;
mod ls;
mod man;
mod meant;
mod migrate;
mod open;
mod order;
mod password;
mod product;
mod respond;
mod restart;
mod seed;
mod serve;
mod smoke;
mod status;
mod store;
mod supervise;
mod trace;
mod tracing;
mod unanswered;
mod unread;
mod up;
mod user;
mod version;

use crate::cli::arguments::Read;
pub use crate::cli::globals::Globals;
use crate::render::Output;
pub(crate) use client_failure::client_failure;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_stack::ops::chaos::Turn;

/// How long a service that ends tries to say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// An order system you can trust and the load tester that proves it.
///
/// Three services (user, product, order) in one binary: started in Docker or as local
/// processes, seeded, ordered from, loaded and verified.
#[derive(Debug, Parser)]
#[command(
    name = "ordersys",
    version,
    max_term_width = 100,
    after_help = "Examples:
  ordersys doctor
  ordersys up
  ordersys seed --users 3 --products 3
  ordersys bench --duration 30s
  ordersys check
  ordersys down"
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Flags are described once their command is asked for: to describe all of them takes memory that a service would
/// keep for as long as it runs.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Start the stack, or bring it to what the flags say, and wait until it is ready
    ///
    /// Changes only what differs and says why. On failure or Ctrl-C what this run made is removed.
    Up(up::Args),
    /// Stop and remove everything of the project, and prove that nothing is left
    ///
    /// Data, credentials, logs and logins stay for the next `up`, unless --volumes is given.
    Down(down::Args),
    /// Show the services: state, address, restarts, version, memory
    #[command(visible_alias = "ps")]
    Status(status::Args),
    /// List the projects of this machine, running or not
    Ls(ls::Args),
    /// Show what the services say, merged by time (in UTC)
    Logs(logs::Args),
    /// Show one request or order on its way through all services, as a timed tree
    ///
    /// Put together from the services' logs and the order's history alone. Times are milliseconds from the
    /// beginning; `commit N` is the order's N-th stored step, whose time has whole milliseconds. What
    /// could not be seen is said below the tree.
    Trace(trace::Args),
    /// Stop services in good order and start them again, one after the other
    ///
    /// Requests under way are finished first. Waits until each service is ready before it goes on.
    Restart(restart::Args),
    /// Stop services in good order; `start` or the next `up` starts them again
    ///
    /// Requests under way are finished first. Those that need others are stopped before these.
    Stop(restart::Args),
    /// Start services that were stopped, and wait until each is ready
    Start(restart::Args),
    /// Inject a fault into a running service: a crash, a freeze or a network cut
    ///
    /// A killed service is started again by itself. A paused one, and one that is cut off, stay so until
    /// `resume` and `heal`, or until the next `up`. Cut off in Docker, published ports refuse connections;
    /// as a process, open connections break and new ones get no answer.
    Chaos(chaos::Args),
    /// Create test users and products; the same seed makes the same ones
    Seed(seed::Args),
    /// Create and look up users, log in and out
    User(user::Args),
    /// List, show, create and restock products
    Product(product::Args),
    /// Place orders and follow them
    Order(order::Args),
    /// Load the system, measure it, and check that it kept its books
    Bench(Box<bench::Args>),
    /// Verify the invariants of a running stack; reads only, never repairs
    ///
    /// Works under load too: what looks wrong is read again before it counts. Exit code 7 if an
    /// invariant is violated.
    Check(check::Args),
    /// Start a fresh stack, order from it, break the rules, load it, verify it and take it down
    ///
    /// Uses a project of its own with free ports, so it can run beside other stacks. Nothing is
    /// left behind, also after Ctrl-C.
    Smoke(smoke::Args),
    /// Check whether this machine can run a stack
    Doctor(doctor::Args),
    /// Show the addresses of the API pages, and open one if there is a desktop
    #[command(visible_alias = "docs")]
    Open(open::Args),
    /// Show which settings count, and where each comes from
    Config(config::Args),
    /// Run one service, or all in one process, in the foreground
    Serve(serve::Args),
    /// Make or update the tables of the services in a PostgreSQL database, without starting them
    Migrate(migrate::Args),
    /// Ask a service on this machine whether it is healthy: exits with 0 or 1
    Health(health::Args),
    /// Print the version of this program, and how it was built
    Version(version::Args),
    /// Print what a shell needs to complete commands and flags
    #[command(visible_alias = "completion")]
    Completions(completions::Args),
    /// Print the manual page, or write a page for each command into a directory
    Man(man::Args),
    /// Answer every order at once, without keeping any
    #[command(hide = true)]
    Respond(respond::Args),
    /// Run the local services of a project (started by `ordersys up`)
    #[command(hide = true)]
    Supervise(supervise::Args),
    /// Kill the service of this container
    #[command(hide = true)]
    CrashContainer(crash_container::Args),
}

/// The whole command line as clap describes it: for manual pages, and to hold examples in documents to it. The flags
/// of a command are in it once it is built.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses the command line, runs the command and reports how it went.
#[must_use]
pub fn main() -> ExitCode {
    let Read { parsed: cli, origins } = match arguments::parse::<Cli>() {
        Ok(read) => read,
        Err(error) => return unread::end(&error),
    };
    let (serves, globals) = (matches!(cli.command, Command::Serve(_)), cli.globals.clone());
    let ended = run(cli, &origins);
    if serves {
        return ended.map_or_else(last_words, |()| ExitCode::SUCCESS);
    }
    match whole(ended, crate::render::lost().as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let failure = unanswered::explained(failure, &globals);
            let hint = failure.hint.map(|hint| globals.pasted().text(&hint));
            let failure = Failure { hint, ..failure };
            crate::render::failure(&failure, globals.printer().output());
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// How a command ended whose output may not have been written.
fn whole(ended: Outcome, lost: Option<&std::io::Error>) -> Outcome {
    let Some(lost) = lost.map(unwritten) else { return ended };
    let Err(Failure { exit, error, hint }) = ended else { return Err(lost) };
    Err(Failure { exit, error: lost.error.context(format!("{error:#}")), hint })
}

/// Output that was cut off.
fn unwritten(error: &std::io::Error) -> Failure {
    let error = error.to_string();
    let reason = error.split(" (os error").next().unwrap_or_default();
    Failure::new(Exit::Failed, format!("cannot write to standard output: {reason}"))
}

/// A service that ends says why, in words, but not to a reader that stands still: then it would never end.
fn last_words(failure: Failure) -> ExitCode {
    let exit = ExitCode::from(failure.exit as u8);
    let (sender, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        crate::render::failure(&failure, Output::Table);
        let _ = sender.send(()); // too late is as good as never
    });
    let _ = said.recv_timeout(LAST_WORDS);
    exit
}

fn run(cli: Cli, origins: &ArgMatches) -> Outcome {
    arguments::refused(origins)?;
    let globals = cli.globals;
    match cli.command {
        Command::Up(args) => up::run(args, &globals),
        Command::Down(args) => down::run(&args, &globals),
        Command::Status(args) => status::run(&args, &globals),
        Command::Ls(args) => ls::run(&args, &globals),
        Command::Logs(args) => logs::run(args, &globals),
        Command::Trace(args) => trace::run(&args, &globals),
        Command::Restart(args) => restart::run(Turn::Restart, &args, &globals),
        Command::Stop(args) => restart::run(Turn::Stop, &args, &globals),
        Command::Start(args) => restart::run(Turn::Start, &args, &globals),
        Command::Chaos(args) => chaos::run(&args, &globals),
        Command::Seed(args) => seed::run(&globals, &args),
        Command::User(args) => user::run(&globals, args),
        Command::Product(args) => product::run(&globals, args),
        Command::Order(args) => order::run(&globals, args),
        Command::Bench(args) => bench::run(*args, &globals),
        Command::Check(args) => check::run(&args, &globals),
        Command::Smoke(args) => smoke::run(&args, &globals),
        Command::Doctor(args) => doctor::run(&args, &globals),
        Command::Serve(args) => serve::run(&args, &globals.user_url, &globals.product_url),
        Command::Migrate(args) => migrate::run(&args, &globals),
        Command::Health(args) => health::run(&args, &globals),
        Command::Open(args) => open::run(&args, &globals),
        Command::Config(args) => config::run(&args, &globals, origins),
        Command::Version(args) => {
            version::run(&args, &globals);
            Ok(())
        }
        Command::Completions(args) => {
            completions::run(&args, &globals);
            Ok(())
        }
        Command::Man(args) => man::run(&args, &globals),
        Command::Respond(args) => respond::run(&args, &globals),
        Command::Supervise(args) => supervise::run(&args),
        Command::CrashContainer(args) => crash_container::run(&args),
    }
}

/// Runs an async command on a runtime of its own.
fn block_on<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
