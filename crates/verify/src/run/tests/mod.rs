//! A correct system in memory, one defect at a time: each must be found by the check made for it, and
//! the correct one by none.

mod defects;

use std::collections::HashMap;

use crate::finding::{Check, Samples};
use crate::run::coverage::{Coverage, Replays};
use crate::run::expectations::{Expectations, Resolution};
use crate::run::orders::Judge;
use crate::run::stock;
use crate::run::stock::{Reserving, Stock};
use crate::run::tests::defects::DEFECTS;
use crate::system::wire;
use ordersys_workload::amount::Amount;
use ordersys_workload::evidence::ledger::{Change, Entry, Ledger, OrderRef, Refusal, Told};
use ordersys_workload::model::CountRange;
use ordersys_workload::plan::{Draft, Plan, Product, Shape};

const STOCK: i64 = 1000;
const ORDERS: u64 = 50;

/// A run that has ended and the system after it.
struct World {
    plan: Plan,
    told: Vec<Told>,
    resolved: HashMap<u64, Resolution>,
    stored: Vec<wire::Order>,
    again: Vec<(u64, Told)>,
    cancels: Vec<(u64, Told)>,
    restocks: Vec<(u32, u32, Told)>,
    /// What the service says was added to each product, if it tells.
    restocked: Vec<Option<i64>>,
    bad: u64,
    left: Vec<i64>,
    negative: Vec<(u32, i64)>,
    differing: Samples,
    coverage: Coverage,
    reserving: Reserving,
}

fn plan() -> Plan {
    let users: Vec<_> = (0..4).map(|n| format!("u{n}")).collect();
    let products = (0..5).map(|n| Product::new(&format!("p{n}"), 100 + n, STOCK)).collect();
    let span = CountRange::new(1, 3).expect("a range");
    Plan::new(Shape { lines: span, quantity: span, ..Shape::default() }, 7, &users, products)
}

fn draft(plan: &Plan, number: u64) -> Draft {
    let mut draft = Draft::default();
    plan.draft(number, &mut draft);
    draft
}

fn order(plan: &Plan, number: u64, status: &str) -> wire::Order {
    let draft = draft(plan, number);
    let product = |place: u32| &plan.products()[place as usize];
    let line = |line: &ordersys_workload::plan::Line| wire::Line {
        product_id: product(line.product).id.to_string(),
        quantity: line.quantity.into(),
        unit_price: None,
    };
    let price = |line: &ordersys_workload::plan::Line| product(line.product).price * i64::from(line.quantity);
    wire::Order {
        id: format!("o{number}"),
        user_id: Some(plan.user(draft.user).to_owned()),
        items: draft.lines.iter().map(line).collect(),
        total: Some(Amount(draft.lines.iter().map(price).sum())),
        status: Some(status.to_owned()),
    }
}

impl World {
    /// Orders 0 to 49 confirmed.
    fn new() -> Self {
        let plan = plan();
        let stored: Vec<_> = (0..ORDERS).map(|number| order(&plan, number, "confirmed")).collect();
        let told = stored.iter().map(|order| Told::Confirmed {
            order: OrderRef::from(order.id.as_str()),
            total: order.total.map(|total| total.0),
        });
        let mut world = Self {
            told: told.collect(),
            resolved: HashMap::new(),
            stored,
            again: Vec::new(),
            cancels: Vec::new(),
            restocks: Vec::new(),
            restocked: vec![Some(0); plan.products().len()],
            bad: 0,
            left: vec![STOCK; plan.products().len()],
            negative: Vec::new(),
            differing: Samples::default(),
            coverage: Coverage::All,
            reserving: Reserving::Atomic,
            plan,
        };
        (0..ORDERS).for_each(|number| world.take(number, 1));
        world
    }

    /// Moves the units of an order out of stock, `times` often.
    fn take(&mut self, number: u64, times: i64) {
        for line in draft(&self.plan, number).lines {
            self.left[line.product as usize] -= i64::from(line.quantity) * times;
        }
    }

    /// Makes order `number` an unknown outcome that asking again resolved.
    fn resolve(&mut self, number: u64, resolution: Resolution) {
        self.told[at(number)] = Told::Unknown;
        self.resolved.insert(number, resolution);
    }

    /// Cancels order `number`: its client is told `told`, it is stored as cancelled, its units are back.
    fn cancel(&mut self, number: u64, told: Told) {
        self.cancels.push((number, told));
        self.stored[at(number)].status = Some("cancelled".into());
        self.take(number, -1);
    }

    /// Adds units to product 0, of which the client is told `told`.
    fn restock(&mut self, units: u32, told: Told) {
        self.restocks.push((0, units, told));
        self.restocked[0] = self.restocked[0].map(|sum| sum + i64::from(units));
        self.left[0] += i64::from(units);
    }

    fn stands(number: u64) -> Resolution {
        Resolution::Stands { order: OrderRef::from(format!("o{number}").as_str()), total: None }
    }

