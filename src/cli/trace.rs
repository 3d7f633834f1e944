//! `ordersys trace`: one request or order through all services.

use std::time::{Duration, Instant};

use crate::cli::{Globals, block_on};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_logs::Found;
use ordersys_logs::trace::{Ground, Trace, trace};

/// How long a line may be on its way from a service to its log. What is missing of something older will not come.
pub(super) const ON_ITS_WAY: Duration = Duration::from_secs(2);
/// The pause between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys trace ID              an order: `ordersys order list` shows ids
  ordersys trace my-request-1    a request: its id is in `x-request-id`
  ordersys trace ID -o json | jq '.roots[].steps[] | select(.repeated)'")]
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
                .hint(format!("start a stack with `{}`", project.command("up"))));
        }
        look(&args.id, &Ground { sources, topology, client }).await
    })?;
    if found.roots.is_empty() {
        return Err(unknown(&found));
    }
    globals.printer().data(&found, || found.to_string());
    Ok(())
}

/// Looks until nothing is missing, or nothing more can come.
async fn look(id: &str, ground: &Ground) -> Outcome<Trace> {
    let began = Instant::now();
    loop {
        let found = trace(id, ground).await?;
        let may_grow = found.age(jiff::Timestamp::now()).is_none_or(|age| age < ON_ITS_WAY);
        if found.is_whole() || !may_grow || began.elapsed() >= ON_ITS_WAY {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
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
