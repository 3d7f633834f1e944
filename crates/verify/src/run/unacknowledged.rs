//! Stored orders that no client was told of, and whose they are by their content: pure.

use std::collections::{HashMap, HashSet};

use crate::finding::{Samples, Witness};
use crate::run::expectations::Expectations;
use ordersys_workload::evidence::ledger::OrderRef;
use ordersys_workload::plan::Draft;

/// Most unexpected orders that are looked at one by one.
const MAX_STRANGERS: usize = 10_000;

/// Stored orders that no client was told of.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    orders: Vec<(OrderRef, Option<Draft>)>,
    more: u64,
}

/// Where cases go.
#[derive(Debug)]
pub(crate) struct Books<'a> {
    /// Orders that no client sent.
    pub(crate) phantom: &'a mut Samples,
    /// Second orders for a key.
    pub(crate) duplicates: &'a mut Samples,
    /// Orders of refused requests.
    pub(crate) traces: &'a mut Samples,
}

impl Strangers {
    /// One more; its content if it could have been sent by the run.
    pub(crate) fn add(&mut self, order: OrderRef, content: Option<Draft>) {
        if self.orders.len() < MAX_STRANGERS {
            self.orders.push((order, content));
        } else {
            self.more += 1;
        }
    }

    /// Decides by its content whether each is an unknown outcome that was applied, the trace of a
    /// refused order, a second order for a key, or one that no client sent.
    pub(crate) fn judge(&self, expectations: &Expectations<'_>, books: &mut Books<'_>) {
        let contents: HashSet<_> = self.orders.iter().filter_map(|(_, draft)| draft.as_ref()).collect();
        let having = |numbers: Vec<u64>| Having::new(expectations, &contents, numbers);
        let mut open = having(expectations.open.iter().map(|(number, _)| *number).collect());
        let refused = having(expectations.refused.iter().map(|(number, _)| *number).collect());
        let standing = having(expectations.standing.values().map(|claim| claim.number).collect());
        for (order, content) in &self.orders {
            let witness = |expected: &str, number: Option<u64>| Witness {
                order_id: Some(order.to_string()),
                key: number.map(|number| expectations.plan.key(number).to_string()),
                expected: expected.to_owned(),
                found: match content {
                    Some(draft) => expectations.show(draft),
                    None => "other users or products".to_owned(),
                },
                ..Witness::default()
            };
            if open.take(content.as_ref()) {
                continue; // applied; a second one of this content is judged as the others
            }
            if let Some(number) = refused.first(content.as_ref()) {
                books.traces.add(|| witness("no order, since it was refused", Some(number)));
            } else if let Some(number) = standing.first(content.as_ref()) {
                books.duplicates.add(|| witness("no second order of this content", Some(number)));
            } else {
                books.phantom.add(|| witness("only orders that clients sent", None));
            }
        }
        for _ in 0..self.more {
            books.phantom.add(|| Witness {
                expected: "only orders that clients were told of".to_owned(),
                found: format!("more than {MAX_STRANGERS} of them"),
                ..Witness::default()
            });
        }
    }
}

/// Sent orders by content, only of the contents that matter.
struct Having(HashMap<Draft, Vec<u64>>);

impl Having {
    fn new(expectations: &Expectations<'_>, contents: &HashSet<&Draft>, numbers: Vec<u64>) -> Self {
        let mut having: HashMap<Draft, Vec<u64>> = HashMap::new();
        if contents.is_empty() {
            return Self(having); // nearly always
        }
        for number in numbers {
            let draft = expectations.draft(number);
            if contents.contains(&draft) {
                having.entry(draft).or_default().push(number);
            }
        }
        Self(having)
    }

    fn first(&self, content: Option<&Draft>) -> Option<u64> {
        self.0.get(content?)?.first().copied()
    }

    fn take(&mut self, content: Option<&Draft>) -> bool {
        content.and_then(|draft| self.0.get_mut(draft)?.pop()).is_some()
    }
}
