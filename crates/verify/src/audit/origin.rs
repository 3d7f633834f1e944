//! I11 of orders and reservations: owner, names, times and reasons agree with what made them.

use std::collections::BTreeMap;

use ordersys_contract::evidence::UserRecord;
use ordersys_contract::order::{OrderRecord, OrderState, Reason};
use ordersys_contract::reservation::{Reservation, ReservationRecord, ReservationState, Shortage};
use ordersys_contract::{ProductId, Quantity, Timestamp};

use crate::audit::Invariant;
use crate::audit::catalog::Catalog;
use crate::audit::pair::Pair;
use crate::audit::people::kind;
use crate::audit::report::{Mismatch, Violation};
use crate::audit::times::{ahead, id_time, made};
use crate::audit::values::{no_name, unwritten};
use crate::finding::Witness;

/// What orders and reservations are held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// The user that the order names, if there is one.
    pub(crate) user: Option<&'a UserRecord>,
    /// All products.
    pub(crate) catalog: &'a Catalog,
}

/// Everything that does not agree.
pub(crate) fn judge(pair: &Pair, sources: Sources<'_>, now: Timestamp) -> Vec<Violation> {
    let reservation = pair.reservation.as_ref();
    let mut found = Vec::new();
    if let Some(order) = &pair.order {
        found.extend(odd(order));
        found.extend(owner(order, sources.user));
        found.extend(times(order, now));
        found.extend(fate(order, reservation).or_else(|| refused(order, sources.catalog)));
        found.extend(reservation.and_then(|reservation| agrees(order, reservation)));
    } else {
        found.extend(reservation.and_then(|reservation| unordered(reservation, now)));
    }
    found.extend(reservation.and_then(|reservation| alone(reservation, sources.catalog)));
    found.into_iter().map(|mismatch| violation(pair, mismatch)).collect()
}

/// A failed order without its reservation, or the other way round. Both are forgotten after a while, so this
/// may be right.
pub(crate) fn half(pair: &Pair) -> Option<Violation> {
    let mismatch = match (&pair.order, &pair.reservation) {
        (Some(record), None) => match (record.order.status, &record.reason) {
            (OrderState::Rejected, Some(Reason::Shortages(_))) => "a reservation that is rejected",
            (OrderState::Aborted, _) => "a reservation that proves that nothing is held",
            _ => return None,
        }
        .to_owned(),
        (None, Some(record))
            if !record.direct && record.lease_ms.is_none() && pair.has_refused_reservation() =>
        {
            "the order it was made for".to_owned()
        }
        _ => return None,
    };
    let found = match &pair.reservation {
        Some(record) => format!("a reservation that is {} and no order", record.reservation.state.as_str()),
        None => "no reservation".to_owned(),
    };
    Some(violation(pair, (mismatch, found)))
}

fn violation(pair: &Pair, (expected, found): Mismatch) -> Violation {
    let order_id = Some(pair.id.to_string());
    (Invariant::TrueToOrigin, Witness { order_id, expected, found, ..Witness::default() })
}

/// What the service itself would never have written.
fn odd(record: &OrderRecord) -> Option<Mismatch> {
    let names = record.order.items.iter().filter_map(|item| item.name.as_ref());
    unwritten(&record.odd).or_else(|| names.chain([&record.order.user_name]).find_map(|name| no_name(name)))
}

fn owner(record: &OrderRecord, user: Option<&UserRecord>) -> Option<Mismatch> {
    let OrderRecord { order, owner, .. } = record;
    let id = order.user_id;
    let Some(user) = user else {
        return Some((format!("user {id}, who ordered"), "no such user".to_owned()));
    };
    if user.kind != *owner {
        let expected = format!("an order of {}, as user {id} is", kind(user.kind));
        return Some((expected, format!("one of {}", kind(*owner))));
    }
    if user.test && !user.used {
        let expected = format!("a note that user {id}, who is test data, was looked up");
        return Some((expected, "no note".to_owned()));
    }
    (user.was_called(&order.user_name) == Some(false)).then(|| {
        let expected = format!("a name that user {id} has or had, as `{}`", user.name);
        (expected, format!("`{}`", order.user_name))
    })
}

