//! Judges the stock: pure, from what was read and what clients were told.

use std::collections::HashSet;

use crate::finding::{Check, Finding, Samples, Witness};
use crate::run::expectations::Expectations;
use ordersys_workload::evidence::ledger::Refusal;
use ordersys_workload::plan::Line;

/// What is known of the stock after a run, by the products' places in the plan.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    /// Units that can be ordered; `None` where it could not be read.
    pub left: Vec<Option<i64>>,
    /// Units added since the run began, where the service tells.
    pub restocked: Vec<Option<i64>>,
    /// Negative stock that was read at any time.
    pub negative: Vec<(u32, i64)>,
    /// Products whose own accounts do not add up, and how.
    pub unbalanced: Vec<(u32, String)>,
    /// Products of orders that gave their units back, so that stock may have risen.
    pub returned: HashSet<u32>,
}

/// Whether several lines of an order are reserved in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserving {
    /// All lines or none, in one step.
    Atomic,
    /// Perhaps line by line: an order that is then refused may hold units for a moment.
    Unknown,
}

/// Judges V1, V2, V3 and V9.
#[must_use]
pub fn judge(expectations: &Expectations<'_>, stock: &Stock, reserving: Reserving) -> Vec<Finding> {
    let mut findings = vec![
        balances(expectations, stock),
        negative(expectations, stock),
        oversell(expectations, stock),
        out_of_stock(expectations, stock, reserving),
    ];
    if stock.left.iter().all(Option::is_none) {
        for finding in &mut findings {
            if !finding.failed() {
                *finding = Finding::skipped(finding.check, "stock could not be read");
            }
        }
    }
    findings
}

fn balances(expectations: &Expectations<'_>, stock: &Stock) -> Finding {
    let (accepted, possible) = (expectations.accepted(), expectations.possible());
    let mut cases = Samples::default();
    for (place, product) in expectations.plan.products().iter().enumerate() {
        let Some(left) = stock.left[place] else { continue };
        let added = Added::of(expectations, stock, place);
        let most = product.stock + added.most - accepted[place];
        let least = product.stock + added.least - accepted[place] - possible[place];
        if !(least..=most).contains(&left) {
            let range = if least == most { most.to_string() } else { format!("{least} to {most}") };
            let sum = format!("{} + {added} - {}", product.stock, accepted[place]);
            cases.add(|| Witness {
                product_id: Some(product.id.to_string()),
                expected: format!(
                    "{range} units left (initial + restocked - accepted and not cancelled = {sum})"
                ),
                found: format!("{left} units"),
                ..Witness::default()
            });
        }
    }
    restocks(expectations, stock, &mut cases);
    for (place, account) in &stock.unbalanced {
        cases.add(|| Witness {
            product_id: Some(expectations.plan.products()[*place as usize].id.to_string()),
            expected: "initial + restocked = available + reserved + sold".to_owned(),
            found: account.clone(),
            ..Witness::default()
        });
    }
    cases.into_finding(Check::StockBalances)
}

/// Units that were added to a product: what the service says, else what clients were told.
struct Added {
    least: i64,
    most: i64,
}

impl Added {
    fn of(expectations: &Expectations<'_>, stock: &Stock, place: usize) -> Self {
        let told = expectations.restocks[place];
        match stock.restocked[place] {
            Some(units) => Self { least: units, most: units },
            None => Self { least: told.done, most: told.done + told.unknown },
        }
    }
}

impl std::fmt::Display for Added {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.least == self.most {
            write!(f, "{}", self.least)
        } else {
            write!(f, "{}..{}", self.least, self.most)
        }
    }
}

/// Units that were acknowledged as added have to be there, and no others.
fn restocks(expectations: &Expectations<'_>, stock: &Stock, cases: &mut Samples) {
    for (place, told) in expectations.restocks.iter().enumerate() {
        let Some(found) = stock.restocked[place] else { continue };
        if !(told.done..=told.done + told.unknown).contains(&found) {
            cases.add(|| Witness {
                product_id: Some(expectations.plan.products()[place].id.to_string()),
                expected: format!("{} units added, {} more unknown", told.done, told.unknown),
                found: format!("{found} units added"),
                ..Witness::default()
            });
        }
    }
}

fn negative(expectations: &Expectations<'_>, stock: &Stock) -> Finding {
    let mut cases = Samples::default();
    let products = expectations.plan.products();
    let after = (0_u32..).zip(&stock.left).filter_map(|(place, left)| Some((place, (*left)?)));
    let before = (0_u32..).zip(products).map(|(place, product)| (place, product.stock));
    for (place, units) in stock.negative.iter().copied().chain(before).chain(after) {
        if units < 0 {
            cases.add(|| Witness {
                product_id: Some(products[place as usize].id.to_string()),
                expected: "0 units or more".to_owned(),
                found: format!("{units} units"),
                ..Witness::default()
            });
        }
    }
    cases.into_finding(Check::NoNegativeStock)
}

fn oversell(expectations: &Expectations<'_>, stock: &Stock) -> Finding {
    let mut cases = Samples::default();
    for (place, accepted) in expectations.accepted().into_iter().enumerate() {
        let product = &expectations.plan.products()[place];
        let there = product.stock + Added::of(expectations, stock, place).most;
        if accepted > there {
            cases.add(|| Witness {
                product_id: Some(product.id.to_string()),
                expected: format!("at most {there} units accepted"),
                found: format!("{accepted} units"),
                ..Witness::default()
            });
        }
    }
    cases.into_finding(Check::NoOversell)
}

/// Nothing gave units back, so stock only fell: what is there now was there when it was denied.
fn out_of_stock(expectations: &Expectations<'_>, stock: &Stock, reserving: Reserving) -> Finding {
    let (mut cases, mut unclear) = (Samples::default(), None);
    for (number, refusal) in &expectations.refused {
        if *refusal != Refusal::OutOfStock {
            continue;
        }
        let draft = expectations.draft(*number);
        if draft.lines.len() > 1 && reserving == Reserving::Unknown {
            unclear = Some("a system that reserves line by line may hold units of an order it then refuses");
            continue;
        }
        let rose = |line: &Line| {
            stock.returned.contains(&line.product)
                || Added::of(expectations, stock, line.product as usize).most > 0
        };
        if draft.lines.iter().any(rose) {
            unclear = Some("stock that was added or given back may have been gone at that moment");
            continue;
        }
        let there = draft.lines.iter().all(|line| {
            stock.left[line.product as usize].is_some_and(|left| left >= i64::from(line.quantity))
        });
        if let (true, Some(line)) = (there, draft.lines.first()) {
            let left = stock.left[line.product as usize].unwrap_or_default();
            cases.add(|| Witness {
                product_id: Some(expectations.plan.products()[line.product as usize].id.to_string()),
                key: Some(expectations.plan.key(*number).to_string()),
                expected: format!("fewer than {} units, as the refusal said", line.quantity),
                found: format!("{left} units still there"),
                ..Witness::default()
            });
        }
    }
    let finding = cases.into_finding(Check::OutOfStockWasTrue);
    match unclear {
        Some(reason) if !finding.failed() => Finding::skipped(finding.check, reason),
        _ => finding,
    }
}
