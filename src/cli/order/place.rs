//! `ordersys order place`: what is ordered, and what came of it.

use std::str::FromStr;

use ordersys_contract::order::{NewLine, NewOrder, Short};
use ordersys_contract::{ClientError, IdempotencyKey, OrderId, Quantity};

use crate::cli::caller::Caller;
use crate::cli::order::show::{Names, details, restock, shortage};
use crate::cli::{client_failure, product, user};
use crate::render::Printer;
use ordersys_command::{Failure, Outcome};
use ordersys_stack::model::project::Project;

/// What is ordered, and by whom.
#[derive(Debug, clap::Args)]
pub(super) struct PlaceArgs {
    /// Who orders: an e-mail address, an id or a part of one [default: who is logged in]
    #[arg(long, value_name = "ID|EMAIL")]
    user: Option<String>,
    /// What: a name, an id or a part of one, and how many, one if left out; may be repeated
    #[arg(long = "item", value_name = "PRODUCT[=QTY]", required = true)]
    items: Vec<Item>,
    /// Makes repeating the command safe: the same key never makes a second order [default: random]
    #[arg(long, value_parser = parse_key)]
    key: Option<IdempotencyKey>,
}

#[derive(Debug, Clone)]
struct Item {
    product: String,
    quantity: Quantity,
}

impl FromStr for Item {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (product, quantity) = match text.rsplit_once('=') {
            None => (text, Quantity::ONE),
            Some((product, units)) => {
                let quantity = units.trim().parse().ok().and_then(Quantity::new);
                let wrong = || format!("`{units}` is not a whole number from 1 to {}", Quantity::MAX);
                (product, quantity.ok_or_else(wrong)?)
            }
        };
        match product.trim() {
            "" => {
                Err("the product is missing: write PRODUCT or PRODUCT=QTY, e.g. \"USB-C Hub=2\"".to_owned())
            }
            product => Ok(Self { product: product.to_owned(), quantity }),
        }
    }
}

fn parse_key(text: &str) -> Result<IdempotencyKey, String> {
    IdempotencyKey::parse(text).ok_or_else(|| "a key has 1 to 128 visible ASCII characters".to_owned())
}

pub(super) async fn place(caller: &Caller, project: &Project, printer: &Printer, args: PlaceArgs) -> Outcome {
    let client = &caller.client;
    let user_id = user::find(caller, project, args.user.as_deref()).await?;
    let mut items = Vec::with_capacity(args.items.len());
    for Item { product, quantity } in &args.items {
        let product_id = product::find_id(client, project, product).await?.to_string();
        items.push(NewLine { product_id, quantity: *quantity });
    }
    let key = args.key.or_else(|| IdempotencyKey::parse(&OrderId::random().to_string()));
    let new = NewOrder { user_id: user_id.to_string(), items };
    let placed = match client.place(&new, key.as_ref()).await {
        Ok(placed) => placed,
        Err(error) => return Err(refused(error, caller, project, key.as_ref()).await),
    };
    let names = Names::of(client, std::slice::from_ref(&placed.order), &[]).await;
    printer.data(&placed.order, || details(&placed.order, &names));
    if placed.replayed {
        printer.say("an earlier command with this key had placed the order already");
    }
    if placed.order.status.needs_driver() {
        printer.say("the order is stored, its outcome is not known yet");
    }
    printer.next(&project.command(&format!("order events {}", placed.order.id)));
    Ok(())
}

/// Says what is short, by name, and how to add it; names the key where the outcome is unknown.
async fn refused(
    error: ClientError,
    caller: &Caller,
    project: &Project,
    key: Option<&IdempotencyKey>,
) -> Failure {
    let unknown = error.problem().is_none();
    let shortages = error.problem().and_then(|problem| problem.members.get("shortages").cloned());
    let shortages = shortages.and_then(|shortages| serde_json::from_value::<Vec<Short>>(shortages).ok());
    let failure = client_failure(error);
    match (shortages, key) {
        (Some(mut shortages), _) => {
            let names = product::names(&caller.client, shortages.iter().map(|short| short.product_id)).await;
            for short in &mut shortages {
                short.name = names.get(&short.product_id).cloned();
            }
            let short: Vec<_> = shortages.iter().map(shortage).collect();
            let add = restock(project, &shortages).map_or_else(String::new, |add| format!(", or add some: `{add}`"));
            failure.hint(format!("{}; order less{add}", short.join("; ")))
        }
        (None, Some(key)) if unknown => failure.hint(format!(
            "whether the order was placed is not known: repeat the command with `--key {}`, that never makes a second order",
            key.as_str()
        )),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_product_and_quantity() {
        for (text, product, units) in
            [("27\" Monitor=3", "27\" Monitor", 3), ("USB-C Hub", "USB-C Hub", 1), ("a=b=2", "a=b", 2)]
        {
            let item: Item = text.parse().expect("parses");
            assert_eq!((item.product.as_str(), item.quantity.get()), (product, units));
        }
        for wrong in ["", "Hub=", "Hub=0", "Hub=-1", "Hub=1.5", "=2", "Hub=10001"] {
            assert!(wrong.parse::<Item>().is_err(), "{wrong}");
        }
    }
}