fn times(record: &OrderRecord, now: Timestamp) -> Option<Mismatch> {
    let OrderRecord { order, events, .. } = record;
    let (created, updated) = (order.created_at, order.updated_at);
    if let Some(pair) = events.windows(2).find(|pair| pair[0].at > pair[1].at) {
        let found =
            format!("step {} at {} and step {} at {}", pair[0].seq, pair[0].at, pair[1].seq, pair[1].at);
        return Some(("a history that never goes back in time".to_owned(), found));
    }
    if let Some(first) = events.first().filter(|first| first.at != created) {
        return Some((format!("created {}, as its history begins", first.at), format!("created {created}")));
    }
    if let Some(last) = events.last().filter(|last| last.at != updated) {
        return Some((format!("updated {}, as its history ends", last.at), format!("updated {updated}")));
    }
    let stored = [("createdAt", created), ("updatedAt", updated), ("the time in its id", id_time(order.id))];
    made(order.id.made(), created).or_else(|| ahead(&stored, now))
}

/// How it ended is told by its reservation, and why it was refused.
fn fate(record: &OrderRecord, reservation: Option<&ReservationRecord>) -> Option<Mismatch> {
    let stands = reservation.map(|record| &record.reservation);
    let is = |state| stands.is_some_and(|stands| stands.state == state);
    let found = || match stands {
        Some(stands) => format!("a reservation that is {}", stands.state.as_str()),
        None => "no reservation".to_owned(),
    };
    match (record.order.status, &record.reason) {
        (OrderState::Rejected, None) => Some(("a reason of the refusal".to_owned(), "none".to_owned())),
        (OrderState::Rejected, Some(Reason::Shortages(short))) => match stands {
            Some(stands) if is(ReservationState::Rejected) && stands.shortages != *short => {
                Some((format!("short of {}", show(short)), show(&stands.shortages)))
            }
            Some(_) if !is(ReservationState::Rejected) => {
                Some(("a reservation that is rejected".to_owned(), found()))
            }
            _ => None,
        },
        (OrderState::Rejected, Some(Reason::UnknownProducts(_) | Reason::MixedCurrencies)) => {
            stands.map(|_| ("no reservation, as nothing was written".to_owned(), found()))
        }
        (state, Some(_)) => {
            Some((format!("no reason of a refusal while {}", state.as_str()), "one".to_owned()))
        }
        (OrderState::Cancelled, None) if !is(ReservationState::Released) => {
            Some(("a reservation that is released".to_owned(), found()))
        }
        _ => None,
    }
}

