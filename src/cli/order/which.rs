//! Which order a person means.

use std::str::FromStr;

use ordersys_contract::OrderId;
use ordersys_contract::client::OrderFilter;
use ordersys_contract::order::Order;

use crate::cli::caller::Caller;
use crate::cli::client_failure;
use crate::cli::listing::{Part, read};
use crate::cli::meant::{has_part, is_part};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_stack::model::project::Project;

/// Newest orders that are looked through for a part of an id.
const SEARCHED: u64 = 10_000;

/// An order as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OrderName {
    /// By its id.
    Id(OrderId),
    /// By what its id begins or ends with.
    Part(String),
    /// The newest one of the caller.
    Last,
}

impl FromStr for OrderName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) if text == "last" => Ok(Self::Last),
            Err(_) if is_part(text) => Ok(Self::Part(text.to_lowercase())),
            Err(_) => {
                Err("it takes an order's id, 4 or more characters that it begins or ends with, or `last`")
            }
        }
    }
}

impl OrderName {
    /// The id of the order. Two are not guessed between.
    pub(super) async fn id(&self, caller: &Caller, project: &Project) -> Outcome<OrderId> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::Last => newest(caller, project).await,
            Self::Part(part) => with_part(caller, project, part).await,
        }
    }
}

async fn newest(caller: &Caller, project: &Project) -> Outcome<OrderId> {
    let filter = OrderFilter { user: caller.own_id(None), limit: Some(1), ..OrderFilter::default() };
    let newest = caller.client.orders(&filter).await.map_err(client_failure)?.items;
    newest.first().map(|order| order.id).ok_or_else(|| {
        let place = project.command("order place --help");
        Failure::new(Exit::NotFound, "there is no order yet").hint(format!("how to place one: `{place}`"))
    })
}

async fn with_part(caller: &Caller, project: &Project, part: &str) -> Outcome<OrderId> {
    let client = &caller.client;
    let newest = Part::page(1, Some(SEARCHED));
    let filter =
        OrderFilter { user: caller.own_id(None), limit: newest.call_limit(), ..OrderFilter::default() };
    let first = client.orders(&filter).await;
    let found = read("orders", newest, first, async |next: &str| client.more_orders(next).await).await?;
    let found: Vec<_> = found.items.iter().filter(|order| has_part(&order.id, part)).collect();
    match found.as_slice() {
        [order] => Ok(order.id),
        [] => {
            let what =
                format!("no order among your newest {SEARCHED} has an id that begins or ends with `{part}`");
            let list = project.command("order list");
            Err(Failure::new(Exit::NotFound, what).hint(format!("`{list}` shows the newest orders")))
        }
        several => {
            let what = format!("{} orders have ids that begin or end with `{part}`", several.len());
            let show = |order: &&Order| {
                let Order { id, user_name, status, created_at, .. } = order;
                format!("  {id}  {}, {user_name}, created {created_at}", status.as_str())
            };
            let some: Vec<_> = several.iter().take(20).map(show).collect();
            Err(Failure::new(Exit::Usage, what).hint(format!("write more of it:\n{}", some.join("\n"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_named_by_ids_parts_of_them_and_last() {
        let id = OrderId::now();
        assert_eq!(id.to_string().parse(), Ok(OrderName::Id(id)));
        assert_eq!("last".parse(), Ok(OrderName::Last));
        assert_eq!("BEEF".parse(), Ok(OrderName::Part("beef".to_owned())));
        assert!("abc".parse::<OrderName>().is_err() && "hello".parse::<OrderName>().is_err());
    }
}
