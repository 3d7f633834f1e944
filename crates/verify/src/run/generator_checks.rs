//! Judges the generator: whether it planned and sent what it was asked to. Pure.
//!
//! Each check is a test of significance. It fails where what was found would come by chance in fewer than
//! one of a million runs, so that a clean run practically never fails, and a wrong share shows within some
//! ten thousand requests.

use crate::finding::{Check, Finding, Samples, Witness};
use crate::run::chi_square::{Class, FEWEST, chi_square, count, too_few};
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::evidence::audit::{Audit, GAP_CLASSES, Gaps};
use ordersys_workload::evidence::ledger::Ledger;
use ordersys_workload::model::stages::{HIGHEST_RATE, LOWEST_RATE};
use ordersys_workload::model::{Arrivals, LoadModel};
use ordersys_workload::plan::{Draft, Plan};

/// What the statistic of Kolmogorov and Smirnov times the root of the samples exceeds once in a million:
/// the root of ln(2 / one millionth) / 2.
const KOLMOGOROV: f64 = 2.693_4;
/// How far two moments, whole nanoseconds, may be from where they should be, in seconds.
const ROUNDING: f64 = 4e-9;
/// How far even arrivals may be from even.
const EVEN_SLACK: f64 = 0.001;

/// What the generator was asked and what it planned.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// When requests had to leave.
    pub pace: &'a LoadModel,
    /// What was planned.
    pub audit: &'a Audit,
}

/// Judges A1, A2 and A3.
#[must_use]
pub fn judge(plan: &Plan, ledger: &Ledger, asked: Asked<'_>) -> Vec<Finding> {
    vec![mix(plan, asked.audit), skew(plan, ledger), arrivals(asked.pace, &asked.audit.gaps)]
}

/// A1: requests by endpoint. What became an order for want of one to name counts as what it should be.
fn mix(plan: &Plan, audit: &Audit) -> Finding {
    let turned: u64 = audit.turned.iter().sum();
    let sum: u64 = audit.planned.iter().sum();
    let class = |endpoint: Endpoint| {
        let at = endpoint as usize;
        let found = match endpoint {
            Endpoint::Order => audit.planned[at] - turned.min(audit.planned[at]),
            _ => audit.planned[at] + audit.turned[at],
        };
        Class {
            name: format!("of {sum} requests to be `{}`", endpoint.name()),
            expected: plan.mix().share(endpoint) * count(sum),
            found,
        }
    };
    chi_square(Check::MixAsAsked, sum, Endpoint::ALL.map(class).into_iter().collect())
}

/// A2: orders by the product of their first line.
fn skew(plan: &Plan, ledger: &Ledger) -> Finding {
    let mut found = vec![0_u64; plan.products().len()];
    let mut draft = Draft::default();
    for entry in ledger.iter() {
        plan.draft(entry.number, &mut draft);
        if let Some(line) = draft.lines.first() {
            found[line.product as usize] += 1;
        }
    }
    let sum: u64 = found.iter().sum();
    let classes = plan.demand().shares().into_iter().zip(found).zip(plan.products());
    let class = |((share, found), product): ((f64, u64), &ordersys_workload::plan::Product)| Class {
        name: format!("of {sum} orders for product {}", product.id),
        expected: share * count(sum),
        found,
    };
    chi_square(Check::SkewAsAsked, sum, classes.map(class).collect())
}

