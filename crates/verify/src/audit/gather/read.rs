//! Reads everything in pages: memory holds one page of each list, the ids that keys name, names and prices of
//! products, a bounded number of users, and the suspects.

use std::collections::VecDeque;

use ordersys_contract::client::{Page, Walk};
use ordersys_contract::order::OrderRecord;
use ordersys_contract::reservation::ReservationRecord;
use ordersys_contract::{Client, ClientError, OrderId, Timestamp};

use crate::audit::Invariant;
use crate::audit::catalog;
use crate::audit::catalog::Catalog;
use crate::audit::gather::failure::{CheckError, Of as _};
use crate::audit::gather::reread;
use crate::audit::gather::users::Users;
use crate::audit::horizon::Horizon;
use crate::audit::keys::Keys;
use crate::audit::order::violation;
use crate::audit::origin;
use crate::audit::origin::Sources;
use crate::audit::pair::Pair;
use crate::audit::people;
use crate::audit::report::AuditCounts;
use ordersys_contract::Role;

/// Items between two notes of how far reading has come.
const STEP: u64 = 1000;
/// Most orders that are out of their order in the list before the list is given up.
const MAX_STRAYS: u64 = 1000;

/// An id under which something looked wrong, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) id: OrderId,
    pub(crate) of: Vec<Invariant>,
}

/// A list of a service that is read page by page.
struct Listing<T, F> {
    service: Role,
    fetch: F,
    items: VecDeque<T>,
    next: Next,
    walk: Walk,
}

/// The page to read next.
enum Next {
    First,
    Named(String),
    None,
}

impl<T, F: AsyncFn(Option<&str>) -> Result<Page<T>, ClientError>> Listing<T, F> {
    fn new(service: Role, fetch: F) -> Self {
        Self { service, fetch, items: VecDeque::new(), next: Next::First, walk: Walk::default() }
    }

    /// The next item, without taking it.
    async fn peek(&mut self) -> Result<Option<&T>, CheckError> {
        while self.items.is_empty() {
            let page = match &self.next {
                Next::First => (self.fetch)(None).await,
                Next::Named(next) => (self.fetch)(Some(next)).await,
                Next::None => return Ok(None),
            };
            let page = page.of(self.service)?;
            let next = self.walk.after(page.items.len(), page.next).of(self.service)?;
            self.items = page.items.into();
            self.next = next.map_or(Next::None, Next::Named);
        }
        Ok(self.items.front())
    }

    async fn next(&mut self) -> Result<Option<T>, CheckError> {
        self.peek().await?;
        Ok(self.take())
    }

    fn take(&mut self) -> Option<T> {
        self.items.pop_front()
    }
}

fn progress(step: &impl Fn(String), what: &str, count: u64) {
    if count.is_multiple_of(STEP) {
        step(format!("reading {what}: {count}"));
    }
}

/// Reads all idempotency keys.
pub(crate) async fn keys(
    client: &Client,
    step: &impl Fn(String),
    counts: &mut AuditCounts,
) -> Result<Keys, CheckError> {
    let mut keys = Keys::default();
    let mut listing = Listing::new(Role::Order, async |next: Option<&str>| client.key_records(next).await);
    let mut count = 0;
    while let Some(record) = listing.next().await? {
        progress(step, "idempotency keys", count);
        keys.key(&record, counts);
        count += 1;
    }
    Ok(keys)
}

/// Reads all idempotency keys a second time, if something about them is open.
pub(crate) async fn settle_keys(
    client: &Client,
    step: &impl Fn(String),
    mut keys: Keys,
    counts: &mut AuditCounts,
) -> Result<(), CheckError> {
    let mut again = Vec::new();
    if !keys.is_settled() {
        step("reading idempotency keys again".to_owned());
        let mut listing =
            Listing::new(Role::Order, async |next: Option<&str>| client.key_records(next).await);
        while let Some(record) = listing.next().await? {
            if keys.is_about(record.order_id) {
                again.push(record);
            }
        }
    }
    for order in keys.unnamed(&again) {
        // Refused orders go after their time, and their keys with them.
        if reread::found(client.order_record(order).await).of(Role::Order)?.is_none() {
            keys.forget(order);
        }
    }
    keys.finish(&again, counts);
    Ok(())
}

/// Reads all products with their versions.
pub(crate) async fn products(
    client: &Client,
    step: &impl Fn(String),
    counts: &mut AuditCounts,
) -> Result<Catalog, CheckError> {
    let mut products = Catalog::default();
    let mut listing =
        Listing::new(Role::Product, async |next: Option<&str>| client.product_records(next).await);
    let mut count = 0;
    while let Some(record) = listing.next().await? {
        progress(step, "products", count);
        catalog::judge(&record, Timestamp::now(), counts);
        products.add(&record);
        count += 1;
    }
    Ok(products)
}

