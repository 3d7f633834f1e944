//! What several answers to one key come to, and which of them contradict each other. Pure.

use crate::evidence::ledger::{Entry, Refusal, Told};

/// Two answers to one key that cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The order's number in the plan.
    pub number: u64,
    /// What was said once.
    pub one: Told,
    /// What was said another time.
    pub other: Told,
}

/// Adds what was said another time of the same order. What is definite counts more than what is not.
pub fn unite(entry: &mut Entry, told: Told, contradictions: &mut Vec<Contradiction>) {
    if contradict(&entry.told, &told) {
        let one = entry.told.clone();
        contradictions.push(Contradiction { number: entry.number, one, other: told.clone() });
    }
    if weight(&told) > weight(&entry.told) {
        entry.told = told;
    }
}

fn weight(told: &Told) -> u8 {
    match told {
        Told::Confirmed { .. } => 4,
        Told::Accepted { .. } => 3,
        Told::Refused(Refusal::OutOfStock | Refusal::Other) => 2,
        Told::Unknown => 1,
        Told::Refused(Refusal::NotNow) | Told::Done => 0,
    }
}

fn contradict(one: &Told, other: &Told) -> bool {
    let order = |told: &Told| match told {
        Told::Confirmed { order, .. } | Told::Accepted { order } => Some(order.clone()),
        Told::Refused(_) | Told::Unknown | Told::Done => None,
    };
    match (one, other) {
        // An order that was accepted may still be refused; one that was confirmed may not.
        (Told::Confirmed { .. }, Told::Refused(refusal))
        | (Told::Refused(refusal), Told::Confirmed { .. }) => *refusal != Refusal::NotNow,
        _ => order(one).zip(order(other)).is_some_and(|(one, other)| one != other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ledger::{Change, Effect, Ledger, OrderRef, Restocked};

    fn confirmed(order: &str) -> Told {
        Told::Confirmed { order: OrderRef::from(order), total: None }
    }

    /// What a key's answers come to, and how many contradictions they have.
    fn united(tolds: &[Told]) -> (Told, usize) {
        let mut ledger = Ledger::default();
        for (place, told) in tolds.iter().enumerate() {
            ledger.note(if place == 0 { Change::Order(7) } else { Change::Again(7) }, told.clone());
        }
        ledger.settle();
        assert_eq!(ledger.len(), 1);
        (ledger.iter().next().expect("one").told.clone(), ledger.contradictions().len())
    }

    #[test]
    fn answers_to_one_key_are_united() {
        let (not_now, out) = (Told::Refused(Refusal::NotNow), Told::Refused(Refusal::OutOfStock));
        let accepted = |order| Told::Accepted { order: OrderRef::from(order) };
        let cases = [
            (vec![confirmed("a"), confirmed("a")], confirmed("a"), 0),
            (vec![Told::Unknown, confirmed("a")], confirmed("a"), 0),
            (vec![not_now.clone(), Told::Unknown], Told::Unknown, 0),
            (vec![not_now.clone(), confirmed("a"), not_now.clone()], confirmed("a"), 0),
            (vec![accepted("a"), confirmed("a")], confirmed("a"), 0),
            (vec![accepted("a"), out.clone()], accepted("a"), 0),
            (vec![out.clone(), Told::Unknown], out.clone(), 0),
            (vec![confirmed("a"), confirmed("b")], confirmed("a"), 1),
            (vec![confirmed("a"), accepted("b")], confirmed("a"), 1),
            (vec![out, confirmed("a")], confirmed("a"), 1),
        ];
        for (tolds, expected, contradictions) in cases {
            assert_eq!(united(&tolds), (expected, contradictions), "{tolds:?}");
        }
    }

    #[test]
    fn what_changes_something_is_summed_up() {
        let mut ledger = Ledger::default();
        for told in [confirmed("a"), Told::Unknown, Told::Refused(Refusal::Other)] {
            let mut one = Ledger::default();
            one.note(Change::Restock(3, 5), told);
            one.note(Change::Bad, Told::Unknown);
            ledger.append(one);
        }
        ledger.note(Change::Cancel(9), Told::Unknown);
        ledger.note(Change::Again(4), confirmed("b"));
        ledger.settle();
        assert_eq!(ledger.restocks()[&3], Restocked { done: 5, unknown: 5 });
        assert_eq!((ledger.bad(), ledger.cancels()[&9]), (3, Effect::Unknown));
        assert_eq!(ledger.iter().map(|entry| entry.number).collect::<Vec<_>>(), [4], "sent again only");
    }
}
