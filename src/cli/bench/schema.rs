//! `ordersys bench schema`: what a stored result looks like.

use super::Globals;
use crate::load::result;
use crate::ui::{Output, Printer};

/// Print the JSON schema of result.json
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys bench schema > result.schema.json")]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, globals: &Globals) {
    Printer::new(Output::Json, globals.quiet).data(&result::schema(), String::new);
}
