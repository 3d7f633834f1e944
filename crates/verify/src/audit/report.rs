//! What was found, counted per invariant.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::audit::Invariant;
use crate::finding::Witness;

/// How an invariant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Standing {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It was not checked.
    Skip,
}

impl Standing {
    /// `PASS`, `FAIL` or `SKIP`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Skip => "SKIP",
        }
    }
}

/// What was found about one invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// I1 to I11.
    pub id: &'static str,
    /// What must hold.
    pub statement: &'static str,
    /// Whether it does.
    pub result: Standing,
    /// How many things were looked at.
    pub checked: u64,
    /// The first violation and the number of all.
    pub witness: Option<Witness>,
    /// Suspects that were not read a second time, since enough others were violations.
    pub unconfirmed: u64,
    /// Why it was skipped.
    pub reason: Option<&'static str>,
}

impl Finding {
    /// The witness or the reason; empty if the invariant holds.
    #[must_use]
    pub fn detail(&self) -> String {
        let more = match self.unconfirmed {
            0 => String::new(),
            more => format!("; {more} more suspected"),
        };
        let witness = self.witness.as_ref().map(|witness| format!("{witness}{more}"));
        witness.or(self.reason.map(str::to_owned)).unwrap_or_default()
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of the form of this report.
    pub version: u32,
    /// One for each invariant, in order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The first invariant that does not hold.
    #[must_use]
    pub fn failure(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.result == Standing::Fail)
    }
}

/// A violation of one invariant; its witness counts as one case.
pub(crate) type Violation = (Invariant, Witness);

/// What was expected, and what was found.
pub(crate) type Mismatch = (String, String);

/// Counts what is looked at and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct AuditCounts {
    checked: BTreeMap<Invariant, u64>,
    witnesses: BTreeMap<Invariant, Witness>,
    unconfirmed: BTreeMap<Invariant, u64>,
}

impl AuditCounts {
    /// One more thing was looked at.
    pub(crate) fn looked_at(&mut self, invariant: Invariant) {
        *self.checked.entry(invariant).or_default() += 1;
    }

    /// One more violation; the first of each invariant is kept.
    pub(crate) fn add(&mut self, (invariant, witness): Violation) {
        self.witnesses.entry(invariant).or_insert(witness).cases += 1;
    }

    /// One more suspect that is not read again.
    pub(crate) fn leave(&mut self, invariant: Invariant) {
        *self.unconfirmed.entry(invariant).or_default() += 1;
    }

    /// Violations of an invariant so far.
    pub(crate) fn cases(&self, invariant: Invariant) -> u64 {
        self.witnesses.get(&invariant).map_or(0, |witness| witness.cases)
    }

    pub(crate) fn into_report(mut self) -> Report {
        let finding = |invariant: Invariant| {
            let (witness, reason) = (self.witnesses.remove(&invariant), invariant.out_of_reach());
            let result = match (&witness, reason) {
                (Some(_), _) => Standing::Fail,
                (None, Some(_)) => Standing::Skip,
                (None, None) => Standing::Pass,
            };
            Finding {
                id: invariant.id(),
                statement: invariant.statement(),
                result,
                checked: self.checked.get(&invariant).copied().unwrap_or(0),
                witness,
                unconfirmed: self.unconfirmed.get(&invariant).copied().unwrap_or(0),
                reason,
            }
        };
        Report { version: 1, findings: Invariant::ALL.map(finding).into() }
    }
}