    /// The checks that fail and those that are skipped.
    fn judge(self) -> (String, String) {
        let mut ledger = Ledger::default();
        for (number, told) in (0..).zip(self.told) {
            ledger.push(Entry { number, told });
        }
        for (number, told) in self.again {
            ledger.note(Change::Again(number), told);
        }
        for (number, told) in self.cancels {
            ledger.note(Change::Cancel(number), told);
        }
        for (product, units, told) in self.restocks {
            ledger.note(Change::Restock(product, units), told);
        }
        (0..self.bad).for_each(|_| ledger.note(Change::Bad, Told::Refused(Refusal::Other)));
        ledger.settle();
        let mut judge = Judge::new(Expectations::new(&self.plan, &ledger, self.resolved));
        self.stored.iter().for_each(|order| judge.stored(order));
        let mut returned = judge.expectations().given_back();
        returned.extend(judge.returned());
        let stock = Stock {
            left: self.left.into_iter().map(Some).collect(),
            restocked: self.restocked,
            negative: self.negative,
            returned,
            ..Stock::default()
        };
        let mut findings = stock::judge(judge.expectations(), &stock, self.reserving);
        findings.extend(judge.finish(&self.coverage, Replays { differing: self.differing, skipped: None }));
        findings.sort_by_key(|finding| finding.check);
        assert_eq!(findings.iter().map(|finding| finding.check).collect::<Vec<_>>(), of_the_system());
        let ids = |word: &str| {
            let with = findings.iter().filter(|finding| finding.word() == word);
            with.map(|finding| finding.check.id()).collect::<Vec<_>>().join(" ")
        };
        (ids("FAIL"), ids("SKIP"))
    }
}

/// The checks of the system; those of the generator are tested where they are made.
fn of_the_system() -> Vec<Check> {
    Check::ALL.into_iter().filter(|check| check.id().starts_with('V')).collect()
}

fn at(number: u64) -> usize {
    usize::try_from(number).expect("small")
}

#[test]
fn every_defect_is_found_by_the_check_made_for_it() {
    for (what, happens, expected) in DEFECTS {
        let mut world = World::new();
        happens(&mut world);
        let (failed, _) = world.judge();
        assert_eq!(failed, *expected, "{what}");
    }
}

#[test]
fn an_order_without_a_user_is_compared_by_its_lines() {
    let mut world = World::new();
    world.stored.iter_mut().for_each(|order| order.user_id = None);
    world.stored[7].items[0].quantity += 1;
    assert_eq!(world.judge().0, "V4");
}

#[test]
fn every_check_is_proven_by_a_defect() {
    for check in of_the_system() {
        let proven = DEFECTS.iter().any(|(_, _, failing)| failing.split(' ').any(|id| id == check.id()));
        assert!(proven, "{}", check.id());
    }
}

#[test]
fn what_cannot_be_read_is_skipped_but_stock_still_counts() {
    let mut world = World::new();
    world.coverage = Coverage::Nothing("no reads".into());
    world.stored.clear();
    world.take(7, 1);
    assert_eq!(world.judge(), ("V1".to_owned(), "V4 V5 V7 V8 V10".to_owned()));
}

#[test]
fn an_unknown_outcome_widens_what_stock_may_be() {
    for applied in [0, 1] {
        let mut world = World::new();
        world.resolve(7, Resolution::Open("no keys".into()));
        world.stored.remove(7);
        world.take(7, applied - 1);
        let (failed, _) = world.judge();
        assert_eq!(failed, "V7", "applied {applied} times");
    }
}

#[test]
fn a_system_that_reserves_line_by_line_is_not_blamed_for_several_lines() {
    let mut world = World::new();
    let several = (0..ORDERS).find(|number| draft(&world.plan, *number).lines.len() > 1);
    let several = several.expect("of 50 orders with 1 to 3 lines");
    world.told[at(several)] = Told::Refused(Refusal::OutOfStock);
    world.stored[at(several)].status = Some("rejected".into());
    world.take(several, -1);
    world.reserving = Reserving::Unknown;
    assert_eq!(world.judge(), (String::new(), "V9".to_owned()));
}

#[test]
fn a_refusal_is_not_judged_where_stock_may_have_risen() {
    let raised: [fn(&mut World); 2] = [
        |world| {
            for product in 0..5 {
                world.restocks.push((product, 1, Told::Done));
                world.restocked[product as usize] = Some(1);
                world.left[product as usize] += 1;
            }
        },
        |world| (10..ORDERS).for_each(|number| world.cancel(number, Told::Done)),
    ];
    for raise in raised {
        let mut world = World::new();
        world.told[7] = Told::Refused(Refusal::OutOfStock);
        world.stored[7].status = Some("rejected".into());
        world.take(7, -1);
        raise(&mut world);
        assert_eq!(world.judge(), (String::new(), "V9".to_owned()));
    }
}

#[test]
fn where_the_service_does_not_tell_what_was_added_clients_do() {
    for (units, told, failed) in [
        (5, Told::Done, ""),
        (5, Told::Unknown, ""),
        (0, Told::Unknown, ""),
        (0, Told::Done, "V1"),
        (6, Told::Unknown, "V1"),
        (5, Told::Refused(Refusal::Other), "V1"),
    ] {
        let mut world = World::new();
        world.restocked = vec![None; 5];
        world.restocks.push((0, 5, told.clone()));
        world.left[0] += units;
        assert_eq!(world.judge().0, failed, "{units} {told:?}");
    }
}
