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
    assert!(matches!(OrderRef::from(upper), OrderRef::Text(_)));
}

#[test]
fn entries_keep_their_order_over_chunks_and_ledgers() {
    let mut ledger = Ledger::default();
    let entry = |number| Entry { number, told: Told::Unknown };
    (0..CHUNK as u64 + 3).for_each(|number| ledger.push(entry(number)));
    let mut other = Ledger::default();
    other.push(entry(99));
    ledger.append(other);
    assert_eq!(ledger.len(), CHUNK + 4);
    assert_eq!(ledger.iter().last(), Some(&entry(99)));
}
