//! I3, I4, I5 and the prices of I9: an order beside its reservation.

use std::time::Duration;

use ordersys_contract::OrderId;
use ordersys_contract::order::{Order, OrderRecord, OrderState};
use ordersys_contract::reservation::{PricedLine, ReservationRecord, ReservationState};

use crate::audit::Invariant;
use crate::audit::order::{amounts, history, violation};
use crate::audit::report::{AuditCounts, Violation};
use crate::finding::Witness;

/// How long after a deadline or the end of a lease something may still be unfinished.
const SLACK: Duration = Duration::from_secs(10);

/// What is stored under one order id; at least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) id: OrderId,
    pub(crate) order: Option<OrderRecord>,
    pub(crate) reservation: Option<ReservationRecord>,
}

/// What the state of an order demands of its reservation.
enum Demand {
    /// It is committed, with the same lines.
    Committed,
    /// It binds nothing.
    Nothing,
    /// Anything: the order is on its way.
    Open,
}

fn demand(state: OrderState) -> Demand {
    match state {
        OrderState::Confirmed | OrderState::Paid | OrderState::Shipped | OrderState::Delivered => {
            Demand::Committed
        }
        OrderState::Rejected | OrderState::Expired | OrderState::Aborted | OrderState::Cancelled => {
            Demand::Nothing
        }
        OrderState::Pending | OrderState::Aborting | OrderState::Cancelling => Demand::Open,
    }
}

impl Pair {
    /// Counts what is looked at.
    pub(crate) fn count(&self, counts: &mut AuditCounts) {
        counts.looked_at(Invariant::AtRest);
        counts.looked_at(Invariant::TrueToOrigin);
        let committed = self.state() == Some(ReservationState::Committed);
        match self.order.as_ref().map(|record| demand(record.order.status)) {
            Some(Demand::Committed) => counts.looked_at(Invariant::SoldToOrders),
            Some(Demand::Nothing) => counts.looked_at(Invariant::FailedHoldNothing),
            None if committed => counts.looked_at(Invariant::SoldToOrders),
            Some(Demand::Open) | None => {}
        }
        if self.order.is_some() {
            counts.looked_at(Invariant::HistoriesArePaths);
            counts.looked_at(Invariant::TotalsAddUp);
        }
    }

    /// Everything wrong with it. The two halves may have been read at different times: what is
    /// found counts only if reading again, with the order unchanged around it, finds it again.
    pub(crate) fn judge(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        match &self.order {
            Some(record) => {
                found.extend(history(record));
                found.extend(amounts(&record.order));
                found.extend(self.stock_of(&record.order));
                found.extend(self.prices_of(&record.order));
                found.extend(unfinished(record));
            }
            None => found.extend(self.orphan()),
        }
        found.extend(self.lease());
        found
    }

    /// Whether its order failed, which may be forgotten after a while.
    pub(crate) fn has_failed_order(&self) -> bool {
        let failed = |record: &OrderRecord| match record.order.status {
            OrderState::Rejected | OrderState::Aborted | OrderState::Expired => true,
            OrderState::Pending
            | OrderState::Confirmed
            | OrderState::Paid
            | OrderState::Shipped
            | OrderState::Delivered
            | OrderState::Aborting
            | OrderState::Cancelling
            | OrderState::Cancelled => false,
        };
        self.order.as_ref().is_some_and(failed)
    }

    /// Whether its reservation never sold anything, and may be forgotten after a while.
    pub(crate) fn has_refused_reservation(&self) -> bool {
        self.state().is_some_and(|state| match state {
            ReservationState::Rejected | ReservationState::Cancelled | ReservationState::Expired => true,
            ReservationState::Held | ReservationState::Committed | ReservationState::Released => false,
        })
    }

    fn state(&self) -> Option<ReservationState> {
        self.reservation.as_ref().map(|record| record.reservation.state)
    }

    fn lines(&self) -> &[PricedLine] {
        self.reservation.as_ref().map_or(&[], |record| &record.reservation.lines)
    }

    fn describe(&self) -> String {
        self.state().map_or_else(
            || "no reservation".to_owned(),
            |state| format!("a reservation that is {}", state.as_str()),
        )
    }

