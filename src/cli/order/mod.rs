//! `ordersys order`: place orders and follow them.

use std::str::FromStr;

use ordersys_contract::client::{OrderFilter, Walk};
use ordersys_contract::order::{
    CANCEL, DELIVER, NewLine, NewOrder, Order, OrderEvent, OrderState, PAY, SHIP,
};
use ordersys_contract::{Client, IdempotencyKey, OrderId, Quantity, Timestamp};

use crate::cli::caller::Caller;
use crate::cli::client_failure;
use crate::cli::{Globals, block_on, product, user};
use crate::render::draw::words::age;
use crate::render::{Printer, Table};
use ordersys_command::{Outcome, printable};

mod refusal;

use crate::cli::order::refusal::{failed, refused};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys order place --user alice@example.com --item \"USB-C Hub=2\" --item \"27\\\" Monitor=1\"
  ordersys order list --user alice@example.com --status confirmed -o json
  ordersys order get 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b
  ordersys order cancel 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b
  ordersys user login bob@example.com && ordersys order place --item \"USB-C Hub=1\"")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Place an order
    Place {
        /// Who orders: an id or an e-mail address [default: who is logged in]
        #[arg(long, value_name = "ID|EMAIL")]
        user: Option<String>,
        /// What: an id or a name, and how many; may be repeated
        #[arg(long = "item", value_name = "PRODUCT=QTY", required = true)]
        items: Vec<Item>,
        /// Makes repeating the command safe: the same key never makes a second order [default: random]
        #[arg(long, value_parser = parse_key)]
        key: Option<IdempotencyKey>,
    },
    /// Show one order
    Get {
        /// The order's id
        order: OrderId,
    },
    /// List orders, newest first
    List {
        /// Only this user's: an id or an e-mail address [default: who is logged in, else all users']
        #[arg(long, value_name = "ID|EMAIL")]
        user: Option<String>,
        /// Only orders in this state, e.g. confirmed
        #[arg(long, value_parser = parse_state, value_name = "STATE")]
        status: Option<OrderState>,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Cancel an order and give its stock back
    Cancel {
        /// The order's id
        order: OrderId,
    },
    /// Mark an order as paid
    Pay {
        /// The order's id
        order: OrderId,
    },
    /// Mark an order as shipped
    Ship {
        /// The order's id
        order: OrderId,
    },
    /// Mark an order as delivered
    Deliver {
        /// The order's id
        order: OrderId,
    },
    /// Show the history of an order
    Events {
        /// The order's id
        order: OrderId,
    },
}

#[derive(Debug, Clone)]
struct Item {
    product: String,
    quantity: Quantity,
}

impl FromStr for Item {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (product, quantity) = text.rsplit_once('=').ok_or("write PRODUCT=QTY, e.g. \"USB-C Hub=2\"")?;
        let units = quantity.trim().parse().ok().and_then(Quantity::new);
        let quantity =
            units.ok_or(format!("`{quantity}` is not a whole number from 1 to {}", Quantity::MAX))?;
        match product.trim() {
            "" => Err("the product is missing before `=`".to_owned()),
            product => Ok(Self { product: product.to_owned(), quantity }),
        }
    }
}

fn parse_key(text: &str) -> Result<IdempotencyKey, String> {
    IdempotencyKey::parse(text).ok_or_else(|| "a key has 1 to 128 visible ASCII characters".to_owned())
}

fn parse_state(text: &str) -> Result<OrderState, String> {
    let known = || OrderState::ALL.map(OrderState::as_str).join(", ");
    OrderState::parse(text).ok_or_else(|| format!("the states are {}", known()))
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let caller = match &args.command {
        Command::Pay { .. } | Command::Ship { .. } | Command::Deliver { .. } => globals.admin()?,
        Command::Place { .. }
        | Command::Get { .. }
        | Command::List { .. }
        | Command::Cancel { .. }
        | Command::Events { .. } => globals.caller()?,
    };
    let done = block_on(carry_out(args.command, &caller, &globals.printer()));
    done.map_err(|failure| caller.explain(failure))
}

async fn carry_out(command: Command, caller: &Caller, printer: &Printer) -> Outcome {
    let client = &caller.client;
    let order = match command {
        Command::Place { user, items, key } => {
            return place(caller, printer, user.as_deref(), &items, key).await;
        }
        Command::List { user, status, limit } => {
            return list(caller, printer, user.as_deref(), status, limit).await;
        }
        Command::Events { order } => {
            let events = client.events(order).await.map_err(|error| failed(error, order))?;
            printer.data(&events, || event_table(&events));
            return Ok(());
        }
        Command::Get { order } => client.order(order).await.map_err(|error| failed(error, order)),
        Command::Cancel { order } => step(client, order, CANCEL).await,
        Command::Pay { order } => step(client, order, PAY).await,
        Command::Ship { order } => step(client, order, SHIP).await,
        Command::Deliver { order } => step(client, order, DELIVER).await,
    }?;
    printer.data(&order, || details(&order));
    Ok(())
}

