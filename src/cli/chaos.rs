//! `ordersys chaos`: faults on purpose.

use std::time::Duration;

use serde::Serialize;

use crate::cli::arguments::Services;
use crate::cli::{Globals, block_on};
use ordersys_command::{Exit, Failure, Outcome, Signals};
use ordersys_stack::model::spec::ServiceName;
use ordersys_stack::ops::chaos::{Chaos, Fault};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys chaos kill order --wait          how long until it is back
  ordersys chaos pause product              until `ordersys chaos resume product`
  ordersys chaos partition user
  ordersys chaos kill order.2               one of several replicas
  ordersys chaos heal user --wait")]
pub(super) struct Args {
    /// What is done
    fault: Fault,
    /// To which service; `order.2` is the second replica of the order service
    #[arg(value_parser = Services)]
    service: ServiceName,
    /// Wait until the service is ready again, and say how long that took
    #[arg(long)]
    wait: bool,
    /// How long to wait at most
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

/// What was done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InjectedFault {
    service: &'static str,
    fault: Fault,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_after_seconds: Option<f64>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let (project, printer) = (globals.project()?, globals.printer());
    block_on(async {
        let chaos = Chaos::open(&globals.engine.lookup(), &project).await?;
        let mut signals = Signals::listen()?; // what is done to a service is done to its end
        chaos.apply(args.service, args.fault).await?;
        let waited = match args.fault {
            Fault::Kill | Fault::Resume | Fault::Heal if args.wait => tokio::select! {
                waited = chaos.until_ready(args.service, args.timeout) => Some(waited?),
                () = signals.next() => return Err(interrupted(args)),
            },
            _ => None,
        };
        let service = chaos.service(args.service).name();
        let ready_after_seconds = waited.map(|waited| waited.as_secs_f64());
        printer.data(&InjectedFault { service, fault: args.fault, ready_after_seconds }, || {
            let again = waited.map(|waited| format!(", ready after {:.2} s", waited.as_secs_f64()));
            format!("{service} {}{}", args.fault.done(), again.unwrap_or_default())
        });
        printer.next(&match args.fault {
            Fault::Pause => format!("ordersys chaos resume {}", args.service),
            Fault::Partition => format!("ordersys chaos heal {}", args.service),
            Fault::Kill | Fault::Resume | Fault::Heal => "ordersys status".to_owned(),
        });
        Ok(())
    })
}

fn interrupted(args: &Args) -> Failure {
    let what =
        format!("interrupted: {} was {}, and is not known to be ready", args.service, args.fault.done());
    Failure::new(Exit::Interrupted, what).hint("`ordersys status` shows how it is doing")
}
