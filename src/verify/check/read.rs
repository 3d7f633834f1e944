//! Reads everything in pages: memory holds one page of each list, the ids that keys name, and
//! the suspects.

use std::collections::VecDeque;

use ordersys_contract::client::Page;
use ordersys_contract::{Client, ClientError, OrderId};

use super::Invariant;
use super::keys::Keys;
use super::pair::Pair;
use super::report::Tally;

/// An id under which something looked wrong, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) id: OrderId,
    pub(super) of: Vec<Invariant>,
}

/// A list that is read page by page.
struct Listing<T, F> {
    fetch: F,
    items: VecDeque<T>,
    next: Next,
}

/// The page to read next.
enum Next {
    First,
    Named(String),
    None,
}

impl<T, F: AsyncFn(Option<&str>) -> Result<Page<T>, ClientError>> Listing<T, F> {
    fn new(fetch: F) -> Self {
        Self { fetch, items: VecDeque::new(), next: Next::First }
    }

    /// The next item, without taking it.
    async fn peek(&mut self) -> Result<Option<&T>, ClientError> {
        while self.items.is_empty() {
            let page = match &self.next {
                Next::First => (self.fetch)(None).await?,
                Next::Named(next) => (self.fetch)(Some(next)).await?,
                Next::None => return Ok(None),
            };
            self.items = page.items.into();
            self.next = page.next.map_or(Next::None, Next::Named);
        }
        Ok(self.items.front())
    }

    fn take(&mut self) -> Option<T> {
        self.items.pop_front()
    }
}

/// Reads all idempotency keys.
pub(super) async fn keys(
    client: &Client,
    step: &impl Fn(String),
    tally: &mut Tally,
) -> Result<Keys, ClientError> {
    let mut keys = Keys::default();
    let mut listing = Listing::new(async |next: Option<&str>| client.key_records(next).await);
    let mut count = 0_u64;
    while listing.peek().await?.is_some() {
        if count.is_multiple_of(1000) {
            step(format!("reading idempotency keys: {count}"));
        }
        let Some(record) = listing.take() else { break };
        keys.key(&record, tally);
        count += 1;
    }
    Ok(keys)
}

/// Reads all orders and reservations side by side, newest first. Orders are read ahead of their
/// reservations, since the product service decides before the order service knows.
pub(super) async fn pairs(
    client: &Client,
    step: &impl Fn(String),
    keys: &mut Keys,
    tally: &mut Tally,
) -> Result<Vec<Suspect>, ClientError> {
    let mut orders = Listing::new(async |next: Option<&str>| client.order_records(next).await);
    let mut reservations = Listing::new(async |next: Option<&str>| client.reservation_records(next).await);
    let (mut suspects, mut count) = (Vec::new(), 0_u64);
    loop {
        let order = orders.peek().await?.map(|record| record.order.id);
        let reservation = reservations.peek().await?.map(|record| record.reservation.order_id);
        let Some(id) = order.max(reservation) else { return Ok(suspects) };
        let pair = Pair {
            id,
            order: if order == Some(id) { orders.take() } else { None },
            reservation: if reservation == Some(id) { reservations.take() } else { None },
        };
        if let Some(record) = &pair.order {
            keys.order(&record.order, tally);
        }
        pair.count(tally);
        let of: Vec<_> = pair.judge().into_iter().map(|(invariant, _)| invariant).collect();
        if !of.is_empty() {
            suspects.push(Suspect { id, of });
        }
        if count.is_multiple_of(1000) {
            step(format!("reading orders and reservations: {count}"));
        }
        count += 1;
    }
}