/// Reads all users, sessions and keys for access tokens.
pub(crate) async fn people(
    client: &Client,
    step: &impl Fn(String),
    counts: &mut AuditCounts,
) -> Result<(), CheckError> {
    let mut users = Listing::new(Role::User, async |next: Option<&str>| client.user_records(next).await);
    let mut count = 0;
    while let Some(user) = users.next().await? {
        progress(step, "users", count);
        people::user(&user, Timestamp::now(), counts);
        count += 1;
    }
    let mut sessions =
        Listing::new(Role::User, async |next: Option<&str>| client.session_records(next).await);
    let (mut count, mut earliest) = (0, None::<Timestamp>);
    while let Some(session) = sessions.next().await? {
        progress(step, "sessions", count);
        let now = Timestamp::now();
        people::session(&session, now, counts);
        if people::is_recent(&session, now) {
            earliest = Some(earliest.map_or(session.refreshed_at, |at| at.min(session.refreshed_at)));
        }
        count += 1;
    }
    people::networks(&client.unowned_networks().await.of(Role::User)?, counts);
    let mut keys = client.key_evidence().await.of(Role::User)?;
    if !people::is_settled(&keys) {
        tokio::time::sleep(reread::PAUSE).await;
        keys = client.key_evidence().await.of(Role::User)?;
    }
    people::keys(&keys, earliest, Timestamp::now(), counts);
    Ok(())
}

/// Reads all orders and reservations side by side, newest first. Orders are read ahead of their
/// reservations, since the product service decides before the order service knows.
pub(crate) async fn pairs(
    client: &Client,
    step: &impl Fn(String),
    catalog: &Catalog,
    keys: &mut Keys,
    counts: &mut AuditCounts,
) -> Result<Vec<Suspect>, CheckError> {
    let mut orders = Listing::new(Role::Order, async |next: Option<&str>| client.order_records(next).await);
    let mut reservations =
        Listing::new(Role::Product, async |next: Option<&str>| client.reservation_records(next).await);
    let (mut users, mut suspects, mut count) = (Users::default(), Vec::new(), 0);
    let (mut strays, mut horizon) = (Strays::default(), Horizon::default());
    loop {
        while orders.peek().await?.is_some_and(|record| strays.are(record, counts)) {
            orders.take();
            if strays.count > MAX_STRAYS {
                return Ok(suspects);
            }
        }
        let order = orders.peek().await?.map(|record| record.order.id);
        let reservation = reservations.peek().await?.map(|record| record.reservation.order_id);
        let Some(id) = order.max(reservation) else { return Ok(suspects) };
        let order = if order == Some(id) { orders.take() } else { None };
        let reservation = if reservation == Some(id) { reservations.take() } else { None };
        let pair = Pair { id, order, reservation };
        let mut user = None;
        if let Some(record) = &pair.order {
            keys.order(record, counts);
            let next = orders.items.iter().map(|record| record.order.user_id);
            users.know(client, record.order.user_id, next).await?;
            user = users.get(record.order.user_id);
        }
        pair.count(counts);
        let now = Timestamp::now();
        suspects.append(&mut horizon.pass(&pair));
        let mut found = pair.judge();
        found.extend(origin::judge(&pair, Sources { user, catalog }, now));
        if !found.is_empty() {
            suspects.push(Suspect { id, of: found.into_iter().map(|(invariant, _)| invariant).collect() });
        } else if origin::half(&pair).is_some() {
            horizon.add(&pair, Suspect { id, of: vec![Invariant::TrueToOrigin] });
        }
        progress(step, "orders and reservations", count);
        count += 1;
    }
}

/// Orders that are not where they are looked for by their ids, or come later in the list than these say.
#[derive(Debug, Default)]
struct Strays {
    last: Option<Timestamp>,
    count: u64,
}

impl Strays {
    /// Whether an order is one; within a millisecond ids need not be in order.
    fn are(&mut self, record: &OrderRecord, counts: &mut AuditCounts) -> bool {
        let made = record.order.id.made();
        let found = match self.last {
            _ if !record.in_place => "another place".to_owned(),
            Some(last) if made.is_some_and(|made| made > last) => format!("a place among orders of {last}"),
            _ => {
                self.last = made.or(self.last);
                return false;
            }
        };
        let expected = "the place where it is looked for by its id".to_owned();
        counts.add(violation(Invariant::TrueToOrigin, &record.order, expected, found));
        self.count += 1;
        true
    }
}

/// An order, its reservation, and what both are held to, read anew.
pub(crate) async fn anew(
    client: &Client,
    order: Option<&OrderRecord>,
    reservation: Option<&ReservationRecord>,
) -> Result<(Users, Catalog), CheckError> {
    let (mut users, mut catalog) = (Users::default(), Catalog::default());
    let ordered = order.into_iter().flat_map(|record| record.order.items.iter().map(|item| item.product_id));
    let lines = reservation.into_iter().flat_map(|record| record.reservation.lines.iter());
    let mut ids: Vec<_> = ordered.chain(lines.map(|line| line.product_id)).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        if let Some(record) = reread::found(client.product_record(id).await).of(Role::Product)? {
            catalog.add(&record);
        }
    }
    if let Some(record) = order {
        users.know(client, record.order.user_id, std::iter::empty()).await?;
    }
    Ok((users, catalog))
}
