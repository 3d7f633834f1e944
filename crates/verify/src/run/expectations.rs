//! What the system owes its clients: where each sent order must stand, once unknown outcomes are resolved.

use std::collections::{HashMap, HashSet};

use crate::run::coverage::Stage;
use ordersys_workload::evidence::ledger::{Effect, Ledger, OrderRef, Refusal, Restocked, Told};
use ordersys_workload::evidence::reconcile::Contradiction;
use ordersys_workload::plan::{Draft, Line, Plan};

/// What became of an order whose outcome the client did not learn at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It stands.
    Stands {
        /// The order.
        order: OrderRef,
        /// Its total in thousandths of the currency's unit.
        total: Option<i64>,
    },
    /// It was refused.
    Refused(Refusal),
    /// It is still unknown, for this reason.
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
    /// What came of cancelling it, if it was tried.
    pub cancel: Option<Effect>,
    /// Where it stood when it was found.
    pub found: Option<Stage>,
}

/// Whether an order keeps its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// It does.
    Yes,
    /// It gave them back.
    No,
    /// It is unknown.
    Perhaps,
}

impl Claim {
    /// Whether its units are sold to it. Where no client was told what came of cancelling it, what is
    /// stored says so, and the stock has to agree.
    #[must_use]
    pub fn keeps(&self) -> Keeps {
        match (self.cancel, self.found) {
            (None | Some(Effect::Refused), _) | (Some(Effect::Unknown), Some(Stage::Live)) => Keeps::Yes,
            (Some(Effect::Done), _) | (Some(Effect::Unknown), Some(Stage::GaveBack)) => Keeps::No,
            (Some(Effect::Unknown), _) => Keeps::Perhaps,
        }
    }

    /// Whether the order may be found at this stage.
    #[must_use]
    pub fn allows(&self, stage: Stage) -> bool {
        match self.cancel {
            None | Some(Effect::Refused) => stage == Stage::Live,
            Some(Effect::Done) => stage == Stage::GaveBack,
            Some(Effect::Unknown) => matches!(stage, Stage::Live | Stage::GaveBack),
        }
    }
}

/// Everything clients were told, sorted.
#[derive(Debug)]
pub struct Expectations<'a> {
    /// What was sent.
    pub plan: &'a Plan,
    /// Orders that must stand.
    pub standing: HashMap<OrderRef, Claim>,
    /// Orders that must have left nothing.
    pub refused: Vec<(u64, Refusal)>,
    /// Orders that may stand or not, and why that is unknown.
    pub open: Vec<(u64, String)>,
    /// Orders that were named for two keys: the order, the first and the second number.
    pub shared: Vec<(OrderRef, u64, u64)>,
    /// Answers to one key that contradict each other.
    pub contradictions: Vec<Contradiction>,
    /// Units that were added, by the product's place.
    pub restocks: Vec<Restocked>,
    /// Orders sent that had to be refused.
    pub bad: u64,
}

impl<'a> Expectations<'a> {
    /// Sorts the ledger; `resolved` tells of the orders whose outcome came later.
    #[must_use]
    pub fn new(plan: &'a Plan, ledger: &Ledger, mut resolved: HashMap<u64, Resolution>) -> Self {
        let mut restocks = vec![Restocked::default(); plan.products().len()];
        ledger.restocks().iter().for_each(|(place, units)| restocks[*place as usize] = *units);
        let mut expectations = Self {
            plan,
            standing: HashMap::with_capacity(ledger.len()),
            refused: Vec::new(),
            open: Vec::new(),
            shared: Vec::new(),
            contradictions: ledger.contradictions().to_vec(),
            restocks,
            bad: ledger.bad(),
        };
        for entry in ledger.iter() {
            let number = entry.number;
            match &entry.told {
                Told::Confirmed { order, total } => {
                    expectations.stands(order.clone(), number, *total, Origin::Acknowledged);
                }
                Told::Accepted { order } => match resolved.remove(&number) {
                    Some(Resolution::Stands { order, total }) => {
                        expectations.stands(order, number, total, Origin::Acknowledged);
                    }
                    Some(Resolution::Refused(refusal)) => expectations.refused.push((number, refusal)),
                    Some(Resolution::Open(reason)) => expectations.open.push((number, reason)),
                    None => expectations.open.push((number, format!("order {order} was never decided"))),
                },
                Told::Refused(refusal) => expectations.refused.push((number, *refusal)),
                Told::Done => {}
                Told::Unknown => match resolved.remove(&number) {
                    Some(Resolution::Stands { order, total }) => {
                        expectations.stands(order, number, total, Origin::Resolved);
                    }
                    Some(Resolution::Refused(refusal)) => expectations.refused.push((number, refusal)),
                    Some(Resolution::Open(reason)) => expectations.open.push((number, reason)),
                    None => expectations.open.push((number, "the run did not ask again".to_owned())),
                },
            }
        }
        if !ledger.cancels().is_empty() {
            for claim in expectations.standing.values_mut() {
                claim.cancel = ledger.cancels().get(&claim.number).copied();
            }
        }
        expectations
    }

    fn stands(&mut self, order: OrderRef, number: u64, total: Option<i64>, origin: Origin) {
        let claim = Claim { number, total, origin, cancel: None, found: None };
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

    /// Units per product of all orders that keep them.
    #[must_use]
    pub fn accepted(&self) -> Vec<i64> {
        self.units(self.keeping(Keeps::Yes))
    }

    /// Units per product of all orders that may keep them or not.
    #[must_use]
    pub fn possible(&self) -> Vec<i64> {
        self.units(self.keeping(Keeps::Perhaps).chain(self.open.iter().map(|(number, _)| *number)))
    }

    /// Products whose stock may have risen because an order was cancelled.
    #[must_use]
    pub fn given_back(&self) -> HashSet<u32> {
        let cancelled = self.standing.values().filter(|claim| claim.cancel.is_some());
        cancelled.flat_map(|claim| self.draft(claim.number).lines).map(|line| line.product).collect()
    }

    fn keeping(&self, keeps: Keeps) -> impl Iterator<Item = u64> {
        self.standing.values().filter(move |claim| claim.keeps() == keeps).map(|claim| claim.number)
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