    fn stock_of(&self, order: &Order) -> Option<Violation> {
        let state = order.status.as_str();
        match demand(order.status) {
            Demand::Committed if self.state() != Some(ReservationState::Committed) => {
                let expected = format!("a committed reservation for an order that is {state}");
                Some(violation(Invariant::SoldToOrders, order, expected, self.describe()))
            }
            Demand::Committed => self.lines_of(order),
            Demand::Nothing if self.state().is_some_and(ReservationState::holds_stock) => {
                let expected = format!("nothing held for an order that is {state}");
                Some(violation(Invariant::FailedHoldNothing, order, expected, self.describe()))
            }
            Demand::Nothing | Demand::Open => None,
        }
    }

    fn lines_of(&self, order: &Order) -> Option<Violation> {
        let ordered: Vec<_> = order.items.iter().map(|item| (item.product_id, item.quantity)).collect();
        let taken: Vec<_> = self.lines().iter().map(|line| (line.product_id, line.quantity)).collect();
        let show = |lines: &[(_, ordersys_contract::Quantity)]| {
            let line = |(id, quantity): &(ordersys_contract::ProductId, ordersys_contract::Quantity)| {
                format!("{} x {id}", quantity.get())
            };
            lines.iter().map(line).collect::<Vec<_>>().join(", ")
        };
        if ordered != taken {
            let expected = format!("a reservation of {}", show(&ordered));
            return Some(violation(Invariant::SoldToOrders, order, expected, show(&taken)));
        }
        let worth = |line: &PricedLine| i128::from(line.unit_price.minor()) * i128::from(line.quantity.get());
        let reserved: i128 = self.lines().iter().map(worth).sum();
        // Orders of earlier versions may be finer than their currency: their lines are compared one by one.
        let is_finer = order.total.decimals() != order.currency.decimals();
        if is_finer || reserved == i128::from(order.total.minor()) {
            return None;
        }
        let expected = format!("the total of the reservation, {reserved} minor units");
        let found = format!("{} minor units", order.total.minor());
        Some(violation(Invariant::SoldToOrders, order, expected, found))
    }

    /// I9: prices and currency are those of the reservation.
    fn prices_of(&self, order: &Order) -> Option<Violation> {
        order.items.iter().zip(self.lines()).find_map(|(item, line)| {
            let price = item.unit_price?;
            if (price.rounded_to(order.currency), order.currency) == (line.unit_price, line.currency) {
                return None;
            }
            let expected = format!("{} {}, the price when reserved", line.unit_price, line.currency.as_str());
            let found = format!("{price} {}", order.currency.as_str());
            Some(violation(Invariant::TotalsAddUp, order, expected, found))
        })
    }

    /// Stock that is bound without an order. Holds made directly have none, and leases end.
    fn orphan(&self) -> Option<Violation> {
        let record = self.reservation.as_ref()?;
        let bound = match record.reservation.state {
            ReservationState::Committed => true,
            ReservationState::Held => !record.direct && record.lease_ms.is_none(),
            ReservationState::Rejected
            | ReservationState::Cancelled
            | ReservationState::Expired
            | ReservationState::Released => false,
        };
        let expected = "an order to which the stock was sold".to_owned();
        let found = format!("{} and no order", self.describe());
        bound.then(|| (Invariant::SoldToOrders, self.witness(expected, found)))
    }

    fn lease(&self) -> Option<Violation> {
        let late = overdue(self.reservation.as_ref()?.overdue_ms)?;
        let found = format!("still held {} s after that", late.as_secs());
        Some((Invariant::AtRest, self.witness("no hold after its lease".to_owned(), found)))
    }

    fn witness(&self, expected: String, found: String) -> Witness {
        Witness { order_id: Some(self.id.to_string()), expected, found, ..Witness::default() }
    }
}

/// I5. The service itself tells how long an outcome is overdue, by a clock that cannot be set; a step, and a
/// restart, begin the count anew.
fn unfinished(record: &OrderRecord) -> Option<Violation> {
    let (order, late) = (&record.order, overdue(record.overdue_ms)?);
    let expected = "an outcome, or a step towards it, in time".to_owned();
    let found = format!("still {}, {} s too late", order.status.as_str(), late.as_secs());
    Some(violation(Invariant::AtRest, order, expected, found))
}

/// What is overdue by more than the slack.
fn overdue(millis: Option<u64>) -> Option<Duration> {
    millis.map(Duration::from_millis).filter(|late| *late > SLACK)
}
