//! `ordersys restart`, `ordersys stop` and `ordersys start`: services in good order.

use std::time::Duration;

use serde::Serialize;

use crate::cli::arguments::Services;
use crate::cli::listing::object;
use crate::cli::{Globals, block_on};
use ordersys_command::{Exit, Failure, Outcome, Signals};
use ordersys_stack::model::spec::ServiceName;
use ordersys_stack::ops::chaos::{Chaos, Then, Turn, Until};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys stop product                    what the others do without it
  ordersys start                           all that are stopped, those that others need first
  ordersys restart                         the whole stack, one service at a time")]
pub(super) struct Args {
    /// Which services; `order.2` is the second replica of the order service [default: all]
    #[arg(value_parser = Services)]
    services: Vec<ServiceName>,
    /// How long each may take until it is ready
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

/// A service that was stopped, started or restarted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    service: &'static str,
    seconds: f64,
}

pub(super) fn run(what: Turn, args: &Args, globals: &Globals) -> Outcome {
    let (project, printer) = (globals.project()?, globals.printer());
    block_on(async {
        let mut signals = Signals::listen()?;
        let chaos = Chaos::open(&globals.engine.lookup(), &project).await?;
        let mut open = wanted(what, args, &chaos).into_iter();
        let mut done: Vec<Done> = Vec::new();
        let mut then = Then::GoOn;
        while then == Then::GoOn
            && let Some(service) = open.next()
        {
            let until = Until { signals: &mut signals, events: &printer.events() };
            let turned = chaos.turn(service, what, args.timeout, until).await?;
            let seconds = turned.took.as_secs_f64();
            printer.say(match what {
                Turn::Stop => format!("stopped   {service} after {seconds:.2} s"),
                Turn::Start => format!("started   {service}: ready after {seconds:.2} s"),
                Turn::Restart => format!("restarted {service}: ready after {seconds:.2} s"),
            });
            done.push(Done { service: service.name(), seconds });
            then = turned.then;
        }
        if printer.is_json() {
            printer.data(&object("services", &done), String::new);
        }
        if then == Then::End {
            return Err(interrupted(what, &open.map(ServiceName::name).collect::<Vec<_>>()));
        }
        printer.next(match what {
            Turn::Stop => "ordersys start",
            Turn::Start | Turn::Restart => "ordersys status",
        });
        Ok(())
    })
}

/// The services in question, each once: those that are named, else all. Those that others need are started first and
/// stopped last.
fn wanted(what: Turn, args: &Args, chaos: &Chaos) -> Vec<ServiceName> {
    let mut all = chaos.services();
    if args.services.is_empty() {
        if what == Turn::Stop {
            all.reverse();
        }
        return all;
    }
    let mut wanted: Vec<ServiceName> = Vec::new();
    for named in &args.services {
        let service = chaos.service(*named);
        if !wanted.contains(&service) {
            wanted.push(service); // not again what was named twice, or is a monolith's
        }
    }
    wanted
}

fn interrupted(what: Turn, left: &[&str]) -> Failure {
    let command = what.command();
    if left.is_empty() {
        return Failure::new(Exit::Interrupted, format!("interrupted, when the {command} was done"));
    }
    let what = format!("interrupted; as before, without the {command}: {}", left.join(", "));
    Failure::new(Exit::Interrupted, what).hint(format!("`ordersys {command} {}` goes on", left.join(" ")))
}
