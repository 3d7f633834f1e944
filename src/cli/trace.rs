//! `ordersys trace`: one request or order through all services.

use std::time::Duration;

use crate::cli::{Globals, block_on};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_logs::Found;
use ordersys_logs::trace::{Ground, Trace, trace};

/// Services write their lines a few times a second, so what is not there yet is looked for again.
const LOOKS: usize = 3;
const PAUSE: Duration = Duration::from_millis(150);

/// Show one request or order on its way through all services, as a timed tree
///
/// Put together from the services' logs and the order's history alone. Times are milliseconds from the
/// beginning; `commit N` is the order's N-th stored step, whose time has whole milliseconds. What
/// could not be seen is said below the tree.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys trace 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b     an order: `ordersys order list` shows ids
  ordersys trace my-request-1                             a request: its id is in `x-request-id`
  ordersys trace 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b -o json | jq '.roots[].steps[] | select(.repeated)'")]
pub(super) struct Args {
    /// The id of a request or of an order
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let project = globals.project()?;
    let client = match globals.client() {
        Ok(client) => Some(client),
        Err(failure) if failure.exit == Exit::NotFound => None,
        Err(failure) => return Err(failure),
    };
    let found = block_on(async {
        let Found { sources, topology } = ordersys_logs::find(&globals.engine.lookup(), &project).await?;
        if sources.is_empty() && client.is_none() {
            return Err(Failure::new(Exit::NotFound, format!("project `{}` has no logs", project.name))
                .hint("start a stack with `ordersys up`"));
        }
        look(&args.id, &Ground { sources, topology, client }).await
    })?;
    if found.roots.is_empty() {
        return Err(unknown(&found));
    }
    globals.printer().data(&found, || found.to_string());
    Ok(())
}

/// Looks until nothing is missing, a few times at most.
async fn look(id: &str, ground: &Ground) -> Outcome<Trace> {
    let mut found = trace(id, ground).await?;
    for _ in 1..LOOKS {
        if found.is_whole() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        found = trace(id, ground).await?;
    }
    Ok(found)
}

fn unknown(found: &Trace) -> Failure {
    let looked = found.looked_at.join(", ");
    let mut what = format!("no request and no order has the id `{}`; looked at: {looked}", found.id);
    for gap in &found.gaps {
        what.push_str("; ");
        what.push_str(gap);
    }
    Failure::new(Exit::NotFound, what).hint(
        "the id of an order is in `ordersys order list`, that of a request in its answer's `x-request-id`; \
         logs are bounded in size, so old lines are gone",
    )
}
