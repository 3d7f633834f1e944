//! `ordersys status`.

use std::time::Duration;

use crate::cli::{Globals, block_on};
use crate::render::Printer;
use ordersys_command::{Outcome, Signals};
use ordersys_report::stack;
use ordersys_stack::ops::status::{StatusReport, status};

/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys status
  ordersys status --watch                   looks again each second, until Ctrl-C
  ordersys ps -q                            the ids of containers or processes only
  ordersys ps -o json | jq -r '.services[] | select(.name == \"order\") | .url'")]
pub(super) struct Args {
    /// Look again each second, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let (project, printer) = (globals.project()?, globals.printer());
    block_on(async {
        let look = async || status(&globals.engine.lookup(), &project).await;
        if !args.watch {
            show(&look().await?, globals, &printer);
            return Ok(());
        }
        let mut signals = Signals::listen()?;
        loop {
            let report = look().await?;
            printer.clear();
            show(&report, globals, &printer);
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = signals.next() => return Ok(()),
            }
        }
    })
}

/// Prints the services; where talk is not wanted, their ids.
fn show(report: &StatusReport, globals: &Globals, printer: &Printer) {
    if globals.quiet {
        printer.data(report, || report.ids().join("\n"));
    } else {
        printer.data(report, || stack::status(report));
    }
}
