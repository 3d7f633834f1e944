//! Judges stored orders one by one as they are read: pure, in memory that does not grow with their number.

use std::collections::{HashMap, HashSet};

use crate::finding::{Check, Finding, Samples, Witness};
use crate::run::coverage::{Coverage, Replays, Stage, skip_reason};
use crate::run::expectations::{Claim, Expectations, Origin};
use crate::run::unacknowledged::{Books, Strangers};
use crate::system::wire;
use ordersys_workload::amount::show_amount;
use ordersys_workload::evidence::ledger::{Effect, OrderRef, Told};
use ordersys_workload::plan::{Draft, Line};

/// Reads stored orders and collects what is wrong with them.
#[derive(Debug)]
pub struct Judge<'a> {
    expectations: Expectations<'a>,
    products: HashMap<&'a str, u32>,
    users: HashMap<&'a str, u32>,
    lost: Samples,
    half: Samples,
    totals: Samples,
    phantom: Samples,
    strangers: Strangers,
    refused_stored: u64,
    returned: HashSet<u32>,
}

impl<'a> Judge<'a> {
    /// A judge who has seen nothing yet.
    #[must_use]
    pub fn new(expectations: Expectations<'a>) -> Self {
        let plan = expectations.plan;
        Self {
            products: (0..).zip(plan.products()).map(|(place, product)| (&*product.id, place)).collect(),
            users: (0..).zip(plan.users()).map(|(place, user)| (user, place)).collect(),
            expectations,
            lost: Samples::default(),
            half: Samples::default(),
            totals: Samples::default(),
            phantom: Samples::default(),
            strangers: Strangers::default(),
            refused_stored: 0,
            returned: HashSet::new(),
        }
    }

