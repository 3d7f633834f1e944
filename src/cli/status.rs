//! `ordersys status`.

use crate::cli::{Globals, block_on};
use crate::render;
use ordersys_command::Outcome;
use ordersys_stack::ops::status::status;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys status
  ordersys ps -o json | jq -r '.services[] | select(.name == \"order\") | .url'")]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, globals: &Globals) -> Outcome {
    let (project, printer) = (globals.project()?, globals.printer());
    block_on(async {
        let report = status(&globals.engine.lookup(), &project).await?;
        printer.data(&report, || render::stack::status(&report));
        Ok(())
    })
}
