//! One request or order through all services, from what they leave behind: log lines and the order's
//! history. Nothing is recorded for this, and nothing outside is asked.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use ordersys_contract::{Client, Code, OrderId};

use crate::{Filter, Shown, Source, Until};
use ordersys_contract::Role;
use ordersys_stack::model::record::Topology;

mod fact;
mod text;
mod tree;

pub use crate::trace::tree::{Kind, Root, Step, Trace};

use crate::trace::fact::Fact;

/// Lines that are taken into a tree.
const MAX_LINES: usize = 2000;
/// Orders that are told of one request id.
const MAX_ORDERS: usize = 16;

/// Where traces are looked for.
#[derive(Debug)]
pub struct Ground {
    /// The services' logs.
    pub sources: Vec<Source>,
    /// How the stack is spread, if one is up.
    pub topology: Option<Topology>,
    /// Reads the histories of orders, if there is an order service to ask.
    pub client: Option<Client>,
}

/// What was seen so far, and what could not be.
#[derive(Debug, Default)]
struct Seen {
    facts: Vec<Fact>,
    gaps: Vec<String>,
}

/// Puts together all that is known of a request id or order id. Without roots if nothing is.
pub async fn trace(id: &str, ground: &Ground) -> anyhow::Result<Trace> {
    let mut seen = Seen { facts: Vec::new(), gaps: missing_logs(ground) };
    let named = read(ground, BTreeSet::from([id.to_owned()])).await?;
    let orders = orders_of(id, &named.facts);
    histories(ground, &orders, &mut seen).await;
    let requests = named.facts.iter().chain(&seen.facts).filter_map(|fact| fact.request.clone());
    let about: BTreeSet<String> =
        requests.chain(orders.iter().map(OrderId::to_string)).chain([id.to_owned()]).collect();
    let lines = read(ground, about).await?;
    seen.facts.extend(lines.facts);
    seen.gaps.extend(lines.gaps);
    Ok(tree::build(id, seen.facts, seen.gaps, looked_at(ground)))
}

/// The orders that an id may stand for.
fn orders_of(id: &str, facts: &[Fact]) -> Vec<OrderId> {
    let named = facts.iter().filter_map(|fact| fact.order.as_deref());
    let orders: BTreeSet<OrderId> = named.chain([id]).filter_map(|text| text.parse().ok()).collect();
    orders.into_iter().take(MAX_ORDERS).collect()
}

fn looked_at(ground: &Ground) -> Vec<String> {
    let logs = ground.sources.iter().map(|source| format!("log of {}", source.name()));
    logs.chain(ground.client.is_some().then(|| "history of orders".to_owned())).collect()
}

/// The services whose log is not there.
fn missing_logs(ground: &Ground) -> Vec<String> {
    let has = |name| ground.sources.iter().any(|source| source.name() == name);
    if ground.topology == Some(Topology::Monolith) || has("all") {
        return Vec::new();
    }
    let missing = Role::ALL.iter().filter(|role| !has(role.name()));
    missing.map(|role| format!("the log of the {role} service is not there")).collect()
}

/// Every line about one of these requests or orders.
async fn read(ground: &Ground, about: BTreeSet<String>) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    let filter = Filter { about, ..Filter::default() };
    let take = |shown: Shown<'_>| {
        let Shown::Line(entry) = shown else { return ControlFlow::Continue(()) };
        if seen.facts.len() == MAX_LINES {
            seen.gaps.push(format!("there are more than {MAX_LINES} lines: later ones are left out"));
            return ControlFlow::Break(());
        }
        seen.facts.extend(Fact::of_line(entry));
        ControlFlow::Continue(())
    };
    crate::stream(ground.sources.clone(), filter, Until::Now, None, take).await?;
    Ok(seen)
}

/// The steps of the orders, as the order service stored them.
async fn histories(ground: &Ground, orders: &[OrderId], seen: &mut Seen) {
    let Some(client) = &ground.client else {
        seen.gaps.push("no stack is up: histories of orders cannot be read".to_owned());
        return;
    };
    for order in orders {
        match client.events(*order).await {
            Ok(events) => seen.facts.extend(events.iter().filter_map(Fact::of_event)),
            Err(error) if error.problem().is_some_and(|problem| problem.code == Code::NotFound) => {}
            Err(error) => {
                seen.gaps.push(format!("the history of order {order} cannot be read: {error}"));
                return;
            }
        }
    }
}
