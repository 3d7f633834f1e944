//! `ordersys ls`.

use serde::Serialize;

use crate::cli::{Globals, block_on};
use ordersys_command::Outcome;
use ordersys_report::stack;
use ordersys_stack::ops::projects::{Listed, projects};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys ls
  ordersys ls -o json | jq -r '.projects[] | select(.state == \"ready\") | .name'")]
pub(super) struct Args {}

/// The projects; stable, scripts read it.
#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    projects: Vec<Listed>,
}

pub(super) fn run(_args: &Args, globals: &Globals) -> Outcome {
    let (project, printer) = (globals.unchecked_project()?, globals.printer());
    let state_dir = project.dir.parent().unwrap_or(&project.dir).to_owned();
    let projects = block_on(async { Ok(projects(&globals.engine.lookup(), &state_dir).await) })?;
    let report = Report { version: 1, projects };
    printer.data(&report, || stack::projects(&report.projects));
    if report.projects.is_empty() {
        printer.say(format!("no projects in {}", state_dir.display()));
        printer.next("ordersys up");
    }
    Ok(())
}
