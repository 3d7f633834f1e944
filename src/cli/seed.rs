//! `ordersys seed`: repeatable test data.

use crate::cli::client_failure;
use crate::cli::{Globals, block_on};
use crate::seed;
use crate::seed::{Made, Plan};
use ordersys_command::{Exit, Failure, Outcome, Signals};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys seed
  ordersys seed --users 1000 --products 200 --stock 5000 --seed 7
  ordersys seed --users 1 --products 1 -o json")]
pub(super) struct Args {
    /// Users to create
    #[arg(long, default_value_t = 100)]
    users: u32,
    /// Products to create
    #[arg(long, default_value_t = 20)]
    products: u32,
    /// Units of each product
    #[arg(long, default_value_t = 1000)]
    stock: u64,
    /// Chooses names and prices
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(globals: &Globals, args: &Args) -> Outcome {
    let (client, printer) = (globals.client()?, globals.printer());
    let Args { users, products, stock, seed } = *args;
    let progress = printer.progress(Some(u64::from(users) + u64::from(products)), "seeding");
    let (plan, made) = (Plan { users, products, stock, seed }, Made::default());
    let partly = |failure: Failure| {
        let error = failure.error.context(made.of(&plan));
        Failure { error, ..failure }
    };
    let seeded = block_on(async {
        let mut signals = Signals::listen()?;
        tokio::select! {
            seeded = seed::run(&client, &plan, &progress, &made) => {
                seeded.map_err(|error| partly(client_failure(error)))
            }
            () = signals.next() => Err(Failure::new(Exit::Interrupted, format!("interrupted: {}", made.of(&plan)))),
        }
    });
    progress.finish();
    let seeded = seeded?;
    printer.data(&seeded, || {
        format!("created {users} users and {products} products of {stock} units each (seed {seed})")
    });
    if let Some(user) = seeded.users.first() {
        printer.next(&format!("ordersys order place --user {} --item \"USB-C Hub=1\"", user.id));
    }
    Ok(())
}
