//! `ordersys product`: catalog and stock.

use ordersys_contract::client::ProductFilter;
use ordersys_contract::product::{MAX_STOCK, NewProduct, Product};
use ordersys_contract::{Client, Currency, Money};

use crate::cli::listing::{ListFlags, Listed, read, whole};
use crate::cli::meant::quoted;
use crate::cli::{Globals, block_on, client_failure};
use crate::render::Printer;
use ordersys_command::Outcome;
use ordersys_report::Table;
use ordersys_stack::model::project::Project;

mod find;

use find::find;
pub(super) use find::{find_id, names};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys product list
  ordersys product list --search hub -o json
  ordersys product get \"USB-C Hub\"
  ordersys product create --name Webcam --price 79.90 --stock 25
  ordersys product restock Webcam 100")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List products, without the test data that runs and seeds made
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  ordersys product list
  ordersys product list --search Hub -o json | jq -r '.products[].id'
  ordersys product list --test"
    )]
    List(ListArgs),
    /// Show one product
    #[command(after_help = "Examples:
  ordersys product get \"USB-C Hub\"")]
    Get {
        /// The product: its name, its id, or 4 or more characters that its id begins or ends with
        product: String,
    },
    /// Create a product
    #[command(after_help = "Examples:
  ordersys product create --name Webcam --price 59.00 --stock 25")]
    Create {
        /// What to call it
        #[arg(long)]
        name: String,
        /// The price of one unit, e.g. 79.90
        // A negative one is refused by its own reader, which says why.
        #[arg(long, allow_negative_numbers = true)]
        price: Money,
        /// Units to start with
        #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = whole::<0, MAX_STOCK>)]
        stock: u64,
        /// The currency of the price
        #[arg(long, default_value_t = Currency::USD)]
        currency: Currency,
    },
    /// Add units of a product
    #[command(after_help = "Examples:
  ordersys product restock \"USB-C Hub\" 100")]
    Restock {
        /// The product: its name, its id, or 4 or more characters that its id begins or ends with
        product: String,
        /// Units to add
        #[arg(allow_negative_numbers = true, value_parser = whole::<1, MAX_STOCK>)]
        quantity: u64,
    },
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only products with this text in their name
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    flags: ListFlags,
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let (client, printer) = (globals.client()?, globals.printer());
    let project = globals.project()?;
    let product = block_on(async {
        match args.command {
            Command::List(args) => {
                list(&client, &args).await?.print(&printer, table, &again(&project, &args));
                Ok(None)
            }
            Command::Get { product } => find(&client, &project, &product).await.map(Some),
            Command::Create { name, price, stock, currency } => {
                let new = NewProduct { name, price, stock, currency, test: false };
                create(&client, &printer, &new).await.map(Some)
            }
            Command::Restock { product, quantity } => {
                let product = find(&client, &project, &product).await?;
                client.restock(product.id, quantity).await.map(Some).map_err(client_failure)
            }
        }
    })?;
    if let Some(product) = product {
        printer.data(&product, || table(std::slice::from_ref(&product)));
    }
    Ok(())
}

/// The command that lists the same anew, but for the page.
fn again(project: &Project, args: &ListArgs) -> String {
    let search = args.search.as_deref().map(|text| format!(" --search {}", quoted(text)));
    project.command(&format!("product list{}{}", search.unwrap_or_default(), args.flags.words()))
}

async fn list(client: &Client, args: &ListArgs) -> Outcome<Listed<Product>> {
    let (part, test) = (args.flags.part(), args.flags.shown());
    let filter = ProductFilter { text: args.search.as_deref(), test, limit: part.call_limit() };
    let first = client.products(&filter).await;
    read("products", part, first, async |next: &str| client.more_products(next).await).await
}

/// Creates a product. A second one of the same name is allowed, and is said.
async fn create(client: &Client, printer: &Printer, new: &NewProduct) -> Outcome<Product> {
    let made = client.create_product(new).await.map_err(client_failure)?;
    let same = find::named(client, &made.name).await.unwrap_or_default();
    for other in same.iter().filter(|other| other.id != made.id && !other.test) {
        let Product { id, name, price, currency, .. } = other;
        printer.say(format!("note: another product is named \"{name}\" too: {id}, {price} {currency}"));
    }
    Ok(made)
}

fn table(products: &[Product]) -> String {
    let mut table = Table::new(["ID", "NAME", "PRICE", "STOCK"]).right(&[2, 3]).names(&[1]);
    for Product { id, name, price, currency, stock, .. } in products {
        table.row([id.to_string(), name.clone(), format!("{price} {currency}"), stock.to_string()]);
    }
    table.to_string()
}