/// A3: the gaps between planned requests.
fn arrivals(pace: &LoadModel, gaps: &Gaps) -> Finding {
    let check = Check::ArrivalsAsAsked;
    let Some(arrivals) = pace.arrivals() else {
        return Finding::skipped(check, "a closed loop plans no arrivals");
    };
    if gaps.count() < FEWEST {
        return too_few(check, gaps.count());
    }
    let rounding = ROUNDING * highest(pace);
    let mut cases = Samples::default();
    let (found, limit) = match arrivals {
        Arrivals::Even => (gaps.farthest, EVEN_SLACK + rounding),
        Arrivals::Poisson => (distance(gaps), KOLMOGOROV / count(gaps.count()).sqrt() + rounding),
    };
    if found > limit {
        let what = match arrivals {
            Arrivals::Even => "every gap the same",
            Arrivals::Poisson => "gaps of independent arrivals",
        };
        cases.add(|| Witness {
            expected: format!("{what}, within {limit:.4}"),
            found: format!("{found:.4} off"),
            ..Witness::default()
        });
    }
    cases.into_finding(check)
}

fn highest(pace: &LoadModel) -> f64 {
    let staged = pace.stages().iter().map(|stage| stage.from.max(stage.to)).fold(LOWEST_RATE, f64::max);
    match pace {
        LoadModel::OpenLoop { rate, .. } => rate.min(HIGHEST_RATE),
        LoadModel::ClosedLoop | LoadModel::Ramping { .. } => staged,
    }
}

