//! The calls of the order service.

use http::Method;

use super::{Again, Client, ClientError, Page, at, bare, get, given, with_query};
use crate::header::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use crate::order::{EVENTS, NewOrder, ORDER, ORDERS, Order, OrderEvent, OrderState};
use crate::{IdempotencyKey, OrderId, UserId};

/// What an order was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The order; still pending if its outcome was not known in time (202).
    pub order: Order,
    /// Whether this repeats an earlier answer to the same key.
    pub replayed: bool,
}

/// What narrows `GET /orders`.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// Orders of this user only.
    pub user: Option<UserId>,
    /// Orders in this state only.
    pub status: Option<OrderState>,
    /// Items on a page.
    pub limit: Option<u32>,
}

impl Client {
    /// `POST /orders`. Repeating it with the same key is safe whatever the outcome was.
    pub async fn place(&self, new: &NewOrder, key: Option<&IdempotencyKey>) -> Result<Placed, ClientError> {
        let mut call = self.post(&self.endpoints.order, ORDERS.into(), new);
        if let Some(value) = key.and_then(|key| key.as_str().parse().ok()) {
            call.headers.insert(IDEMPOTENCY_KEY, value);
            call.again = Again::Harmless;
        }
        let received = self.send(call).await?;
        let replayed = received.headers.contains_key(IDEMPOTENCY_REPLAYED);
        Ok(Placed { order: received.json()?, replayed })
    }

    /// `GET /orders/{id}`.
    pub async fn order(&self, id: OrderId) -> Result<Order, ClientError> {
        self.json(get(&self.endpoints.order, at(ORDER, &id))).await
    }

    /// `GET /orders`: the first page, newest first.
    pub async fn orders(&self, filter: &OrderFilter) -> Result<Page<Order>, ClientError> {
        let user = filter.user.map(|id| id.to_string());
        let limit = filter.limit.map(|limit| limit.to_string());
        let pairs = given([
            ("userId", user.as_deref()),
            ("status", filter.status.map(OrderState::as_str)),
            ("limit", limit.as_deref()),
        ]);
        self.page(&self.endpoints.order, with_query(ORDERS, &pairs)).await
    }

    /// The page of orders that [`Page::next`] names.
    pub async fn more_orders(&self, next: &str) -> Result<Page<Order>, ClientError> {
        self.page(&self.endpoints.order, next.to_owned()).await
    }

    /// `GET /orders/{id}/events`.
    pub async fn events(&self, id: OrderId) -> Result<Vec<OrderEvent>, ClientError> {
        self.json(get(&self.endpoints.order, at(EVENTS, &id))).await
    }

    /// One step of an order's life: one of the paths `CANCEL`, `PAY`, `SHIP`, `DELIVER`.
    pub async fn step(&self, id: OrderId, path: &str) -> Result<Order, ClientError> {
        self.json(bare(Method::POST, &self.endpoints.order, at(path, &id))).await
    }
}
