//! `ordersys restart`.

use std::time::Duration;

use serde::Serialize;

use crate::cli::{Globals, block_on};
use ordersys_command::Outcome;
use ordersys_contract::Role;
use ordersys_stack::ops::chaos::Chaos;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys restart order
  ordersys restart user product order      the whole stack, one service at a time")]
pub(super) struct Args {
    /// Which services
    #[arg(required = true)]
    services: Vec<Role>,
    /// How long each may take until it is ready
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

/// A service that was restarted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Restarted {
    service: &'static str,
    seconds: f64,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let (project, printer) = (globals.project()?, globals.printer());
    block_on(async {
        let chaos = Chaos::open(&globals.engine.lookup(), &project).await?;
        let mut done: Vec<Restarted> = Vec::new();
        for role in &args.services {
            let service = chaos.service(*role).name();
            if done.iter().any(|earlier| earlier.service == service) {
                continue; // named twice, or a monolith's
            }
            let seconds = chaos.restart(*role, args.timeout, &printer.events()).await?.as_secs_f64();
            printer.say(format!("restarted {service}: ready after {seconds:.2} s"));
            done.push(Restarted { service, seconds });
        }
        if printer.is_json() {
            printer.data(&done, String::new);
        }
        printer.next("ordersys status");
        Ok(())
    })
}
