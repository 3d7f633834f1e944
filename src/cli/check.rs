//! `ordersys check`: do the invariants of a running stack hold?

use std::time::Duration;

use ordersys_contract::Code;

use crate::cli::client_failure;
use crate::cli::{Globals, block_on};
use ordersys_command::{Exit, Failure, Outcome, printable};
use ordersys_report::Table;
use ordersys_verify::audit::{CheckError, Finding, Report, check};

/// How long one call may take: the sums of all reservations are one of them.
const CALL_TIMEOUT: Duration = Duration::from_mins(5);

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
    printer.data(&report, || text(&report));
    match report.failure() {
        None => {
            printer.say("no invariant is violated");
            Ok(())
        }
        Some(finding) => {
            let what = format!("{} does not hold: {}: {}", finding.id, finding.statement, finding.detail());
            let failure = Failure::new(Exit::InvariantViolated, what);
            Err(failure.hint(
                "`ordersys logs` and `ordersys order list` show what happened; both take the id of an order",
            ))
        }
    }
}

/// A system that could not be looked at is never one in which all is well: which service it was, and why.
fn failure(CheckError { service, source }: CheckError) -> Failure {
    let hint = match source.problem().map(|problem| problem.code) {
        // Routes that only the admin sees do not exist for others: say what is missing.
        Some(Code::UnknownRoute | Code::NotFound | Code::Unauthenticated) => Some(
            "`check` needs services of ordersys and the admin credential of their project: --project, --state-dir".to_owned(),
        ),
        Some(_) => Some(format!("`ordersys logs {}` shows why; `ordersys status` shows what is running", service.name())),
        None => None,
    };
    let Failure { exit, error, hint: usual } = client_failure(source);
    let what = format!("the {} service cannot be read, so nothing was checked to the end", service.name());
    Failure { exit, error: error.context(what), hint: hint.or(usual) }
}

/// A table that fits into 80 columns, and below it what is to be said of single invariants.
fn text(report: &Report) -> String {
    let mut table = Table::new(["", "MUST HOLD", "RESULT", "CHECKED"]).right(&[3]).states(&[2]).prose(&[1]);
    for finding in &report.findings {
        let cells = [finding.id, finding.statement, finding.result.word()].map(str::to_owned);
        let [id, statement, result] = cells;
        table.row([id, statement, result, finding.checked.to_string()]);
    }
    let notes = report.findings.iter().filter_map(note);
    std::iter::once(table.to_string()).chain(notes).collect::<Vec<_>>().join("\n")
}

/// The witness, a line for each part of it, or why it was not checked.
fn note(finding: &Finding) -> Option<String> {
    let Some(witness) = &finding.witness else {
        return Some(format!("\n{} was not checked: {}", finding.id, finding.reason?));
    };
    let mut note = format!("\n{} does not hold: {}", finding.id, finding.statement);
    let mut line = |text: String| {
        note.push_str("\n  ");
        note.push_str(&printable(&text));
    };
    witness.rows().for_each(&mut line);
    line(format!("expected {}", witness.expected));
    line(format!("found    {}", witness.found));
    if witness.cases > 1 || finding.unconfirmed > 0 {
        line(format!("cases    {}, {} more suspected", witness.cases, finding.unconfirmed));
    }
    Some(note)
}
