//! `ordersys doctor`: whether this machine can run a stack, and what to do if not.

use serde::Serialize;

use crate::cli::store::StoreArgs;
use crate::cli::{Globals, block_on};
use crate::doctor::{Check, Verdict, examine};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_contract::settings::Store;
use ordersys_report::Table;
use ordersys_stack::model::record::StackRecord;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys doctor
  ordersys doctor --store postgres://shop@db1,db2/shop --store-password-file ./password
  ordersys doctor -o json | jq '.checks[] | select(.verdict != \"ok\")'

Exits with 3 if a stack can run in no runtime, else with 0.")]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArgs,
}

/// The findings; stable, scripts read it.
#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    checks: Vec<Check>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let (project, printer) = (globals.unchecked_project()?, globals.printer());
    let named = match args.store.store()? {
        Store::Sqlite => None,
        Store::Postgres(address) => Some((address, args.store.password()?)),
    };
    let checks = block_on(async { Ok(examine(&globals.engine.lookup(), &project, named).await) })?;
    let pasted = globals.pasted();
    let advised = |check: Check| Check { advice: check.advice.map(|advice| pasted.text(&advice)), ..check };
    let report = Report { version: 1, checks: checks.into_iter().map(advised).collect() };
    printer.data(&report, || table(&report.checks));
    let failed: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .map(|check| check.name.as_str())
        .collect();
    if failed.is_empty() {
        let is_up = StackRecord::load(&project).is_ok_and(|record| record.is_some());
        printer.next(if is_up { "ordersys status" } else { "ordersys up" });
        return Ok(());
    }
    Err(Failure::new(Exit::Environment, format!("no stack can run here: {}", failed.join(", ")))
        .hint("do what is said of each"))
}

fn table(checks: &[Check]) -> String {
    let mut table = Table::new(["CHECK", "VERDICT", "FOUND", "WHAT TO DO"]).states(&[1]).prose(&[2, 3]);
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        let advice = check.advice.clone().unwrap_or_default();
        table.row([check.name.clone(), verdict.to_owned(), check.found.clone(), advice]);
    }
    table.to_string()
}
