//! `ordersys check`: do the invariants of a running stack hold?

use std::time::Duration;

use ordersys_contract::{ClientError, Code};

use super::client_failure;
use super::{Exit, Failure, Globals, Outcome, block_on};
use crate::ui::Table;
use crate::verify::check::{Report, check};

/// How long one call may take: the sums of all reservations are one of them.
const CALL_TIMEOUT: Duration = Duration::from_mins(5);

/// Verify the invariants of a running stack; reads only, never repairs
///
/// Works under load too: what looks wrong is read again before it counts. Exit code 7 if an
/// invariant is violated.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys check
  ordersys check -o json | jq -r '.findings[] | select(.result == \"FAIL\") | .id'")]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, globals: &Globals) -> Outcome {
    let (client, printer) = (globals.client()?.with_timeout(CALL_TIMEOUT), globals.printer());
    let progress = printer.progress(None, "checking");
    let checked = block_on(async { check(&client, |text| progress.message(text)).await.map_err(failure) });
    progress.finish();
    let report = checked?;
    printer.data(&report, || table(&report));
    match report.failure() {
        None => {
            printer.say("no invariant is violated");
            Ok(())
        }
        Some(finding) => {
            let what = format!("{} does not hold: {}: {}", finding.id, finding.statement, finding.detail());
            let failure = Failure::new(Exit::InvariantViolated, what);
            Err(failure.hint(
                "`ordersys logs --order ID` and `ordersys order events ID` show what happened to an order",
            ))
        }
    }
}

/// Routes that only the admin sees do not exist for others: say what is missing.
fn failure(error: ClientError) -> Failure {
    let hidden = error.problem().is_some_and(|problem| {
        matches!(problem.code, Code::UnknownRoute | Code::NotFound | Code::Unauthenticated)
    });
    let failure = client_failure(error);
    if hidden {
        return failure.hint("`check` needs services of ordersys and the admin credential of their project: --project, --state-dir");
    }
    failure
}

fn table(report: &Report) -> String {
    let mut table = Table::new(["", "MUST HOLD", "RESULT", "CHECKED", "WITNESS OR REASON"]).right(&[3]);
    for finding in &report.findings {
        let cells = [finding.id, finding.statement, finding.result.word()].map(str::to_owned);
        let [id, statement, result] = cells;
        table.row([id, statement, result, finding.checked.to_string(), finding.detail()]);
    }
    table.to_string()
}
