//! A stored order, and its next version.

use std::time::Duration;

use ordersys_contract::order::{Order, OrderEvent, OrderLine, OrderRecord, OrderRejection, OrderState};
use ordersys_contract::reservation::{Line, PricedLine};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{Currency, Money, OrderId, RequestId, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::Owner;
use super::lifecycle::{Event, reached, step};
use super::odd::Odd;

pub use ordersys_contract::order::Reason;

/// One step of an order: the state it reached, when, and through which request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step(pub OrderState, pub Timestamp, pub RequestId);

/// When a step happens, and through which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepContext {
    /// When.
    pub at: Timestamp,
    /// Through which request.
    pub request: RequestId,
}

impl StepContext {
    /// A step of this moment.
    #[must_use]
    pub fn now(request: &RequestId) -> Self {
        Self { at: Timestamp::now(), request: request.clone() }
    }
}

/// An order as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOrder {
    /// What clients read.
    pub order: Order,
    /// Whether its user was a guest when it was made.
    pub owner: UserKindName,
    /// Why it was rejected, if it was.
    pub reason: Option<Reason>,
    /// Every step so far, oldest first; as many as its version says.
    pub history: Vec<Step>,
    /// What is left of its key, once it is stored: 0 without one, `None` if it was stored before this
    /// was noted.
    pub key_print: Option<u32>,
    /// Whether its row is where it is looked for by its id.
    pub in_place: bool,
    /// Columns of its row that hold what is never written for such an order.
    pub odd: Odd,
}

/// What an event brings with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing but itself.
    None,
    /// Names and prices as of the reservation.
    Priced(Vec<PricedLine>),
    /// Why it was refused.
    Reason(Reason),
}

impl StoredOrder {
    /// A new pending order.
    #[must_use]
    pub fn pending(owner: Owner, items: Vec<OrderLine>, now: Timestamp, request: &RequestId) -> Self {
        let order = Order {
            id: OrderId::now(),
            user_id: owner.id,
            user_name: owner.name,
            items,
            total: Money::ZERO,
            currency: Currency::USD,
            status: OrderState::Pending,
            version: 1,
            created_at: now,
            updated_at: now,
            rejection: None,
        };
        let history = vec![Step(OrderState::Pending, now, request.clone())];
        let (reason, odd) = (None, Odd::default());
        Self { order, owner: owner.kind, reason, history, key_print: Some(0), in_place: true, odd }
    }

    /// The same order under another id.
    #[must_use]
    pub fn renamed(&self, id: OrderId) -> Self {
        let mut renamed = self.clone();
        renamed.order.id = id;
        renamed
    }

    /// The order after `event`; `None` if its state does not allow that, or if the evidence
    /// does not fit its lines.
    #[must_use]
    pub fn after(&self, event: Event, evidence: Evidence, context: StepContext) -> Option<Self> {
        let status = step(self.order.status, event)?;
        let mut next = self.clone();
        next.order.status = status;
        next.order.version += 1;
        next.order.updated_at = context.at.max(self.order.updated_at);
        next.history.push(Step(status, next.order.updated_at, context.request));
        match evidence {
            Evidence::None => {}
            Evidence::Priced(lines) => next.price(lines)?,
            Evidence::Reason(reason) => next.reason = Some(reason),
        }
        Some(next)
    }

    /// Whether `event` happened to it in just this context: the same command ran before.
    #[must_use]
    pub fn has_seen(&self, event: Event, context: &StepContext) -> bool {
        self.history.windows(2).any(|steps| {
            let at = context.at.max(steps[0].1);
            steps[1] == Step(reached(event), at, context.request.clone())
        })
    }

    /// Whether this is `version`, or came of it by later steps.
    #[must_use]
    pub fn came_of(&self, version: &Self) -> bool {
        let is_later = self.order.version > version.order.version;
        let same = || self.order == version.order && self.reason == version.reason;
        self.history.starts_with(&version.history) && (is_later || same())
    }

    /// Takes over names and prices, if they are those of its own lines.
    fn price(&mut self, priced: Vec<PricedLine>) -> Option<()> {
        if priced.len() != self.order.items.len() {
            return None;
        }
        let mut total = Money::ZERO;
        for (item, line) in self.order.items.iter_mut().zip(priced) {
            if item.product_id != line.product_id || item.quantity != line.quantity {
                return None;
            }
            let line_total = line.unit_price.times(line.quantity)?;
            total = total.plus(line_total)?;
            self.order.currency = line.currency;
            item.name = Some(line.name);
            item.unit_price = Some(line.unit_price);
            item.line_total = Some(line_total);
        }
        self.order.total = total;
        Some(())
    }

