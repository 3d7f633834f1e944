//! `ordersys product`: catalog and stock.

use ordersys_contract::client::Walk;
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::{Client, Currency, Money, ProductId};

use crate::cli::client_failure;
use crate::cli::{Globals, block_on};
use crate::render::Table;
use ordersys_command::{Exit, Failure, Outcome};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys product list
  ordersys product get \"USB-C Hub\"
  ordersys product create --name Webcam --price 79.90 --stock 25
  ordersys product restock Webcam 100")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List products
    List {
        /// Only products with this text in their name
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show one product
    Get {
        /// The product's id or name
        product: String,
    },
    /// Create a product
    Create {
        /// What to call it
        #[arg(long)]
        name: String,
        /// The price of one unit, e.g. 79.90
        // A negative one is refused by its own reader, which says why.
        #[arg(long, allow_negative_numbers = true)]
        price: Money,
        /// Units to start with
        #[arg(long, default_value_t = 0)]
        stock: u64,
        /// The currency of the price
        #[arg(long, default_value_t = Currency::USD)]
        currency: Currency,
    },
    /// Add units of a product
    Restock {
        /// The product's id or name
        product: String,
        /// Units to add
        quantity: u64,
    },
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let (client, printer) = (globals.client()?, globals.printer());
    block_on(async {
        let product = match args.command {
            Command::List { search } => {
                let products = all(&client, search.as_deref()).await?;
                printer.data(&products, || table(&products));
                return Ok(());
            }
            Command::Get { product } => {
                let id = find(&client, &product).await?;
                client.product(id).await
            }
            Command::Create { name, price, stock, currency } => {
                client.create_product(&NewProduct { name, price, stock, currency }).await
            }
            Command::Restock { product, quantity } => {
                let id = find(&client, &product).await?;
                client.restock(id, quantity).await
            }
        };
        let product = product.map_err(client_failure)?;
        printer.data(&product, || table(std::slice::from_ref(&product)));
        Ok(())
    })
}

fn table(products: &[Product]) -> String {
    let mut table = Table::new(["ID", "NAME", "PRICE", "STOCK"]).right(&[2, 3]).names(&[1]);
    for Product { id, name, price, currency, stock, .. } in products {
        table.row([id.to_string(), name.clone(), format!("{price} {currency}"), stock.to_string()]);
    }
    table.to_string()
}

/// Most products that are held at once.
const MAX_LISTED: usize = 1_000_000;

/// Every product, all pages.
pub(super) async fn all(client: &Client, search: Option<&str>) -> Outcome<Vec<Product>> {
    let (mut walk, mut products) = (Walk::default(), Vec::new());
    let mut page = client.products(search, None).await.map_err(client_failure)?;
    loop {
        let next = walk.after(page.items.len(), page.next).map_err(client_failure)?;
        products.append(&mut page.items);
        if products.len() > MAX_LISTED {
            let what = format!("there are more than {MAX_LISTED} products, too many to list at once");
            return Err(Failure::new(Exit::Failed, what).hint("narrow it with --search TEXT"));
        }
        let Some(next) = next else { return Ok(products) };
        page = client.more_products(&next).await.map_err(client_failure)?;
    }
}

/// The product with this id or name, in either case. Two of one name are not guessed between.
pub(super) async fn find(client: &Client, product: &str) -> Outcome<ProductId> {
    if let Ok(id) = product.parse() {
        return Ok(id);
    }
    let found = all(client, Some(product)).await?;
    let wanted = product.to_lowercase();
    let same: Vec<_> = found.iter().filter(|found| found.name.to_lowercase() == wanted).collect();
    match same.as_slice() {
        [product] => Ok(product.id),
        [] => {
            let mut similar: Vec<_> = found.iter().map(|found| format!("\"{}\"", found.name)).collect();
            similar.truncate(5);
            let hint = if similar.is_empty() {
                "`ordersys product list` shows all products".to_owned()
            } else {
                format!("similar names: {}", similar.join(", "))
            };
            Err(Failure::new(Exit::NotFound, format!("there is no product named \"{product}\"")).hint(hint))
        }
        several => {
            let ids: Vec<_> = several.iter().map(|product| product.id.to_string()).collect();
            let what = format!("{} products are named \"{product}\"", several.len());
            Err(Failure::new(Exit::Usage, what).hint(format!("name one by its id: {}", ids.join(", "))))
        }
    }
}
