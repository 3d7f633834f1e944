use super::*;

#[test]
fn an_order_costs_at_most_64_bytes() {
    assert!(size_of::<Entry>() <= 64, "{}", size_of::<Entry>());
}

#[test]
fn ids_come_back_as_they_were() {
    let upper = "018F4E1B-0000-7000-8000-000000000001";
    for text in ["018f4e1b-0000-7000-8000-000000000001", upper, "order-7", ""] {
        assert_eq!(OrderRef::from(text).to_string(), text);
    }
    let is_uuid = |text: &str| matches!(OrderRef::from(text), OrderRef::Uuid(_));
    assert!(is_uuid("018f4e1b-0000-7000-8000-000000000001"));
    assert!(!is_uuid(upper) && !is_uuid("018f4e1b000070008000000000000001"));
}

#[test]
fn entries_keep_their_order_over_chunks_and_ledgers() {
    let mut ledger = Ledger::default();
    let entry = |number| Entry { number, told: Told::Unknown };
    assert!(ledger.is_empty());
    (0..CHUNK as u64 + 3).for_each(|number| ledger.push(entry(number)));
    assert_eq!(ledger.orders.0.iter().map(Vec::len).collect::<Vec<_>>(), [CHUNK, 3]);
    let mut other = Ledger::default();
    other.push(entry(99));
    ledger.append(other);
    assert_eq!((ledger.len(), ledger.is_empty()), (CHUNK + 4, false));
    assert_eq!(ledger.iter().last(), Some(&entry(99)));
}

#[test]
fn the_first_readings_of_negative_stock_are_kept() {
    let (mut ledger, mut other) = (Ledger::default(), Ledger::default());
    ledger.saw_negative(1, -1);
    (0..200).for_each(|units| other.saw_negative(2, -units));
    assert_eq!((other.negative().len(), other.negative()[99]), (MAX_NEGATIVE, (2, -99)));
    ledger.append(other);
    assert_eq!((ledger.negative().len(), ledger.negative()[0]), (MAX_NEGATIVE, (1, -1)));
}
