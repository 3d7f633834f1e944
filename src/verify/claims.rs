//! What the system owes its clients: where each sent order must stand, once unknown outcomes are resolved.

use std::collections::HashMap;

use crate::load::ledger::{Ledger, OrderRef, Refusal, Told};
use crate::load::plan::{Draft, Line, Plan};

/// What became of an order whose outcome the client did not learn at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It stands.
    Stands {
        /// The order.
        order: OrderRef,
        /// Its total in minor units.
        total: Option<i64>,
    },
    /// It was refused.
    Refused(Refusal),
    /// Still nobody knows, for this reason.
    Open(String),
}

/// How the client came to know that an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was acknowledged.
    Acknowledged,
    /// The answer was lost; asking again told.
    Resolved,
}

/// One order that must stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its number in the plan.
    pub number: u64,
    /// The total the client was told.
    pub total: Option<i64>,
    /// How the client knows.
    pub origin: Origin,
    /// Whether it was found.
    pub seen: bool,
}

/// Everything clients were told, sorted.
#[derive(Debug)]
pub struct Claims<'a> {
    /// What was sent.
    pub plan: &'a Plan,
    /// Orders that must stand.
    pub standing: HashMap<OrderRef, Claim>,
    /// Orders that must have left nothing.
    pub refused: Vec<(u64, Refusal)>,
    /// Orders that may stand or not, and why nobody knows.
    pub open: Vec<(u64, String)>,
    /// Orders that were named for two keys: the order, the first and the second number.
    pub shared: Vec<(OrderRef, u64, u64)>,
}

impl<'a> Claims<'a> {
    /// Sorts the ledger; `resolved` tells of the orders whose outcome came later.
    #[must_use]
    pub fn new(plan: &'a Plan, ledger: &Ledger, mut resolved: HashMap<u64, Resolution>) -> Self {
        let (refused, open, shared) = (Vec::new(), Vec::new(), Vec::new());
        let mut claims = Self { plan, standing: HashMap::with_capacity(ledger.len()), refused, open, shared };
        for entry in ledger.iter() {
            let number = entry.number;
            match &entry.told {
                Told::Confirmed { order, total } => {
                    claims.stands(order.clone(), number, *total, Origin::Acknowledged);
                }
                Told::Accepted { order } => match resolved.remove(&number) {
                    Some(Resolution::Stands { order, total }) => {
                        claims.stands(order, number, total, Origin::Acknowledged);
                    }
                    Some(Resolution::Refused(refusal)) => claims.refused.push((number, refusal)),
                    Some(Resolution::Open(reason)) => claims.open.push((number, reason)),
                    None => claims.open.push((number, format!("order {order} was never decided"))),
                },
                Told::Refused(refusal) => claims.refused.push((number, *refusal)),
                Told::Unknown => match resolved.remove(&number) {
                    Some(Resolution::Stands { order, total }) => {
                        claims.stands(order, number, total, Origin::Resolved);
                    }
                    Some(Resolution::Refused(refusal)) => claims.refused.push((number, refusal)),
                    Some(Resolution::Open(reason)) => claims.open.push((number, reason)),
                    None => claims.open.push((number, "nobody asked again".to_owned())),
                },
            }
        }
        claims
    }

    fn stands(&mut self, order: OrderRef, number: u64, total: Option<i64>, origin: Origin) {
        let claim = Claim { number, total, origin, seen: false };
        if let Some(first) = self.standing.get(&order) {
            self.shared.push((order, first.number, number));
        } else {
            self.standing.insert(order, claim);
        }
    }

    /// The content of an order, its lines in order of their products.
    #[must_use]
    pub fn draft(&self, number: u64) -> Draft {
        let mut draft = Draft::default();
        self.plan.draft(number, &mut draft);
        draft.lines.sort_unstable();
        draft
    }

    /// The content of an order for people.
    #[must_use]
    pub fn show(&self, draft: &Draft) -> String {
        let products = self.plan.products();
        let line = |line: &Line| format!("{} x {}", line.quantity, products[line.product as usize].id);
        let lines: Vec<_> = draft.lines.iter().map(line).collect();
        format!("{} for user {}", lines.join(", "), self.plan.user(draft.user))
    }

    /// Units per product of all orders that must stand.
    #[must_use]
    pub fn accepted(&self) -> Vec<i64> {
        self.units(self.standing.values().map(|claim| claim.number))
    }

    /// Units per product of all orders that may stand or not.
    #[must_use]
    pub fn possible(&self) -> Vec<i64> {
        self.units(self.open.iter().map(|(number, _)| *number))
    }

    fn units(&self, numbers: impl Iterator<Item = u64>) -> Vec<i64> {
        let mut units = vec![0; self.plan.products().len()];
        let mut draft = Draft::default();
        for number in numbers {
            self.plan.draft(number, &mut draft);
            for line in &draft.lines {
                units[line.product as usize] += i64::from(line.quantity);
            }
        }
        units
    }
}
