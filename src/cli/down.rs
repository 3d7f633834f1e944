//! `ordersys down`.

use crate::accounts;
use crate::cli::listing::object;
use crate::cli::{Globals, block_on};
use crate::render::Printer;
use ordersys_command::{Exit, Failure, Outcome, Signals};
use ordersys_stack::model::project::Project;
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
        let mut signals = Signals::listen()?;
        let AllRemoved { mut projects, unseen, failed } = tokio::select! {
            all = take_down(args, how, &project) => all?,
            () = signals.next() => return Err(interrupted(args)),
        };
        print(&projects, &printer);
        let obstacles: Vec<Failure> =
            projects.iter_mut().filter_map(|project| project.failed.take()).collect();
        let obstacles = obstacles.into_iter().chain(failed).chain(unseen);
        if let Some(failure) = obstacles.reduce(|first, next| first.and(&next)) {
            return Err(failure);
        }
        printer.next("ordersys up");
        Ok(())
    })
}

async fn take_down(args: &Args, how: Down<'_>, project: &Project) -> Outcome<AllRemoved> {
    match project.dir.parent() {
        Some(state_dir) if args.all => down_all(how, state_dir).await,
        _ => {
            let projects = vec![down(how, project).await?];
            Ok(AllRemoved { projects, unseen: None, failed: Vec::new() })
        }
    }
}

fn interrupted(args: &Args) -> Failure {
    let flag = |is_given, flag| if is_given { flag } else { "" };
    let again = format!("ordersys down{}{}", flag(args.all, " --all"), flag(args.volumes, " --volumes"));
    Failure::new(Exit::Interrupted, "interrupted before everything was gone")
        .hint(format!("`{again}` goes on"))
}

fn print(removed: &[Removed], printer: &Printer) {
    if printer.is_json() {
        printer.data(&object("projects", &removed), String::new);
    }
    if removed.iter().all(|project| project.removed.is_empty() && project.failed.is_none()) {
        printer.say("nothing to do");
    }
    for project in removed {
        for what in &project.removed {
            printer.say(format!("removed {what} of project {}", project.project));
        }
        for what in &project.left {
            printer.say(format!("left      {what}"));
        }
        for what in &project.kept {
            printer.say(format!("data kept: {what}"));
        }
    }
}
