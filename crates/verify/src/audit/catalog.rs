//! I11 of products: each is what its newest version says, and what was sold is one of its versions.

use std::collections::HashMap;

use ordersys_contract::evidence::{Edition, MAX_EDITIONS, ProductRecord};
use ordersys_contract::product::Product;
use ordersys_contract::reservation::PricedLine;
use ordersys_contract::{Currency, Money, ProductId, Timestamp};

use crate::audit::Invariant;
use crate::audit::report::{AuditCounts, Mismatch};
use crate::audit::times::{ahead, made};
use crate::audit::values::{no_name, no_price, unwritten};
use crate::finding::Witness;

/// What is kept of each product to hold orders and reservations to: about 100 bytes.
#[derive(Debug, Default)]
pub(crate) struct Catalog(HashMap<ProductId, Versions>);

/// What a product was called and cost.
#[derive(Debug)]
struct Versions {
    currency: Currency,
    /// Whether none of its versions is forgotten.
    complete: bool,
    /// Whether it is test data of which no unit was ever reserved.
    unused: bool,
    known: Box<[(Box<str>, Money)]>,
}

impl Catalog {
    /// A product was read. One that is not there any more is not kept.
    pub(crate) fn add(&mut self, record: &ProductRecord) {
        let Some(product) = &record.product else { return };
        let known = |edition: &Edition| (edition.name.as_str().into(), edition.price);
        let complete = record.editions.first().is_some_and(|first| first.version == 1);
        let known = record.editions.iter().map(known).collect();
        let unused = product.test && !record.used;
        self.0.insert(record.id, Versions { currency: product.currency, complete, unused, known });
    }

    pub(crate) fn knows(&self, id: ProductId) -> bool {
        self.0.contains_key(&id)
    }

    pub(crate) fn currency(&self, id: ProductId) -> Option<Currency> {
        self.0.get(&id).map(|versions| versions.currency)
    }

    /// A reserved line that its product never was.
    pub(crate) fn strange(&self, line: &PricedLine) -> Option<Mismatch> {
        let PricedLine { product_id: id, name, unit_price, currency, .. } = line;
        let Some(versions) = self.0.get(id) else {
            return Some((format!("the product {id} that it reserves"), "no such product".to_owned()));
        };
        if versions.unused {
            let expected = format!("a note that units of product {id}, which is test data, were reserved");
            return Some((expected, "no note".to_owned()));
        }
        let is_known =
            versions.known.iter().any(|(known, price)| (&**known, price) == (name.as_str(), unit_price));
        if versions.currency == *currency && (is_known || !versions.complete) {
            return None;
        }
        let was = |(name, price): &(Box<str>, Money)| format!("`{name}` at {price}");
        let newest = versions.known.last().map(was).unwrap_or_default();
        let currencies = (versions.currency.as_str(), currency.as_str());
        let expected = format!("name and price of a version of product {id}, as {newest} {}", currencies.0);
        Some((expected, format!("`{name}` at {unit_price} {}", currencies.1)))
    }
}

/// I11 of one product.
pub(crate) fn judge(record: &ProductRecord, now: Timestamp, counts: &mut AuditCounts) {
    counts.looked_at(Invariant::TrueToOrigin);
    if let Some((expected, found)) = mismatch(record, now) {
        let product_id = Some(record.id.to_string());
        counts.add((Invariant::TrueToOrigin, Witness { product_id, expected, found, ..Witness::default() }));
    }
}

fn mismatch(record: &ProductRecord, now: Timestamp) -> Option<Mismatch> {
    let ProductRecord { product, initial, restocked, added, editions, .. } = record;
    let (Some(product), Some(initial)) = (product, initial) else {
        return Some(("the product of which versions are stored".to_owned(), "no such product".to_owned()));
    };
    let is = show(product.version, &product.name, product.price, product.currency, *initial);
    let newest =
        editions.last().map(|last| show(last.version, &last.name, last.price, last.currency, last.initial));
    if newest.as_ref() != Some(&is) {
        let newest = newest.unwrap_or_else(|| format!("a version {}", product.version));
        return Some((format!("{newest}, as its newest version says"), is));
    }
    if *restocked != Some(*added) {
        let is = format!("{} units", restocked.unwrap_or_default());
        return Some((format!("{added} units added, as is noted beside it"), is));
    }
    if record.used && !product.test {
        return Some(("the mark of test data, as its use is noted".to_owned(), "no mark".to_owned()));
    }
    let times: Vec<_> = editions.iter().map(|edition| ("the time of a version", edition.at)).collect();
    let written = |edition: &Edition| no_name(&edition.name).or_else(|| no_price(edition.price));
    unwritten(&record.odd)
        .or_else(|| history(product, editions))
        .or_else(|| editions.iter().find_map(written))
        .or_else(|| made(product.id.made(), product.created_at))
        .or_else(|| ahead(&times, now))
        .or_else(|| {
            ahead(&[("createdAt", product.created_at), ("the time in its id", id_time(product))], now)
        })
}

fn id_time(product: &Product) -> Timestamp {
    product.id.made().unwrap_or(product.created_at)
}

fn show(version: u64, name: &str, price: Money, currency: Currency, initial: u64) -> String {
    format!("version {version}, `{name}` at {price} {}, {initial} units at first", currency.as_str())
}

/// Its versions follow each other, and the first was made with it, unless it is forgotten.
fn history(product: &Product, editions: &[Edition]) -> Option<Mismatch> {
    if let Some(first) = editions.first().filter(|first| first.version == 0) {
        return Some(("versions from 1 on".to_owned(), format!("version 0 at {}", first.at)));
    }
    let numbers = || editions.iter().map(|edition| edition.version).collect::<Vec<_>>();
    if editions.windows(2).any(|pair| pair[0].version + 1 != pair[1].version) {
        return Some(("versions without gaps".to_owned(), format!("{:?}", numbers())));
    }
    if let Some(pair) = editions.windows(2).find(|pair| pair[0].at > pair[1].at) {
        let found = format!("version {} at {}, the next at {}", pair[0].version, pair[0].at, pair[1].at);
        return Some(("versions whose times never go back".to_owned(), found));
    }
    let others =
        |edition: &&Edition| (edition.currency, edition.initial) != (product.currency, editions[0].initial);
    if let Some(edition) = editions.iter().find(others) {
        let expected = format!(
            "{} and {} units at first in each version",
            product.currency.as_str(),
            editions[0].initial
        );
        let found =
            format!("{} and {} in version {}", edition.currency.as_str(), edition.initial, edition.version);
        return Some((expected, found));
    }
    let forgotten = u64::try_from(editions.len()).is_ok_and(|count| count >= MAX_EDITIONS);
    let first = editions.first()?;
    (!forgotten && first.at != product.created_at).then(|| {
        let expected = format!("created {}, as version {} was", first.at, first.version);
        (expected, format!("created {}", product.created_at))
    })
}
