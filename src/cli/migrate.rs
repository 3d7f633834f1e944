//! `ordersys migrate`: the tables of the services, without the services.

use ordersys_command::{Exit, Failure, Outcome};
use ordersys_contract::settings::Store;
use ordersys_store::OpenError;
use ordersys_store::postgres::Migrated;
use serde::Serialize;

use crate::cli::listing::object;
use crate::cli::store::StoreArgs;
use crate::cli::{Globals, block_on};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys migrate --store postgres://owner@db1,db2/shop --store-password-file ./password

Services do this themselves when they start. Done beforehand by the role that owns the
database, it leaves the services' own role without a need for the right to make tables.")]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArgs,
}

/// Stable, scripts read it.
#[derive(Debug, Serialize)]
struct Row {
    schema: &'static str,
    from: usize,
    to: usize,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let Store::Postgres(address) = args.store.store()? else {
        return Err(Failure::new(Exit::Usage, "there is nothing to migrate beforehand in SQLite")
            .hint("name a database with --store; services migrate their own files when they start"));
    };
    let password = args.store.password()?;
    let rows = block_on(async {
        let done = [
            ordersys_user::migrate(address.clone(), password.clone()).await,
            ordersys_product::migrate(address.clone(), password.clone()).await,
            ordersys_order::migrate(address.clone(), password).await,
        ];
        done.into_iter().map(row).collect::<Outcome<Vec<_>>>()
    })?;
    globals
        .printer()
        .data(&object("schemas", &rows), || rows.iter().map(told).collect::<Vec<_>>().join("\n"));
    Ok(())
}

fn row(done: Result<Migrated, OpenError>) -> Outcome<Row> {
    match done {
        Ok(Migrated { schema, from, to }) => Ok(Row { schema, from, to }),
        Err(error) => {
            let hint = error.hint();
            Err(Failure { exit: Exit::Environment, error: error.into(), hint })
        }
    }
}

fn told(Row { schema, from, to }: &Row) -> String {
    match from {
        0 => format!("{schema}: made, version {to}"),
        from if from < to => format!("{schema}: version {from} -> {to}"),
        from => format!("{schema}: version {from}, nothing to do"),
    }
}
