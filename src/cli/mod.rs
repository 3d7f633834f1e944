//! The command line: one file per command, each an args struct and a `run`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

mod allowance;
mod arguments;
mod bench;
mod breaker;
pub mod caller;
mod chaos;
mod check;
mod client_failure;
mod completions;
mod crash_container;
mod doctor;
mod down;
pub mod engine;
pub mod globals;
mod health;
mod junit;
mod logs;
mod man;
mod order;
mod password;
mod product;
mod respond;
mod restart;
mod seed;
mod serve;
mod smoke;
mod status;
mod supervise;
mod trace;
mod tracing;
mod up;
mod user;

pub use crate::cli::globals::Globals;
pub(crate) use client_failure::client_failure;
use ordersys_command::{Failure, Outcome};

/// How long a service that ends tries to say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// An order system you can trust and the load tester that proves it.
///
/// Three services (user, product, order) in one binary: started in Docker or as local
/// processes, seeded, ordered from, loaded and verified.
#[derive(Debug, Parser)]
#[command(name = "ordersys", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Down(down::Args),
    #[command(visible_alias = "ps")]
    Status(status::Args),
    Logs(logs::Args),
    Trace(trace::Args),
    Restart(restart::Args),
    Chaos(chaos::Args),
    Seed(seed::Args),
    User(user::Args),
    Product(product::Args),
    Order(order::Args),
    Bench(Box<bench::Args>),
    Check(check::Args),
    Smoke(smoke::Args),
    Doctor(doctor::Args),
    Serve(serve::Args),
    Health(health::Args),
    Completions(completions::Args),
    Man(man::Args),
    #[command(hide = true)]
    Respond(respond::Args),
    #[command(hide = true)]
    Supervise(supervise::Args),
    #[command(hide = true)]
    CrashContainer(crash_container::Args),
}

/// The same command line with nothing but `serve`: to describe all commands takes memory that a service
/// would keep for as long as it runs.
#[derive(Debug, Parser)]
#[command(name = "ordersys", version, max_term_width = 100)]
struct Service {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Serve,
}

#[derive(Debug, Subcommand)]
enum Serve {
    Serve(serve::Args),
}

/// The whole command line as clap describes it: for manual pages, and to hold examples in documents to it.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

fn parse() -> Cli {
    if std::env::args_os().nth(1).is_none_or(|first| first != "serve") {
        return arguments::parse();
    }
    let Service { globals, command: Serve::Serve(args) } = arguments::parse();
    Cli { globals, command: Command::Serve(args) }
}

/// Parses the command line, runs the command and reports how it went.
#[must_use]
pub fn main() -> ExitCode {
    let cli = parse();
    let serves = matches!(cli.command, Command::Serve(_));
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let exit = ExitCode::from(failure.exit as u8);
            if serves {
                last_words(failure);
            } else {
                say(&failure);
            }
            exit
        }
    }
}

fn say(failure: &Failure) {
    crate::render::error(&failure.error, failure.hint.as_deref());
}

/// A service that ends says why, but not to a reader that stands still: then it would never end.
fn last_words(failure: Failure) {
    let (sender, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        say(&failure);
        let _ = sender.send(()); // too late is as good as never
    });
    let _ = said.recv_timeout(LAST_WORDS);
}

fn run(cli: Cli) -> Outcome {
    let globals = cli.globals;
    match cli.command {
        Command::Up(args) => up::run(args, &globals),
        Command::Down(args) => down::run(&args, &globals),
        Command::Status(args) => status::run(&args, &globals),
        Command::Logs(args) => logs::run(args, &globals),
        Command::Trace(args) => trace::run(&args, &globals),
        Command::Restart(args) => restart::run(&args, &globals),
        Command::Chaos(args) => chaos::run(&args, &globals),
        Command::Seed(args) => seed::run(&globals, &args),
        Command::User(args) => user::run(&globals, args),
        Command::Product(args) => product::run(&globals, args),
        Command::Order(args) => order::run(&globals, args),
        Command::Bench(args) => bench::run(*args, &globals),
        Command::Check(args) => check::run(&args, &globals),
        Command::Smoke(args) => smoke::run(&args, &globals),
        Command::Doctor(args) => doctor::run(&args, &globals),
        Command::Serve(args) => {
            serve::run(&args, globals.user_url.as_deref(), globals.product_url.as_deref())
        }
        Command::Health(args) => health::run(&args, &globals),
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