async fn step(client: &Client, order: OrderId, path: &str) -> Outcome<Order> {
    client.step(order, path).await.map_err(|error| failed(error, order))
}

async fn place(
    caller: &Caller,
    printer: &Printer,
    user: Option<&str>,
    items: &[Item],
    key: Option<IdempotencyKey>,
) -> Outcome {
    let client = &caller.client;
    let user_id = user::find(caller, user).await?;
    let mut lines = Vec::with_capacity(items.len());
    for item in items {
        let product_id = product::find(client, &item.product).await?;
        lines.push(NewLine { product_id: product_id.to_string(), quantity: item.quantity });
    }
    let key = key.or_else(|| IdempotencyKey::parse(&OrderId::random().to_string()));
    let new = NewOrder { user_id: user_id.to_string(), items: lines };
    let named = |id: &str| {
        let line = new.items.iter().position(|line| line.product_id == id);
        line.map_or(id, |line| items[line].product.as_str()).to_owned()
    };
    let placed = client.place(&new, key.as_ref()).await;
    let placed = placed.map_err(|error| refused(error, key.as_ref(), named))?;
    printer.data(&placed.order, || details(&placed.order));
    if placed.replayed {
        printer.say("an earlier command with this key had placed the order already");
    }
    if placed.order.status.needs_driver() {
        printer.say("the order is stored, its outcome is not known yet");
    }
    printer.next(&format!("ordersys order events {}", placed.order.id));
    Ok(())
}

async fn list(
    caller: &Caller,
    printer: &Printer,
    user: Option<&str>,
    status: Option<OrderState>,
    limit: usize,
) -> Outcome {
    let client = &caller.client;
    let user = match user {
        Some(user) => Some(user::find(caller, Some(user)).await?),
        None => caller.own_id(None),
    };
    // One more than is shown tells whether there are more.
    let page_size = u32::try_from(limit.saturating_add(1).clamp(1, 1000)).unwrap_or(1000);
    let filter = OrderFilter { user, status, limit: Some(page_size) };
    let (mut walk, mut orders) = (Walk::default(), Vec::new());
    let mut page = client.orders(&filter).await.map_err(client_failure)?;
    loop {
        let next = walk.after(page.items.len(), page.next).map_err(client_failure)?;
        orders.append(&mut page.items);
        let Some(next) = next.filter(|_| orders.len() <= limit) else { break };
        page = client.more_orders(&next).await.map_err(client_failure)?;
    }
    let goes_on = orders.len() > limit;
    orders.truncate(limit);
    printer.data(&orders, || order_table(&orders));
    if goes_on {
        printer.goes_on(&format!("{limit} newest"), "--limit N");
    }
    Ok(())
}

fn order_table(orders: &[Order]) -> String {
    let table = Table::new(["ID", "USER", "STATUS", "LINES", "TOTAL", "CREATED"]);
    let mut table = table.right(&[3, 4]).names(&[1]).least(&[3, 5, 1]);
    let now = Timestamp::now();
    for order in orders {
        table.row([
            order.id.to_string(),
            order.user_name.clone(),
            order.status.as_str().to_owned(),
            order.items.len().to_string(),
            format!("{} {}", order.total, order.currency),
            age(order.created_at, now),
        ]);
    }
    table.to_string()
}

fn details(order: &Order) -> String {
    let mut table = Table::new(["PRODUCT", "QUANTITY", "UNIT PRICE", "LINE TOTAL"])
        .right(&[1, 2, 3])
        .names(&[0])
        .least(&[2]);
    for item in &order.items {
        let amount =
            |amount: Option<ordersys_contract::Money>| amount.map(|a| a.to_string()).unwrap_or_default();
        table.row([
            item.name.clone().unwrap_or_else(|| item.product_id.to_string()),
            item.quantity.to_string(),
            amount(item.unit_price),
            amount(item.line_total),
        ]);
    }
    let Order { id, status, user_name, total, currency, .. } = order;
    let user_name = printable(user_name);
    format!("order {id}: {} for {user_name}, total {total} {currency}\n{table}", status.as_str())
}

fn event_table(events: &[OrderEvent]) -> String {
    let mut table = Table::new(["SEQ", "STATUS", "AT", "REQUEST"]).right(&[0]);
    for event in events {
        let OrderEvent { seq, status, at, request_id, .. } = event;
        table.row([seq.to_string(), status.as_str().to_owned(), at.to_string(), request_id.to_string()]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_product_and_quantity() {
        let item: Item = "27\" Monitor=3".parse().expect("parses");
        assert_eq!((item.product.as_str(), item.quantity.get()), ("27\" Monitor", 3));
        for wrong in ["Hub", "Hub=", "Hub=0", "Hub=-1", "Hub=1.5", "=2", "Hub=10001"] {
            assert!(wrong.parse::<Item>().is_err(), "{wrong}");
        }
    }
}
