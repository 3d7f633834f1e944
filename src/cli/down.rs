//! `ordersys down`.

use crate::accounts;
use crate::cli::{Globals, block_on};
use crate::render::Printer;
use ordersys_command::{Failure, Outcome};
use ordersys_stack::ops::down::{Down, down};
use ordersys_stack::{AllRemoved, DataPolicy, Removed, down_all};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys down                    ends the stack, keeps its data
  ordersys down --volumes          ends the stack and removes its data and all of its state
  ordersys down --all --volumes    every project's, and the images")]
pub(super) struct Args {
    /// Remove the data, credentials and logs as well
    #[arg(short, long)]
    volumes: bool,
    /// Every project, not only this one; also images that nothing uses. Exit code 3 if no engine answers: what
    /// it has is not known then
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let printer = globals.printer();
    let project = globals.unchecked_project()?; // what is not the project's is left, not refused
    let engine = globals.engine.lookup();
    let data = if args.volumes { DataPolicy::Remove } else { DataPolicy::Keep };
    let how = Down { engine: &engine, data, forget: &accounts::forget, events: &printer.events() };
    block_on(async {
        let AllRemoved { projects, unseen, failed } = match project.dir.parent() {
            Some(state_dir) if args.all => down_all(how, state_dir).await?,
            _ => {
                let projects = vec![down(how, &project).await?];
                AllRemoved { projects, unseen: None, failed: Vec::new() }
            }
        };
        print(&projects, &printer);
        printer.next(&project.command("up"));
        match failed.into_iter().chain(unseen).reduce(also) {
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    })
}

/// Two failures as one: the first says how the command ends.
fn also(first: Failure, next: Failure) -> Failure {
    let Failure { error: other, .. } = next;
    Failure { error: anyhow::anyhow!("{:#}\nand: {other:#}", first.error), ..first }
}

fn print(removed: &[Removed], printer: &Printer) {
    if printer.is_json() {
        printer.data(removed, String::new);
    }
    if removed.iter().all(|project| project.removed.is_empty()) {
        printer.say("nothing to do");
    }
    for project in removed {
        for what in &project.removed {
            printer.say(format!("removed {what} of project {}", project.project));
        }
        for what in &project.left {
            printer.say(format!("left      {what}"));
        }
    }
}
