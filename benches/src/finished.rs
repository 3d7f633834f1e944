//! Orders of a past: reserved by the product service, then stored by the order service, both through
//! their own code, but thousands in one commit and without a request for each.

use std::time::Instant;

use anyhow::{Context as _, bail};
use ordersys_chassis::Deadline;
use ordersys_contract::order::OrderLine;
use ordersys_contract::reservation::{Action, Answer, Line, Operation, PricedLine};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{IdempotencyKey, Quantity, RequestId, Timestamp};
use ordersys_order::domain::access::Owner;
use ordersys_order::domain::lifecycle::Event;
use ordersys_order::domain::order::{Evidence, StepContext, StoredOrder};
use ordersys_product::App;

use crate::requests::Ids;
use crate::system::USER_NAME;

/// How long an order may stay pending, in milliseconds.
const PATIENCE_MS: u64 = 30_000;

/// New orders of one unit, each with what the product service is asked for it.
pub fn pending(ids: Ids, count: usize) -> anyhow::Result<Vec<(StoredOrder, Operation)>> {
    (0..count).map(|_| one(ids)).collect()
}

fn one(ids: Ids) -> anyhow::Result<(StoredOrder, Operation)> {
    let (now, request) = (Timestamp::now(), RequestId::random());
    let quantity = Quantity::new(1).context("one unit")?;
    let lines = vec![Line { product_id: ids.products[0], quantity }];
    let item =
        OrderLine { product_id: ids.products[0], quantity, name: None, unit_price: None, line_total: None };
    let owner = Owner { id: ids.user, name: USER_NAME.to_owned(), kind: UserKindName::Guest };
    let stored = StoredOrder::pending(owner, vec![item], now, &request);
    let action = Action::Reserve { lines, commit: true, lease_ms: 0, time_left_ms: PATIENCE_MS };
    let operation = Operation { order_id: stored.order.id, request_id: request, trace_parent: None, action };
    Ok((stored, operation))
}

/// Has the product service sell what these orders are about; gives them as they are confirmed.
pub async fn sold(
    product: &App,
    pending: Vec<(StoredOrder, Operation)>,
) -> anyhow::Result<Vec<(StoredOrder, IdempotencyKey)>> {
    let (orders, operations): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
    let answers = product.apply(operations, Instant::now(), Deadline(None)).await?;
    let confirm = |(stored, answer)| match answer {
        Answer::Stands(reservation) => confirmed(&stored, reservation.lines),
        other => bail!("the product service refused: {other:?}"),
    };
    orders.into_iter().zip(answers).map(confirm).collect()
}

/// An order with these prices, under a key as the load tester makes them.
pub fn confirmed(
    stored: &StoredOrder,
    lines: Vec<PricedLine>,
) -> anyhow::Result<(StoredOrder, IdempotencyKey)> {
    let request = stored.history.first().context("a history")?.2.clone();
    let key = IdempotencyKey::parse(&stored.order.id.to_string().replace('-', "")).context("a key")?;
    let next = stored.after(Event::Committed, Evidence::Priced(lines), StepContext::now(&request));
    Ok((next.context("a pending order can be confirmed")?, key))
}
