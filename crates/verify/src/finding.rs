//! What a check found: passed, failed with a witness, or could not be made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that must hold after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Initial and restocked units minus accepted ones are the final stock.
    StockBalances,
    /// No stock was ever negative.
    NoNegativeStock,
    /// No more was accepted than was there.
    NoOversell,
    /// Every acknowledged order is readable, unchanged.
    NothingLost,
    /// No order is stored that no client sent.
    NoPhantom,
    /// At most one order for each key.
    NoDuplicate,
    /// Every unknown outcome is wholly applied or not at all.
    WholeOrNothing,
    /// A refused order left no trace.
    RefusalLeavesNoTrace,
    /// "Out of stock" was true.
    OutOfStockWasTrue,
    /// The total is the sum of quantity times price.
    TotalsAddUp,
    /// The generator did each thing as often as it was asked to.
    MixAsAsked,
    /// The generator ordered each product as often as it was asked to.
    SkewAsAsked,
    /// The generator planned its requests as spread as it was asked to.
    ArrivalsAsAsked,
}

impl Check {
    /// Every check, in the order of its id.
    pub const ALL: [Self; 13] = [
        Self::StockBalances,
        Self::NoNegativeStock,
        Self::NoOversell,
        Self::NothingLost,
        Self::NoPhantom,
        Self::NoDuplicate,
        Self::WholeOrNothing,
        Self::RefusalLeavesNoTrace,
        Self::OutOfStockWasTrue,
        Self::TotalsAddUp,
        Self::MixAsAsked,
        Self::SkewAsAsked,
        Self::ArrivalsAsAsked,
    ];

    /// The stable id: V1 to V10 of the system, A1 to A3 of the generator.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::StockBalances => "V1",
            Self::NoNegativeStock => "V2",
            Self::NoOversell => "V3",
            Self::NothingLost => "V4",
            Self::NoPhantom => "V5",
            Self::NoDuplicate => "V6",
            Self::WholeOrNothing => "V7",
            Self::RefusalLeavesNoTrace => "V8",
            Self::OutOfStockWasTrue => "V9",
            Self::TotalsAddUp => "V10",
            Self::MixAsAsked => "A1",
            Self::SkewAsAsked => "A2",
            Self::ArrivalsAsAsked => "A3",
        }
    }

    /// The check with an id.
    #[must_use]
    pub fn with_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.id() == id)
    }

    /// What must hold, in a few words.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Self::StockBalances => "stock accounts for every accepted unit",
            Self::NoNegativeStock => "no negative stock was read",
            Self::NoOversell => "no more was sold than was there",
            Self::NothingLost => "every acknowledged order is stored unchanged",
            Self::NoPhantom => "every stored order was sent by a client",
            Self::NoDuplicate => "at most one order for each key",
            Self::WholeOrNothing => "every unknown outcome is all or nothing",
            Self::RefusalLeavesNoTrace => "a refused order left no trace",
            Self::OutOfStockWasTrue => "\"out of stock\" was true",
            Self::TotalsAddUp => "totals are the sum of quantity times price",
            Self::MixAsAsked => "the mix was as asked",
            Self::SkewAsAsked => "the demand for products was as asked",
            Self::ArrivalsAsAsked => "arrivals were spread as asked",
        }
    }
}

/// The first case in which something did not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    /// The order, if it is about one.
    pub order_id: Option<String>,
    /// The product, if it is about one.
    pub product_id: Option<String>,
    /// The idempotency key, if it is about one.
    pub key: Option<String>,
    /// Another stored row, if it is about one: what it is of, and its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// What should be.
    pub expected: String,
    /// What is.
    pub found: String,
    /// How many cases there are.
    pub cases: u64,
}

impl Witness {
    /// What it is about: its rows, by what they are of and their ids.
    pub fn rows(&self) -> impl Iterator<Item = String> {
        let names = [("order", &self.order_id), ("product", &self.product_id), ("key", &self.key)];
        let names = names.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
        names.chain(self.row.clone())
    }
}

impl std::fmt::Display for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for row in self.rows() {
            write!(f, "{row}: ")?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        if self.cases > 1 { write!(f, " ({} cases)", self.cases) } else { Ok(()) }
    }
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Pass,
    /// It does not.
    Fail(Box<Witness>),
    /// It could not be checked, for this reason.
    Skip(String),
}

/// A check and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// How it ended.
    pub standing: Standing,
}

impl Finding {
    /// A check that could not be made.
    #[must_use]
    pub fn skipped(check: Check, reason: impl Into<String>) -> Self {
        Self { check, standing: Standing::Skip(reason.into()) }
    }

    /// Whether it does not hold.
    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(self.standing, Standing::Fail(_))
    }

    /// `PASS`, `FAIL` or `SKIP`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.standing {
            Standing::Pass => "PASS",
            Standing::Fail(_) => "FAIL",
            Standing::Skip(_) => "SKIP",
        }
    }

    /// The witness or the reason; empty if it holds.
    #[must_use]
    pub fn detail(&self) -> String {
        match &self.standing {
            Standing::Pass => String::new(),
            Standing::Fail(witness) => witness.to_string(),
            Standing::Skip(reason) => reason.clone(),
        }
    }
}

/// Collects the cases against one check.
#[derive(Debug, Default)]
pub struct Samples(Option<Box<Witness>>);

impl Samples {
    /// One more case; the first is kept.
    pub fn add(&mut self, witness: impl FnOnce() -> Witness) {
        self.0.get_or_insert_with(|| Box::new(witness())).cases += 1;
    }

    /// The finding, if the check could be made.
    #[must_use]
    pub fn into_finding(self, check: Check) -> Finding {
        Finding { check, standing: self.0.map_or(Standing::Pass, Standing::Fail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_has_an_id_and_a_statement_of_its_own() {
        let ids: Vec<_> = Check::ALL.iter().map(|check| check.id()).collect();
        assert_eq!(ids.join(" "), "V1 V2 V3 V4 V5 V6 V7 V8 V9 V10 A1 A2 A3");
        for check in Check::ALL {
            assert_eq!(Check::with_id(check.id()), Some(check));
        }
        assert_eq!(Check::with_id("V11"), None);
        let statements: std::collections::HashSet<_> = Check::ALL.map(Check::statement).into();
        assert_eq!(statements.len(), Check::ALL.len());
    }

    #[test]
    fn a_finding_says_what_was_found_and_in_how_many_cases() {
        let case = |expected: &str| Witness {
            order_id: Some("o1".to_owned()),
            key: Some("k".to_owned()),
            row: Some("session s".to_owned()),
            expected: expected.to_owned(),
            found: "b".to_owned(),
            ..Witness::default()
        };
        let mut samples = Samples::default();
        samples.add(|| case("a"));
        let one = Finding {
            check: Check::NoOversell,
            standing: samples.0.clone().map_or(Standing::Pass, Standing::Fail),
        };
        samples.add(|| case("c"));
        let two = samples.into_finding(Check::NoOversell);
        let skipped = Finding::skipped(Check::NoOversell, "no reason");
        let passed = Samples::default().into_finding(Check::NoOversell);
        let text = "order o1: key k: session s: expected a, found b";
        for (finding, word, failed, detail) in [
            (one, "FAIL", true, text.to_owned()),
            (two, "FAIL", true, format!("{text} (2 cases)")),
            (skipped, "SKIP", false, "no reason".to_owned()),
            (passed, "PASS", false, String::new()),
        ] {
            assert_eq!((finding.word(), finding.failed(), finding.detail()), (word, failed, detail));
        }
    }
}