/// The largest distance between the classes' share so far and what it should be.
fn distance(gaps: &Gaps) -> f64 {
    let (mut below, mut farthest) = (0, 0.0_f64);
    for (class, found) in (1_u64..).zip(gaps.classes) {
        below += found;
        let expected = count(class) / count(GAP_CLASSES as u64);
        farthest = farthest.max((count(below) / count(gaps.count()) - expected).abs());
    }
    farthest
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use ordersys_workload::evidence::ledger::{Entry, Told};
    use ordersys_workload::model::clock::{Moment, Window};
    use ordersys_workload::model::schedule::{Schedule, Share, Timing};
    use ordersys_workload::model::stages::RateCurve;
    use ordersys_workload::plan::operation::Operation;
    use ordersys_workload::plan::{Product, Shape};

    fn plan(seed: u64, mix: &str, skew: &str) -> Plan {
        let products = (0..50).map(|n| Product::new(&format!("p{n}"), 100, 10)).collect();
        let (mix, skew) = (mix.parse().expect(mix), skew.parse().expect(skew));
        Plan::new(Shape { seed, mix, skew, ..Shape::default() }, 1, &["u".to_owned()], products)
    }

    /// What a generator plans that does what `did` says.
    fn audit(did: &Plan, requests: u64) -> Audit {
        let mut audit = Audit::default();
        for number in 0..requests {
            let endpoint = match did.operation(number) {
                Operation::Order => Endpoint::Order,
                Operation::Repeat(_) => Endpoint::Repeat,
                Operation::Bad(_) => Endpoint::Bad,
                Operation::Read(_) => Endpoint::Read,
                Operation::Track => Endpoint::Track,
                Operation::Restock(..) => Endpoint::Restock,
                Operation::Live => Endpoint::Live,
                // Half of them find nothing to cancel.
                Operation::Cancel if number % 2 == 0 => {
                    audit.turned[Endpoint::Cancel as usize] += 1;
                    Endpoint::Order
                }
                Operation::Cancel => Endpoint::Cancel,
            };
            audit.planned[endpoint as usize] += 1;
        }
        audit
    }

    #[test]
    fn the_mix_that_was_asked_passes_and_another_fails() {
        let asked = "order:80,read:10,cancel:5,restock:3,bad:2";
        for seed in 0..20 {
            let plan = plan(seed, asked, "uniform");
            let finding = mix(&plan, &audit(&plan, 20_000));
            assert_eq!(finding.word(), "PASS", "seed {seed}: {}", finding.detail());
        }
        for other in
            ["order:76,read:14,cancel:5,restock:3,bad:2", "order:80,read:10,cancel:5,restock:5", "order:1"]
        {
            let finding = mix(&plan(1, asked, "uniform"), &audit(&plan(1, other, "uniform"), 20_000));
            assert!(finding.failed(), "{other}: {}", finding.detail());
        }
        let orders = plan(1, "order:1", "uniform");
        assert_eq!(mix(&orders, &audit(&orders, 5000)).word(), "PASS");
        assert_eq!(mix(&orders, &audit(&plan(1, "order:999,read:1", "uniform"), 20_000)).word(), "FAIL");
        assert_eq!(mix(&orders, &audit(&orders, 10)).word(), "SKIP");
    }

    #[test]
    fn the_skew_that_was_asked_passes_and_another_fails() {
        let sent = |seeds: u64| {
            let mut ledger = Ledger::default();
            (0..seeds).for_each(|number| ledger.push(Entry { number, told: Told::Unknown }));
            ledger
        };
        let skews = ["uniform", "zipf:0.99", "hot:2%"];
        for asked in skews {
            for seed in 0..10 {
                let finding = skew(&plan(seed, "order:1", asked), &sent(5000));
                assert_eq!(finding.word(), "PASS", "{asked}: {}", finding.detail());
            }
        }
        // Orders that were sent are drawn from the plan itself, so a wrong generator is one that left
        // those of a product out.
        for asked in skews {
            let plan = plan(1, "order:1", asked);
            let mut ledger = Ledger::default();
            let mut draft = Draft::default();
            for number in 0..10_000 {
                plan.draft(number, &mut draft);
                if draft.lines[0].product != 0 {
                    ledger.push(Entry { number, told: Told::Unknown });
                }
            }
            let finding = skew(&plan, &ledger);
            assert!(finding.failed(), "{asked}: {}", finding.detail());
        }
    }

    fn gaps(asked: &LoadModel, threads: u32, seed: u64) -> Gaps {
        let closes = Moment::at(Duration::from_secs(20));
        let window = Window { opens: Moment::START, closes };
        let curve = match asked {
            LoadModel::Ramping { stages, .. } => RateCurve::staged(Duration::ZERO, stages),
            _ => RateCurve::steady(1000.0),
        };
        let arrivals = asked.arrivals().expect("open");
        let timing = Timing { curve: Arc::new(curve), arrivals, window, count: None, seed };
        let mut audit = Audit::default();
        for index in 0..threads {
            let mut schedule = Schedule::new(timing.clone(), Share { index, of: threads });
            while schedule.due(Moment::NEVER).is_some() {}
            audit.merge(&Audit { gaps: schedule.gaps(), ..Audit::default() });
        }
        audit.gaps
    }

    #[test]
    fn the_arrivals_that_were_asked_pass_and_others_fail() {
        let open = |arrivals| LoadModel::OpenLoop { rate: 1000.0, arrivals };
        let stages = || "100/s:5s,100..2000/s:10s,2000..0/s:5s".parse().expect("stages");
        let staged = |arrivals| LoadModel::Ramping { stages: stages(), arrivals };
        let paces = [
            (open(Arrivals::Poisson), open(Arrivals::Even)),
            (staged(Arrivals::Poisson), staged(Arrivals::Even)),
        ];
        for (poisson, even) in &paces {
            for threads in [1, 3] {
                let planned = (gaps(poisson, threads, 7), gaps(even, threads, 7));
                for (asked, planned, word) in [
                    (poisson, &planned.0, "PASS"),
                    (even, &planned.1, "PASS"),
                    (poisson, &planned.1, "FAIL"),
                    (even, &planned.0, "FAIL"),
                ] {
                    let finding = arrivals(asked, planned);
                    assert_eq!(finding.word(), word, "{asked:?} {threads}: {}", finding.detail());
                }
            }
        }
        for seed in 0..20 {
            let pace = open(Arrivals::Poisson);
            assert_eq!(arrivals(&pace, &gaps(&pace, 2, seed)).word(), "PASS", "seed {seed}");
        }
        assert_eq!(arrivals(&LoadModel::ClosedLoop, &Gaps::default()).word(), "SKIP");
        assert_eq!(arrivals(&open(Arrivals::Even), &Gaps::default()).word(), "SKIP");
    }
}
