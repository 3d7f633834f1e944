//! `ordersys smoke`: is everything fine, as one exit code.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::accounts;
use crate::cli::bench::recorded;
use crate::cli::junit::ResultFile;
use crate::cli::{Globals, block_on};
use crate::render::Printer;
use crate::smoke;
use crate::smoke::{Ended, Journey};
use ordersys_command::Signals;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_report::Table;
use ordersys_stack as stack;
use ordersys_stack::model::project::{Project, ProjectName};
use ordersys_stack::model::record::Topology;
use ordersys_stack::ops::down::Down;
use ordersys_stack::up::Up;
use ordersys_stack::{DataPolicy, PortChoices, RuntimeChoice, UpOptions, Wanted};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys smoke
  ordersys smoke --runtime process
  ordersys smoke --runtime docker -o json
  ordersys smoke --junit smoke.xml         results for a CI system")]
pub(super) struct Args {
    /// Where the services run
    #[arg(long, env = "ORDERSYS_RUNTIME", default_value = "auto", value_name = "RUNTIME")]
    runtime: RuntimeChoice,
    /// Three services, or one process that is all three
    #[arg(long, env = "ORDERSYS_TOPOLOGY", default_value = "services", value_name = "TOPOLOGY")]
    topology: Topology,
    /// Also write the steps as a JUnit file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    block_on(async {
        let mut signals = Signals::listen()?; // before anything is there that could be left behind
        let state = tempfile::Builder::new().prefix("ordersys-smoke-").tempdir();
        let state = state.context("cannot make a directory for the state of the smoke test")?;
        let outcome = smoke_in(&state, args, globals, &mut signals).await;
        if std::fs::read_dir(state.path()).is_ok_and(|mut left| left.next().is_some()) {
            let _ = state.keep(); // what `down` could not remove is not forgotten: there `down` finds it again
        }
        outcome
    })
}

async fn smoke_in(state: &TempDir, args: &Args, globals: &Globals, signals: &mut Signals) -> Outcome {
    let printer = globals.printer();
    let results = args.junit.as_deref().map(ResultFile::make).transpose()?;
    let project = fresh_project(state.path())?;
    let options = UpOptions {
        wanted: Wanted {
            runtime: Some(args.runtime),
            topology: Some(args.topology),
            ports: PortChoices::auto(),
            ..Wanted::default()
        },
        ..UpOptions::new(globals.engine.lookup())
    };
    let began = Instant::now();
    let (journey, exit) = journey(&options, &project, &printer, signals).await?;
    printer.data(&journey, || table(&journey));
    if project.dir.exists() {
        let removes = project.command("down --volumes");
        printer.say(format!("left      {}; `{removes}` removes it", state.path().display()));
    }
    let written = results.map_or(Ok(()), |file| file.write(&journey));
    let Some(failed) = journey.failure() else {
        written?;
        printer.say(format!("smoke: all {} steps passed in {:.1?}", journey.steps.len(), began.elapsed()));
        return Ok(());
    };
    let detail = failed.detail.as_deref().unwrap_or("no reason is known");
    if let Err(error) = written {
        printer.say(format!("the results are in no file: {error:#}"));
    }
    Err(Failure::new(exit, format!("the smoke test failed at \"{}\": {detail}", failed.name)))
}

/// A project whose name no other run has.
fn fresh_project(state: &Path) -> Outcome<Project> {
    let name: Result<ProjectName, _> = format!("smoke-{:08x}", rand::random::<u32>()).parse();
    Ok(Project::new(name.map_err(|error| Failure::new(Exit::Failed, error))?, state))
}

/// The journey and the exit code of its failure, if it has one.
async fn journey(
    options: &UpOptions,
    project: &Project,
    printer: &Printer,
    signals: &mut Signals,
) -> Outcome<(Journey, Exit)> {
    let mut journey = Journey::default();
    let mut exit = Exit::Failed;
    // Only what the steps say is data; the report of `up` is not asked for here.
    let silent = Printer::silent();
    let up = async {
        Box::pin(stack::up(options, project, &silent.events())).await.map_err(|failure| {
            exit = failure.exit;
            failure.error
        })
    };
    let up = journey.step("start the stack", up).await;
    if let Some(Up { record, .. }) = up {
        let client = ordersys_contract::Client::new(record.endpoints.clone())
            .with_credential(project.admin_credential());
        let around = recorded(&record);
        tokio::select! {
            () = Box::pin(smoke::travel(&mut journey, &client, &around, printer)) => {}
            () = signals.next() => exit = Exit::Interrupted,
        }
        if exit == Exit::Interrupted {
            journey.step("finish", async { Err::<(), _>(anyhow::anyhow!("interrupted")) }).await;
        }
    }
    let down = async {
        let (data, events) = (DataPolicy::Remove, &silent.events());
        let how = Down { engine: &options.engine, data, forget: &accounts::forget, events };
        let removed = stack::down(how, project).await.map_err(|failure| failure.error)?;
        removed.failed.map_or(Ok(()), |failure| Err(failure.error))
    };
    journey.step("take it down, leaving nothing", down).await;
    Ok((journey, exit))
}

fn table(journey: &Journey) -> String {
    let mut table = Table::new(["STEP", "RESULT", "TIME", ""]).right(&[2]).states(&[1]).prose(&[3]);
    for step in &journey.steps {
        let result = match step.result {
            Ended::Passed => "pass",
            Ended::Failed => "FAIL",
            Ended::Skipped => "skip",
        };
        let detail = step.detail.clone().unwrap_or_default();
        table.row([step.name.to_owned(), result.to_owned(), format!("{} ms", step.millis), detail]);
    }
    table.to_string()
}
