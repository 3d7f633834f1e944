//! Orders and their histories as people read them: products by their names, and why an order was refused.

use std::collections::HashMap;

use ordersys_contract::order::{Order, OrderEvent, OrderRejection, Short};
use ordersys_contract::{Client, Code, Money, ProductId, Timestamp};

use crate::cli::meant::quoted;
use crate::cli::product;
use ordersys_command::printable;
use ordersys_report::Table;
use ordersys_report::draw::words::age;
use ordersys_stack::model::project::Project;

/// What products are called.
pub(super) struct Names(HashMap<ProductId, String>);

impl Names {
    /// Those that orders and their refusals do not name.
    pub(super) async fn of(client: &Client, orders: &[Order], events: &[OrderEvent]) -> Self {
        let nameless = orders.iter().flat_map(|order| &order.items).filter(|line| line.name.is_none());
        let rejections = orders.iter().filter_map(|order| order.rejection.as_ref());
        let rejections = rejections.chain(events.iter().filter_map(|event| event.rejection.as_ref()));
        let short = rejections.flat_map(|rejection| &rejection.shortages).map(|short| short.product_id);
        let ids: Vec<_> = nameless.map(|line| line.product_id).chain(short).collect();
        Self(product::names(client, ids).await)
    }

    /// Writes the names into a refusal.
    pub(super) fn fill(&self, rejection: Option<&mut Box<OrderRejection>>) {
        for short in rejection.into_iter().flat_map(|rejection| &mut rejection.shortages) {
            short.name = self.0.get(&short.product_id).cloned();
        }
    }

    fn of_line(&self, name: Option<&String>, id: ProductId) -> String {
        name.or_else(|| self.0.get(&id)).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// Why an order was refused, in one line: `insufficient-stock: "USB-C Hub", 300 asked, 197 there`.
pub(super) fn reason(rejection: &OrderRejection) -> String {
    let what = match rejection.code {
        Code::UnknownProduct => {
            rejection.products.iter().map(ProductId::to_string).collect::<Vec<_>>().join(", ")
        }
        Code::OrderExpired => "it was not reserved in time; nothing is held".to_owned(),
        Code::OrderAborted => "it was given up; nothing is held".to_owned(),
        _ if rejection.shortages.is_empty() => rejection.code.title().to_owned(),
        _ => rejection.shortages.iter().map(shortage).collect::<Vec<_>>().join("; "),
    };
    format!("{}: {what}", rejection.code.as_str())
}

/// What was short of one product.
pub(super) fn shortage(Short { product_id, name, requested, available }: &Short) -> String {
    let name =
        name.as_ref().map_or_else(|| product_id.to_string(), |name| format!("\"{}\"", printable(name)));
    format!("{name}, {requested} asked, {available} there")
}

/// The commands that add what was short.
pub(super) fn restock(project: &Project, shortages: &[Short]) -> Option<String> {
    let command = |short: &Short| {
        let name = short.name.as_deref().map_or_else(|| short.product_id.to_string(), quoted);
        let missing = short.requested.saturating_sub(short.available);
        project.command(&format!("product restock {name} {missing}"))
    };
    let commands: Vec<_> = shortages.iter().map(command).collect();
    (!commands.is_empty()).then(|| commands.join(" && "))
}

/// Orders in a table, and below it why those were refused that were.
pub(super) fn table(orders: &[Order]) -> String {
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
    let why = |order: &Order| Some(format!("{}: {}", order.id, reason(order.rejection.as_ref()?)));
    let whys: Vec<_> = orders.iter().filter_map(why).collect();
    if whys.is_empty() { table.to_string() } else { format!("{table}\n\n{}", whys.join("\n")) }
}

/// One order with its lines.
pub(super) fn details(order: &Order, names: &Names) -> String {
    let mut table = Table::new(["PRODUCT", "QUANTITY", "UNIT PRICE", "LINE TOTAL"])
        .right(&[1, 2, 3])
        .names(&[0])
        .least(&[2]);
    for item in &order.items {
        let amount = |amount: Option<Money>| amount.map(|a| a.to_string()).unwrap_or_default();
        table.row([
            names.of_line(item.name.as_ref(), item.product_id),
            item.quantity.to_string(),
            amount(item.unit_price),
            amount(item.line_total),
        ]);
    }
    let Order { id, status, user_name, total, currency, rejection, .. } = order;
    let (status, user_name) = (status.as_str(), printable(user_name));
    let why = rejection.as_ref().map_or_else(String::new, |why| format!("\nreason: {}", reason(why)));
    format!("order {id}: {status} for {user_name}, total {total} {currency}{why}\n{table}")
}

/// The history of an order, and below it why it was refused.
pub(super) fn history(events: &[OrderEvent]) -> String {
    let mut table = Table::new(["SEQ", "STATUS", "AT", "REQUEST"]).right(&[0]);
    let mut why = String::new();
    for OrderEvent { seq, status, at, request_id, rejection, .. } in events {
        table.row([seq.to_string(), status.as_str().to_owned(), at.to_string(), request_id.to_string()]);
        if let Some(rejection) = rejection {
            why = format!("\n\nreason: {}", reason(rejection));
        }
    }
    format!("{table}{why}")
}
