//! I7: what keys and orders say of each other, whichever is read first.

use ordersys_contract::IdempotencyKey;

use super::*;

fn print(key: &str) -> u32 {
    IdempotencyKey::parse(key).expect("a key").print()
}

/// An order that was made with a key of this print.
fn made_with(print: Option<u32>) -> OrderRecord {
    let mut record = confirmed().order.expect("an order");
    record.key_print = print;
    record
}

fn names(key: &str, record: &OrderRecord) -> KeyRecord {
    KeyRecord { user_id: record.order.user_id, key: key.to_owned(), order_id: record.order.id }
}

/// What is wrong after these keys, this order, and these keys once more were read.
fn wrong(keys: &[KeyRecord], order: &OrderRecord, again: &[KeyRecord]) -> Option<String> {
    let (mut counts, mut all) = (AuditCounts::default(), Keys::default());
    for key in keys {
        all.key(key, &mut counts);
    }
    all.order(order, &mut counts);
    all.finish(again, &mut counts);
    let finding = counts.into_report().findings.swap_remove(6);
    assert_eq!((finding.id, finding.checked), ("I7", keys.len() as u64));
    let witness = finding.witness?;
    assert_eq!(witness.order_id, Some(order.order.id.to_string()));
    Some(format!("{}, found {}", witness.expected, witness.found))
}

#[test]
fn an_order_has_the_key_it_was_made_with_and_no_other() {
    let (with, without, unknown) = (made_with(Some(print("a"))), made_with(Some(0)), made_with(None));
    let another = KeyRecord { user_id: UserId::now(), ..names("a", &with) };
    for (keys, order, again, expected) in [
        (vec![names("a", &with)], &with, vec![], None),
        (vec![], &without, vec![], None),
        (vec![names("a", &unknown)], &unknown, vec![], None),
        (vec![], &unknown, vec![], None),
        (vec![], &with, vec![names("a", &with)], None),
        (vec![], &with, vec![names("b", &with)], Some("so that a repeated post finds it, found no key")),
        (vec![], &with, vec![], Some("so that a repeated post finds it, found no key")),
        (vec![names("b", &with)], &with, vec![], Some("the key it was made with, found another key")),
        (
            vec![names("a", &without)],
            &without,
            vec![],
            Some("no key, as it was made without one, found another key"),
        ),
        (
            vec![names("a", &with), names("a", &with)],
            &with,
            vec![],
            Some("one key for the order, found a second"),
        ),
        (vec![another], &with, vec![], Some("an order of user")),
    ] {
        let found = wrong(&keys, order, &again);
        assert_eq!(found.is_some(), expected.is_some(), "{keys:?} {again:?}: {found:?}");
        let found = found.unwrap_or_default();
        assert!(found.contains(expected.unwrap_or_default()), "{found}");
    }
}

#[test]
fn keys_are_settled_once_everything_was_seen_from_both_sides() {
    let (named, bare) = (made_with(Some(print("a"))), made_with(Some(print("b"))));
    let mut counts = AuditCounts::default();
    let mut keys = Keys::default();
    let key = names("a", &named);
    assert!(keys.is_settled() && !keys.is_about(named.order.id));
    keys.key(&key, &mut counts);
    assert!(!keys.is_settled() && keys.is_about(named.order.id));
    keys.order(&named, &mut counts);
    assert!(keys.is_settled() && !keys.is_about(named.order.id));
    keys.order(&bare, &mut counts);
    assert!(!keys.is_settled() && keys.is_about(bare.order.id));
    assert_eq!(keys.unnamed(std::slice::from_ref(&key)), [bare.order.id]);
    assert_eq!(keys.unnamed(&[names("b", &bare)]), []);
    keys.forget(bare.order.id);
    assert!(keys.is_settled());
    keys.finish(&[key], &mut counts);
    assert_eq!(counts.cases(Invariant::OneOrderPerKey), 0);
}