fn show(shortages: &[Shortage]) -> String {
    let show = |one: &Shortage| format!("{} of {} x {}", one.available, one.requested, one.product_id);
    let all: Vec<_> = shortages.iter().map(show).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

/// A refusal for products that no one could order is still true.
fn refused(record: &OrderRecord, catalog: &Catalog) -> Option<Mismatch> {
    let ordered: Vec<_> = record.order.items.iter().map(|item| item.product_id).collect();
    match &record.reason {
        Some(Reason::UnknownProducts(unknown)) => {
            let wrong = unknown.iter().find(|id| catalog.knows(**id) || !ordered.contains(id))?;
            Some((format!("product {wrong} to be ordered and unknown"), "one of both is not so".to_owned()))
        }
        Some(Reason::MixedCurrencies) => {
            let currencies: Option<Vec<_>> = ordered.iter().map(|id| catalog.currency(*id)).collect();
            let same = currencies?.windows(2).all(|pair| pair[0] == pair[1]);
            same.then(|| ("products in more than one currency".to_owned(), "products in one".to_owned()))
        }
        Some(Reason::Shortages(_)) | None => None,
    }
}

/// An order and its reservation tell of the same lines.
fn agrees(record: &OrderRecord, reservation: &ReservationRecord) -> Option<Mismatch> {
    if let Some(product) = reservation.direct_product {
        return Some(("a reservation made by its order".to_owned(), format!("a hold of product {product}")));
    }
    if let Some(lease) = reservation.lease_ms {
        return Some(("no lease, as orders take none".to_owned(), format!("one of {lease} ms")));
    }
    let (items, lines) = (&record.order.items, &reservation.reservation.lines);
    if lines.is_empty() {
        // It was refused, or cancelled before it was made.
        let items = items.iter().map(|item| (item.product_id, item.quantity));
        return wanting(&reservation.reservation.shortages, items);
    }
    if items.len() != lines.len() {
        return Some((format!("{} lines reserved", items.len()), lines.len().to_string()));
    }
    for (item, line) in items.iter().zip(lines) {
        if (item.product_id, item.quantity) != (line.product_id, line.quantity) {
            let expected = format!("{} x {} reserved", item.quantity.get(), item.product_id);
            return Some((expected, format!("{} x {}", line.quantity.get(), line.product_id)));
        }
        if item.name.is_some() != item.unit_price.is_some() {
            return Some(("a name in each line that has a price".to_owned(), format!("{:?}", item.name)));
        }
        if item.name.as_ref().is_some_and(|name| *name != line.name) {
            let found = format!("`{}`", item.name.as_deref().unwrap_or_default());
            return Some((format!("`{}`, the name when reserved", line.name), found));
        }
    }
    None
}

/// Without an order nothing but its id tells when a reservation was made. The ids of direct holds may be the
/// client's.
fn unordered(record: &ReservationRecord, now: Timestamp) -> Option<Mismatch> {
    let id = record.reservation.order_id;
    if record.direct {
        return None;
    }
    if record.reservation.state == ReservationState::Released {
        return Some((
            "the order it was sold to".to_owned(),
            "a reservation that is released and no order".to_owned(),
        ));
    }
    ahead(&[("the time in its id", id_time(id))], now)
}

/// What a reservation says by itself, beside the catalog.
fn alone(record: &ReservationRecord, catalog: &Catalog) -> Option<Mismatch> {
    let reservation = &record.reservation;
    let strange = reservation.lines.iter().find_map(|line| catalog.strange(line));
    strange.or_else(|| short(reservation)).or_else(|| hold(record))
}

/// Only what was rejected was short, of what was asked for. Lines of what was refused need not be kept.
fn short(reservation: &Reservation) -> Option<Mismatch> {
    let Reservation { state, lines, shortages, .. } = reservation;
    let rejected = *state == ReservationState::Rejected;
    if rejected == shortages.is_empty() {
        let expected = if rejected { "what was short" } else { "nothing short" };
        return Some((format!("{expected}, as it is {}", state.as_str()), show(shortages)));
    }
    if lines.is_empty() {
        return None;
    }
    wanting(shortages, lines.iter().map(|line| (line.product_id, line.quantity)))
}

/// A shortage that is none of these lines.
fn wanting(shortages: &[Shortage], lines: impl Iterator<Item = (ProductId, Quantity)>) -> Option<Mismatch> {
    let mut asked = BTreeMap::<ProductId, u64>::new();
    for (product, quantity) in lines {
        *asked.entry(product).or_default() += u64::from(quantity.get());
    }
    let wrong = |one: &&Shortage| {
        asked.get(&one.product_id) != Some(&one.requested) || one.available >= one.requested
    };
    let wrong = shortages.iter().find(wrong)?;
    let units = asked.get(&wrong.product_id).copied().unwrap_or(0);
    let expected = format!("fewer than the {units} x {} that were asked for", wrong.product_id);
    Some((expected, show(&[*wrong])))
}

/// Only what is held ends by itself, and a direct hold is of one product and does not.
fn hold(record: &ReservationRecord) -> Option<Mismatch> {
    let ReservationRecord { reservation, lease_ms, direct_product, .. } = record;
    let state = reservation.state;
    let may =
        matches!(state, ReservationState::Held | ReservationState::Rejected) && direct_product.is_none();
    if let Some(lease) = lease_ms.filter(|_| !may) {
        let what = if direct_product.is_some() { "a direct hold" } else { state.as_str() };
        return Some((format!("no lease, as it is {what}"), format!("one of {lease} ms")));
    }
    let (held, lines) = ((*direct_product)?, &reservation.lines);
    let short = reservation.shortages.iter().map(|short| short.product_id);
    let mut products = lines.iter().map(|line| line.product_id).chain(short);
    let same = products.all(|product| product == held) && lines.len() <= 1;
    (!same).then(|| (format!("one line of product {held}, held directly"), format!("{} lines", lines.len())))
}
