//! `ordersys bench report`: a stored run, shown again.

use std::path::PathBuf;

use crate::cli::bench::{Globals, OrFail, Outcome};
use ordersys_bench::result::RunResult;
use ordersys_report::bench as render;
use ordersys_report::export;
use ordersys_report::export::PAGE;

/// Show a stored run again, and write its page anew
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys bench --out run1 && ordersys bench report run1
  ordersys bench report run1 -o json | jq .latency.response.p99
  xdg-open run1/report.html")]
pub(super) struct Args {
    /// A directory that `ordersys bench --out DIR` wrote
    dir: PathBuf,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let result = RunResult::read(&args.dir)?;
    let printer = globals.printer();
    printer.data(&result, || render::text(&result));
    export::page(&result, &args.dir).hint("copy the directory to where it can be written")?;
    printer.say(format!("report: {}", args.dir.join(PAGE).display()));
    Ok(())
}
