//! I8 and I9: the history and the amounts of one order, from one row.

use ordersys_contract::Currency;
use ordersys_contract::order::{Order, OrderLine, OrderRecord, OrderState};

use crate::audit::Invariant;
use crate::audit::report::Violation;
use crate::finding::Witness;

/// The published graph, written down a second time on purpose: the service must not vouch for itself.
fn follows(from: OrderState, to: OrderState) -> bool {
    use OrderState::{
        Aborted, Aborting, Cancelled, Cancelling, Confirmed, Delivered, Expired, Paid, Pending, Rejected,
        Shipped,
    };
    match from {
        Pending => matches!(to, Confirmed | Rejected | Expired | Aborting),
        Aborting => matches!(to, Aborted | Confirmed),
        Confirmed => matches!(to, Paid | Cancelling),
        Paid => matches!(to, Shipped | Cancelling),
        Shipped => to == Delivered,
        Cancelling => to == Cancelled,
        Delivered | Rejected | Expired | Aborted | Cancelled => false,
    }
}

pub(crate) fn violation(invariant: Invariant, order: &Order, expected: String, found: String) -> Violation {
    (invariant, Witness { order_id: Some(order.id.to_string()), expected, found, ..Witness::default() })
}

/// I8.
pub(crate) fn history(record: &OrderRecord) -> Option<Violation> {
    let OrderRecord { order, events, .. } = record;
    let wrong = |expected: &str, found: String| {
        Some(violation(Invariant::HistoriesArePaths, order, expected.to_owned(), found))
    };
    let path: Vec<_> = events.iter().map(|event| event.status.as_str()).collect();
    let path = path.join(" -> ");
    if !events.iter().zip(1..).all(|(event, seq)| event.seq == seq && event.order_id == order.id) {
        let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
        return wrong("events of this order numbered from 1 without gaps", format!("{seqs:?}"));
    }
    let graph = events.first().is_some_and(|first| first.status == OrderState::Pending)
        && events.windows(2).all(|pair| follows(pair[0].status, pair[1].status));
    if !graph {
        return wrong("a path in the published graph from pending on", path);
    }
    if events.last().map(|last| (last.status, last.seq)) != Some((order.status, order.version)) {
        let found = format!("{path}, while the order is {} version {}", order.status.as_str(), order.version);
        return wrong("a history that ends where the order stands, one event for each version", found);
    }
    None
}

/// Whether stock was sold to the order at some time, so that it has prices.
fn is_priced(state: OrderState) -> bool {
    match state {
        OrderState::Confirmed
        | OrderState::Paid
        | OrderState::Shipped
        | OrderState::Delivered
        | OrderState::Cancelling
        | OrderState::Cancelled => true,
        OrderState::Pending
        | OrderState::Rejected
        | OrderState::Expired
        | OrderState::Aborting
        | OrderState::Aborted => false,
    }
}

/// I9, as far as the order alone tells.
pub(crate) fn amounts(order: &Order) -> Option<Violation> {
    let wrong =
        |expected: String, found: String| Some(violation(Invariant::TotalsAddUp, order, expected, found));
    let mut sum = 0_i128;
    for (line, number) in order.items.iter().zip(1..) {
        let OrderLine { unit_price, line_total, quantity, .. } = line;
        match (is_priced(order.status), unit_price, line_total) {
            (true, Some(price), Some(total)) => {
                let product = i128::from(price.minor()) * i128::from(quantity.get());
                if product != i128::from(total.minor()) {
                    let expected = format!("{} x {price} in line {number}", quantity.get());
                    return wrong(expected, total.to_string());
                }
                sum += product;
            }
            (false, None, None) => {}
            (true, _, _) => {
                return wrong("prices in every line".to_owned(), format!("none in line {number}"));
            }
            (false, _, _) => {
                let found = format!("some in line {number}");
                return wrong(format!("no prices while {}", order.status.as_str()), found);
            }
        }
    }
    if !is_priced(order.status) && order.currency != Currency::default() {
        let expected = format!("{} while there are no prices", Currency::default().as_str());
        return wrong(expected, order.currency.as_str().to_owned());
    }
    if sum == i128::from(order.total.minor()) {
        return None;
    }
    wrong(format!("a total of {sum} minor units"), format!("{} minor units", order.total.minor()))
}