    /// What is claimed.
    #[must_use]
    pub fn expectations(&self) -> &Expectations<'a> {
        &self.expectations
    }

    /// Products of orders that gave units back.
    #[must_use]
    pub fn returned(&self) -> &HashSet<u32> {
        &self.returned
    }

    /// Looks at one stored order, which must not be looked at twice.
    pub fn stored(&mut self, order: &wire::Order) {
        let id = OrderRef::from(order.id.as_str());
        let stage = Stage::of(order);
        let content = self.content(order, &id);
        if stage == Stage::GaveBack
            && let Some(draft) = &content
        {
            self.returned.extend(draft.lines.iter().map(|line| line.product));
        }
        if let Some(claim) = self.expectations.standing.get_mut(&id) {
            claim.found = Some(stage);
            let claim = claim.clone();
            self.compare(order, &claim, stage, content.as_ref());
            self.total(order, &claim);
        } else if matches!(stage, Stage::Refused | Stage::GaveBack) {
            self.refused_stored += 1;
        } else {
            self.strangers.add(id, content);
        }
    }

    /// Orders that must stand and were not seen yet, each with the place of its user.
    #[must_use]
    pub fn missing(&self) -> Vec<(OrderRef, u32)> {
        let unseen = self.expectations.standing.iter().filter(|(_, claim)| claim.found.is_none());
        unseen.map(|(order, claim)| (order.clone(), self.expectations.draft(claim.number).user)).collect()
    }

    /// The order's content in terms of the plan; `None` if it names anything else. A system that does
    /// not name the user is believed.
    fn content(&self, order: &wire::Order, id: &OrderRef) -> Option<Draft> {
        let user = match &order.user_id {
            Some(user) => *self.users.get(user.as_str())?,
            None => self.expectations.draft(self.expectations.standing.get(id)?.number).user,
        };
        let line = |line: &wire::Line| {
            let quantity = u32::try_from(line.quantity).ok()?;
            Some(Line { product: *self.products.get(line.product_id.as_str())?, quantity })
        };
        let mut lines = order.items.iter().map(line).collect::<Option<Vec<_>>>()?;
        lines.sort_unstable();
        Some(Draft { user, lines })
    }

    fn compare(&mut self, order: &wire::Order, claim: &Claim, stage: Stage, content: Option<&Draft>) {
        let sent = self.expectations.draft(claim.number);
        let expected_total = claim.total.filter(|total| order.total.is_some_and(|found| found.0 != *total));
        let (expected, found) = if !claim.allows(stage) {
            let expected = match claim.cancel {
                Some(Effect::Done) => "a cancelled order",
                _ => "an order that stands",
            };
            (expected.to_owned(), format!("status {}", order.status.as_deref().unwrap_or("none")))
        } else if content != Some(&sent) {
            (self.expectations.show(&sent), show_stored(order))
        } else if let (Some(told), Some(found)) = (expected_total, order.total) {
            (format!("total {}, as acknowledged", show_amount(told)), format!("total {found}"))
        } else {
            return;
        };
        self.cases_of(claim.origin).add(|| Witness {
            order_id: Some(order.id.clone()),
            expected,
            found,
            ..Witness::default()
        });
    }

    fn total(&mut self, order: &wire::Order, claim: &Claim) {
        let Some(total) = order.total else { return };
        let draft = self.expectations.draft(claim.number);
        let products = self.expectations.plan.products();
        let sum = |line: &Line| products[line.product as usize].price.saturating_mul(line.quantity.into());
        let expected: i64 = draft.lines.iter().map(sum).fold(0, i64::saturating_add);
        if total.0 != expected {
            self.totals.add(|| Witness {
                order_id: Some(order.id.clone()),
                expected: format!("total {}", show_amount(expected)),
                found: format!("total {total}"),
                ..Witness::default()
            });
        }
    }

    fn cases_of(&mut self, origin: Origin) -> &mut Samples {
        match origin {
            Origin::Acknowledged => &mut self.lost,
            Origin::Resolved => &mut self.half,
        }
    }

    /// Judges V4, V5, V6, V7, V8 and V10 with the orders seen. `replays` are cases found by sending a
    /// key again.
    #[must_use]
    pub fn finish(mut self, coverage: &Coverage, replays: Replays) -> Vec<Finding> {
        if !matches!(coverage, Coverage::Nothing(_)) {
            self.count_missing();
        }
        let mut duplicates = replays.differing;
        self.shared_keys(&mut duplicates);
        self.contradictions(&mut duplicates);
        let mut traces = Samples::default();
        let mut books =
            Books { phantom: &mut self.phantom, duplicates: &mut duplicates, traces: &mut traces };
        self.strangers.judge(&self.expectations, &mut books);
        self.count_refused();
        let unresolved = self.unresolved(replays.skipped.as_deref());
        let Self { lost, half, totals, phantom, .. } = self;
        let mut findings = vec![
            lost.into_finding(Check::NothingLost),
            phantom.into_finding(Check::NoPhantom),
            duplicates.into_finding(Check::NoDuplicate),
            half.into_finding(Check::WholeOrNothing),
            traces.into_finding(Check::RefusalLeavesNoTrace),
            totals.into_finding(Check::TotalsAddUp),
        ];
        for finding in &mut findings {
            let reason =
                skip_reason(finding.check, coverage, replays.skipped.as_deref(), unresolved.as_deref());
            if let (false, Some(reason)) = (finding.failed(), reason) {
                *finding = Finding::skipped(finding.check, reason);
            }
        }
        findings
    }

    fn count_missing(&mut self) {
        let unseen = self.expectations.standing.iter().filter(|(_, claim)| claim.found.is_none());
        let unseen: Vec<_> = unseen.map(|(order, claim)| (order.clone(), claim.clone())).collect();
        for (order, claim) in unseen {
            let expected = self.expectations.show(&self.expectations.draft(claim.number));
            let key = self.expectations.plan.key(claim.number).to_string();
            self.cases_of(claim.origin).add(|| Witness {
                order_id: Some(order.to_string()),
                key: Some(key),
                expected,
                found: "no such order".to_owned(),
                ..Witness::default()
            });
        }
    }

    fn shared_keys(&self, duplicates: &mut Samples) {
        let plan = self.expectations.plan;
        for (order, first, second) in &self.expectations.shared {
            duplicates.add(|| Witness {
                order_id: Some(order.to_string()),
                key: Some(plan.key(*second).to_string()),
                expected: "an order of its own".to_owned(),
                found: format!("the order of key {}", plan.key(*first)),
                ..Witness::default()
            });
        }
    }

    fn contradictions(&self, duplicates: &mut Samples) {
        let said = |told: &Told| match told {
            Told::Confirmed { order, .. } | Told::Accepted { order } => format!("order {order}"),
            Told::Refused(_) => "a refusal".to_owned(),
            Told::Unknown | Told::Done => "nothing".to_owned(),
        };
        for contradiction in &self.expectations.contradictions {
            duplicates.add(|| Witness {
                key: Some(self.expectations.plan.key(contradiction.number).to_string()),
                expected: format!("{} again when the key is sent again", said(&contradiction.one)),
                found: said(&contradiction.other),
                ..Witness::default()
            });
        }
    }

    /// Stored refusals belong to orders that were refused or whose outcome is unknown.
    fn count_refused(&mut self) {
        let sent =
            (self.expectations.refused.len() + self.expectations.open.len()) as u64 + self.expectations.bad;
        let stored = self.refused_stored;
        if stored > sent {
            self.phantom.add(|| Witness {
                expected: format!("at most {sent} stored refusals, as many as were sent"),
                found: format!("{stored} stored refusals"),
                ..Witness::default()
            });
        }
    }

    /// What to report of unknown outcomes. Where keys are promised to be answered, staying unknown is
    /// against the promise.
    fn unresolved(&mut self, no_replays: Option<&str>) -> Option<String> {
        let (number, reason) = self.expectations.open.first()?.clone();
        let open = self.expectations.open.len();
        if no_replays.is_some() {
            return Some(format!("{open} outcomes stayed unknown: {reason}"));
        }
        for _ in 0..open {
            self.half.add(|| Witness {
                key: Some(self.expectations.plan.key(number).to_string()),
                expected: "a definite answer when the key is sent again".to_owned(),
                found: reason.clone(),
                ..Witness::default()
            });
        }
        None
    }
}

fn show_stored(order: &wire::Order) -> String {
    let lines: Vec<_> =
        order.items.iter().map(|line| format!("{} x {}", line.quantity, line.product_id)).collect();
    format!("{} for user {}", lines.join(", "), order.user_id.as_deref().unwrap_or("unknown"))
}
