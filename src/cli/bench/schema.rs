//! `ordersys bench schema`: what a stored result looks like.

use crate::cli::bench::Globals;
use crate::render::{Output, Printer};
use ordersys_bench::result;

/// Print the JSON schema of result.json
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys bench schema > result.schema.json")]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, globals: &Globals) {
    Printer::new(Output::Json, globals.quiet).data(&result::schema(), String::new);
}