    /// The order as clients read it, with why it was refused.
    #[must_use]
    pub fn into_shown(mut self) -> Order {
        self.order.rejection = self.rejection();
        self.order
    }

    fn rejection(&self) -> Option<Box<OrderRejection>> {
        OrderRejection::of(self.order.status, self.reason.as_ref()).map(Box::new)
    }

    /// The history as clients read it: its last step says why it was refused.
    #[must_use]
    pub fn shown_events(&self) -> Vec<OrderEvent> {
        let mut events = self.events();
        if let Some(last) = events.last_mut() {
            last.rejection = self.rejection();
        }
        events
    }

    /// The history as it is stored.
    #[must_use]
    pub fn events(&self) -> Vec<OrderEvent> {
        let event = |(Step(status, at, request), seq): (&Step, u64)| OrderEvent {
            order_id: self.order.id,
            seq,
            status: *status,
            at: *at,
            request_id: request.clone(),
            rejection: None,
        };
        self.history.iter().zip(1..).map(event).collect()
    }

    /// All that is stored, as checks read it, with how long its outcome is overdue.
    #[must_use]
    pub fn into_record(self, overdue: Option<Duration>) -> OrderRecord {
        let events = self.events();
        let overdue_ms = overdue.map(|overdue| u64::try_from(overdue.as_millis()).unwrap_or(u64::MAX));
        let Self { order, owner, reason, key_print, in_place, odd, history: _ } = self;
        OrderRecord { order, overdue_ms, events, owner, reason, key_print, in_place, odd: odd.names() }
    }

    /// Whether it was made from these lines, in this order: what a repeated post has to ask for.
    #[must_use]
    pub fn is_of(&self, lines: &[Line]) -> bool {
        self.lines() == lines
    }

    /// The lines as the product service is asked for them.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let line = |item: &OrderLine| Line { product_id: item.product_id, quantity: item.quantity };
        self.order.items.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use ordersys_contract::{ProductId, Quantity, UserId};

    use super::*;

    /// A pending order of these products, one unit each.
    fn pending(products: &[ProductId]) -> StoredOrder {
        let line = |product: &ProductId| OrderLine {
            product_id: *product,
            quantity: Quantity::ONE,
            name: None,
            unit_price: None,
            line_total: None,
        };
        let owner = Owner { id: UserId::now(), name: "Ada".to_owned(), kind: UserKindName::Guest };
        let lines = products.iter().map(line).collect();
        StoredOrder::pending(owner, lines, Timestamp::from_millis(1_000), &RequestId::random())
    }

    fn priced(product_id: ProductId, minor: i64, code: &str) -> PricedLine {
        let currency: Currency = code.parse().expect("a code");
        let unit_price = Money::of(minor, currency).expect("not negative");
        PricedLine { product_id, name: "book".to_owned(), quantity: Quantity::ONE, unit_price, currency }
    }

    #[test]
    fn a_repeated_post_has_to_ask_for_the_same_lines_in_the_same_order() {
        let (one, other) = (ProductId::now(), ProductId::now());
        let stored = pending(&[one, other]);
        let line = |product_id| Line { product_id, quantity: Quantity::ONE };
        assert!(stored.is_of(&[line(one), line(other)]));
        assert!(!stored.is_of(&[line(other), line(one)]));
        assert!(!stored.is_of(&[line(one)]));
    }

    #[test]
    fn an_order_takes_over_the_currency_of_its_prices_and_has_only_one() {
        let products = [ProductId::now(), ProductId::now()];
        let confirmed = |first: (i64, &str), second: (i64, &str)| {
            let lines = [priced(products[0], first.0, first.1), priced(products[1], second.0, second.1)];
            let now = StepContext { at: Timestamp::from_millis(2_000), request: RequestId::random() };
            pending(&products).after(Event::Committed, Evidence::Priced(lines.to_vec()), now)
        };
        for (code, total) in [("JPY", "520"), ("EUR", "5.20"), ("KWD", "0.520")] {
            let order = confirmed((500, code), (20, code)).expect("fits").order;
            assert_eq!((order.currency.as_str(), order.total.to_string().as_str()), (code, total));
        }
        assert_eq!(confirmed((500, "JPY"), (20, "KWD")), None);
    }

    #[test]
    fn what_checks_read_says_how_long_an_order_is_overdue() {
        let record = |overdue| pending(&[]).into_record(overdue).overdue_ms;
        assert_eq!(record(None), None);
        assert_eq!(record(Some(Duration::from_millis(1_500))), Some(1_500));
    }
}
