//! `ordersys bench cleanup`: removes the test data that runs, seeds and smoke tests made.

use std::time::Duration;

use ordersys_contract::test_data::{Cleaned, Cleanup};
use ordersys_contract::{Client, ClientError};
use serde::Serialize;

use crate::cli::bench::{Exit, Failure, Globals, Outcome};
use crate::cli::{block_on, client_failure};
use crate::render::Progress;
use ordersys_command::Signals;
use ordersys_report::Table;

/// Most steps for products or users: more rows than any system keeps.
const MAX_STEPS: u32 = 1_000_000;

/// Remove the test data that runs and seeds made, as far as orders allow
///
/// Products and users that are marked as test data, old enough, and never part of an order or reservation are
/// deleted. Those that were stay, since their orders need them, and stay hidden. What is not marked is never touched.
/// It may be repeated, and run at any time: what is younger than --older-than stays as it is, since a run that is
/// under way may use it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys bench cleanup
  ordersys bench cleanup --older-than 0s      everything; for when no run is under way
  ordersys product list --test                what is left")]
pub(super) struct Args {
    /// Only what was made so long ago or earlier: more than your longest run takes
    #[arg(long, default_value = "24h", value_parser = humantime::parse_duration, value_name = "TIME")]
    older_than: Duration,
}

/// What became of products and users.
#[derive(Debug, Default, Serialize)]
struct Report {
    version: u32,
    products: Count,
    users: Count,
}

/// How many were removed, and how many were not and why.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Count {
    removed: u64,
    kept: u64,
    young: u64,
}

impl Count {
    fn add<I>(&mut self, step: &Cleaned<I>) {
        self.removed += step.removed;
        self.kept += step.kept;
        self.young += step.young;
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let (client, printer) = (globals.client()?, globals.printer());
    let older_than = u32::try_from(args.older_than.as_secs()).unwrap_or(u32::MAX);
    let progress = printer.progress(None, "cleaning up");
    let mut report = Report { version: 1, ..Report::default() };
    let ended = block_on(async {
        let mut signals = Signals::listen().map_err(|error| Failure::new(Exit::Failed, error))?;
        tokio::select! {
            done = clean_up(&client, older_than, &progress, &mut report) => done.map_err(client_failure),
            () = signals.next() => Err(Failure::new(Exit::Interrupted, "interrupted; repeat it to go on")),
        }
    });
    progress.finish();
    printer.data(&report, || table(&report));
    ended?;
    let young = report.products.young + report.users.young;
    if young > 0 {
        let all = globals.project()?.command("bench cleanup --older-than 0s");
        let age = humantime::format_duration(args.older_than);
        printer.say(format!(
            "{young} are younger than {age} and stay, since a run may use them; if none is under way: {all}"
        ));
    }
    Ok(())
}

fn table(report: &Report) -> String {
    let mut table =
        Table::new(["", "REMOVED", "KEPT, ORDERS NEED THEM", "KEPT, TOO YOUNG"]).right(&[1, 2, 3]);
    for (what, count) in [("products", report.products), ("users", report.users)] {
        let Count { removed, kept, young } = count;
        table.row([what.to_owned(), removed.to_string(), kept.to_string(), young.to_string()]);
    }
    table.to_string()
}

/// Goes through all test data, step by step; each step is done or not.
async fn clean_up(
    client: &Client,
    older_than: u32,
    progress: &Progress,
    report: &mut Report,
) -> Result<(), ClientError> {
    let count = &mut report.products;
    steps(
        older_than,
        async |step| client.clean_up_products(&step).await,
        |step| {
            count.add(step);
            progress.message(format!("products: {} removed", count.removed));
        },
    )
    .await?;
    let count = &mut report.users;
    steps(
        older_than,
        async |step| client.clean_up_users(&step).await,
        |step| {
            count.add(step);
            progress.message(format!("users: {} removed", count.removed));
        },
    )
    .await
}

/// All steps of one kind, which go on from id to id until there is none.
async fn steps<I: Copy + PartialOrd>(
    older_than: u32,
    call: impl AsyncFn(Cleanup<I>) -> Result<Cleaned<I>, ClientError>,
    mut done: impl FnMut(&Cleaned<I>),
) -> Result<(), ClientError> {
    let mut after = None;
    for _ in 0..MAX_STEPS {
        let step = call(Cleanup { older_than, after }).await?;
        done(&step);
        let Some(next) = step.next.filter(|next| after.is_none_or(|after| *next > after)) else { break };
        after = Some(next);
    }
    Ok(())
}
