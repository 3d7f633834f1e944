//! I11 of products: what one record says that does not fit together, and what was never sold.

use ordersys_contract::evidence::{Edition, MAX_EDITIONS, ProductRecord};
use ordersys_contract::product::{MAX_PRICE_MINOR, Product};

use super::*;
use crate::audit::catalog::{Catalog, judge};

fn euros() -> Currency {
    "EUR".parse().expect("a code")
}

/// A product that was renamed once: five units at first, one more since.
pub(super) fn record() -> ProductRecord {
    let id = id_of(began());
    let edition = |version, name: &str, minor| Edition {
        product_id: id,
        version,
        name: name.to_owned(),
        price: money(minor),
        currency: Currency::USD,
        initial: 5,
        at: after(version),
    };
    let product = Product {
        id,
        name: "Thing".to_owned(),
        price: money(199),
        currency: Currency::USD,
        stock: 6,
        version: 2,
        created_at: after(1),
        test: false,
    };
    let editions = vec![edition(1, "Old", 150), edition(2, "Thing", 199)];
    ProductRecord {
        id,
        product: Some(product),
        initial: Some(5),
        restocked: Some(1),
        used: false,
        odd: Vec::new(),
        added: 1,
        editions,
    }
}

fn product(record: &mut ProductRecord) -> &mut Product {
    record.product.as_mut().expect("a product")
}

/// As many versions as are kept, but for so many; those before are forgotten.
fn forget(record: &mut ProductRecord, fewer: u64) {
    let last = record.editions[1].clone();
    let at = |version| Edition { version, at: after(version), ..last.clone() };
    let newest = 2 * MAX_EDITIONS;
    record.editions = (MAX_EDITIONS + 1 + fewer..=newest).map(at).collect();
    product(record).version = newest;
}

/// What is expected and what is found instead, if the record is wrong.
fn judged(change: impl FnOnce(&mut ProductRecord)) -> Option<String> {
    let mut record = record();
    change(&mut record);
    let mut counts = AuditCounts::default();
    judge(&record, after(3_600), &mut counts);
    let finding = counts.into_report().findings.pop().expect("I11 is the last");
    assert_eq!((finding.id, finding.checked), ("I11", 1));
    let witness = finding.witness?;
    assert_eq!(witness.product_id, Some(record.id.to_string()));
    Some(format!("{}, found {}", witness.expected, witness.found))
}

#[test]
fn a_product_that_fits_together_is_no_violation() {
    assert_eq!(judged(|_| {}), None);
    assert_eq!(judged(|record| record.editions[1].at = record.editions[0].at), None, "within a moment");
    assert_eq!(judged(|record| forget(record, 0)), None);
    let dearest = |record: &mut ProductRecord| {
        product(record).price = money(MAX_PRICE_MINOR);
        record.editions[1].price = money(MAX_PRICE_MINOR);
    };
    assert_eq!(judged(dearest), None);
}

#[test]
fn each_thing_that_does_not_fit_is_named() {
    type Case = (&'static str, fn(&mut ProductRecord));
    let cases: [Case; 19] = [
        ("the product of which versions are stored, found no such product", |record| record.product = None),
        ("the product of which versions are stored, found no such product", |record| record.initial = None),
        (
            "`Thing` at 1.99 USD, 5 units at first, as its newest version says, found version 2, `Other`",
            |record| {
                product(record).name = "Other".to_owned();
            },
        ),
        ("as its newest version says, found version 3, `Thing`", |record| product(record).version = 3),
        ("as its newest version says, found version 2, `Thing` at 2.00", |record| {
            product(record).price = money(200);
        }),
        ("as its newest version says, found version 2, `Thing` at 1.99 EUR", |record| {
            product(record).currency = euros();
        }),
        ("as its newest version says, found version 2, `Thing` at 1.99 USD, 6 units", |record| {
            record.initial = Some(6);
        }),
        ("a version 2, as its newest version says, found version 2", |record| record.editions.clear()),
        ("1 units added, as is noted beside it, found 2 units", |record| record.restocked = Some(2)),
        ("versions from 1 on, found version 0", |record| {
            product(record).version = 1;
            (record.editions[0].version, record.editions[1].version) = (0, 1);
        }),
        ("versions without gaps, found [1, 3]", |record| {
            (product(record).version, record.editions[1].version) = (3, 3);
        }),
        ("versions whose times never go back, found version 1 at", |record| record.editions[1].at = after(0)),
        ("USD and 5 units at first in each version, found EUR and 5 in version 1", |record| {
            record.editions[0].currency = euros();
        }),
        ("USD and 6 units at first in each version, found USD and 5 in version 2", |record| {
            record.editions[0].initial = 6;
        }),
        ("as version 1 was, found created", |record| product(record).created_at = after(0)),
        ("as version 102 was, found created", |record| forget(record, 1)),
        ("a name, found ` `", |record| record.editions[0].name = " ".to_owned()),
        ("a price of at most 1000000000000 minor units, found 1000000000001", |record| {
            record.editions[0].price = money(MAX_PRICE_MINOR + 1);
        }),
        ("no time ahead of the clock, 2023-11-14T23:13:20.000Z, found the time of a version", |record| {
            record.editions[1].at = after(3_700);
        }),
    ];
    for (expected, change) in cases {
        let found = judged(change).expect(expected);
        assert!(found.contains(expected), "{found}\n{expected}");
    }
}

#[test]
fn a_product_was_made_when_its_id_says_and_not_in_the_future() {
    let created = |at: Timestamp| {
        judged(move |record| {
            forget(record, 0);
            product(record).created_at = at;
        })
    };
    assert!(created(after(90)).expect("too late").contains("created about"), "a minute is allowed");
    let ahead = judged(|record| {
        forget(record, 0);
        let at = after(3_700);
        (product(record).created_at, product(record).id) = (at, id_of(at));
    });
    assert!(ahead.expect("ahead").contains("found the time in its id"));
}

#[test]
fn what_was_sold_is_a_version_of_its_product() {
    let mut record = record();
    let line = |name: &str, minor, currency| PricedLine {
        product_id: record.id,
        name: name.to_owned(),
        quantity: Quantity::ONE,
        unit_price: money(minor),
        currency,
    };
    let cases = [
        (line("Thing", 199, Currency::USD), true, true),
        (line("Old", 150, Currency::USD), true, true),
        (line("Old", 199, Currency::USD), false, true),
        (line("Other", 199, Currency::USD), false, true),
        (line("Thing", 199, euros()), false, false),
    ];
    let mut catalog = Catalog::default();
    let nothing = catalog.strange(&cases[0].0).expect("nothing is known yet");
    assert_eq!(nothing.1, "no such product");
    catalog.add(&ProductRecord { product: None, ..record.clone() });
    assert!(!catalog.knows(record.id));
    catalog.add(&record);
    assert_eq!((catalog.knows(record.id), catalog.currency(record.id)), (true, Some(Currency::USD)));
    assert_eq!(catalog.currency(ProductId::now()), None);
    for (line, if_complete, _) in &cases {
        assert_eq!(catalog.strange(line).is_none(), *if_complete, "{line:?}");
    }
    let (expected, found) = catalog.strange(&cases[4].0).expect("in euros");
    assert!(
        expected.ends_with("as `Thing` at 1.99 USD") && found == "`Thing` at 1.99 EUR",
        "{expected} {found}"
    );
    forget(&mut record, 0);
    catalog.add(&record);
    for (line, _, if_forgotten) in &cases {
        assert_eq!(catalog.strange(line).is_none(), *if_forgotten, "{line:?}");
    }
}
