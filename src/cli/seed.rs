//! `ordersys seed`: repeatable test data.

use std::cell::Cell;

use tokio_util::sync::CancellationToken;

use crate::cli::listing::whole;
use crate::cli::{Globals, block_on, client_failure};
use crate::seed;
use crate::seed::{Plan, Seeded};
use ordersys_command::{Exit, Failure, Outcome, Signals, counted};
use ordersys_contract::ClientError;
use ordersys_contract::product::MAX_STOCK;

/// Most users or products that one command makes.
const MAX_MADE: u64 = 10_000_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys seed
  ordersys seed --users 1000 --products 200 --stock 5000 --seed 7
  ordersys seed --users 1 --products 1 -o json
  ordersys product list --test                what was made: lists leave it out unless asked
  ordersys bench cleanup --older-than 0s      removes it, as far as orders allow")]
pub(super) struct Args {
    /// Users to create
    #[arg(long, default_value_t = 100, allow_negative_numbers = true, value_parser = whole::<0, MAX_MADE>)]
    users: u64,
    /// Products to create
    #[arg(long, default_value_t = 20, allow_negative_numbers = true, value_parser = whole::<0, MAX_MADE>)]
    products: u64,
    /// Units of each product
    #[arg(long, default_value_t = 1000, allow_negative_numbers = true, value_parser = whole::<0, MAX_STOCK>)]
    stock: u64,
    /// Chooses names and prices
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    let (client, printer, project) = (globals.client()?, globals.printer(), globals.project()?);
    let Args { users, products, stock, seed } = *args;
    let all = users + products;
    let (progress, made) = (printer.progress(Some(all), "seeding"), Cell::new(0_u64));
    let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
    let plan = Plan { users: number(users), products: number(products), stock, seed };
    let seeded = block_on(async {
        let stop = CancellationToken::new();
        let count = || {
            made.set(made.get() + 1);
            progress.add(1);
        };
        stoppable(seed::run(&client, &plan, &stop, count), &stop).await
    });
    progress.finish();
    let seeded = seeded.map_err(|failure| {
        if made.get() > 0 {
            printer.say(format!("created {} of {all} users and products", made.get()));
        }
        let remove = project.command("bench cleanup --older-than 0s");
        if failure.exit == Exit::Interrupted {
            failure.hint(format!("remove what was made: `{remove}`"))
        } else {
            failure
        }
    })?;
    printer.data(&seeded, || {
        let (users, products) = (counted(users, "user"), counted(products, "product"));
        format!("created {users} and {products} of {} each (seed {seed})", counted(stock, "unit"))
    });
    if let Some(user) = seeded.users.first() {
        printer.next(&project.command(&format!("order place --user {} --item \"USB-C Hub\"", user.id)));
    }
    Ok(())
}

/// Seeds to the end. The first signal lets what is under way finish, a second one does not wait for that.
async fn stoppable(
    seeding: impl Future<Output = Result<Seeded, ClientError>>,
    stop: &CancellationToken,
) -> Outcome<Seeded> {
    let mut signals = Signals::listen().map_err(|error| Failure::new(Exit::Failed, error))?;
    let twice = async {
        signals.next().await;
        stop.cancel();
        signals.next().await;
    };
    let seeded = tokio::select! {
        seeded = seeding => seeded.map_err(client_failure)?,
        () = twice => return Err(Failure::new(Exit::Interrupted, "interrupted")),
    };
    if stop.is_cancelled() { Err(Failure::new(Exit::Interrupted, "interrupted")) } else { Ok(seeded) }
}
