//! The invariants of an order system, checked from outside after a run: gather through the public API,
//! then judge; and of a running system at any time (`audit`).

pub mod audit;
pub mod finding;
pub mod run;
pub mod system;

use ordersys_contract::{Client, ClientError};

use crate::finding::{Check, Finding};
use crate::run::coverage::{Coverage, Replays};
use crate::run::expectations::Expectations;
use crate::run::generator_checks::Asked;
use crate::run::orders::Judge;
use crate::run::stock::{Reserving, Stock};
use crate::system::http::Http;
use ordersys_workload::evidence::ledger::Ledger;
use ordersys_workload::plan::Plan;

use crate::run::{generator_checks, read, resolve, stock};
use crate::system::ApiContract;

pub use crate::run::read::products;

/// What is verified.
#[derive(Debug, Clone, Copy)]
pub struct SystemUnderTest<'a> {
    /// Calls the system; with the admin credential it can list orders.
    pub client: &'a Client,
    /// What the system promises.
    pub contract: ApiContract,
    /// What was sent.
    pub plan: &'a Plan,
    /// What clients were told.
    pub ledger: &'a Ledger,
    /// What the generator planned.
    pub asked: Asked<'a>,
    /// Negative stock seen during the run.
    pub negative: &'a [(u32, i64)],
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// One for each check, in the order of [`Check::ALL`].
    pub findings: Vec<Finding>,
    /// Why it could not be finished, if so.
    pub incomplete: Option<String>,
}

impl Verification {
    /// No check was made, for this reason.
    #[must_use]
    pub fn skipped(reason: &str) -> Self {
        let findings = Check::ALL.into_iter().map(|check| Finding::skipped(check, reason)).collect();
        Self { findings, incomplete: None }
    }

    /// The first check that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.failed())
    }
}

/// Verifies the system after a run. `step` is told what is being done.
pub async fn verify(subject: SystemUnderTest<'_>, step: impl Fn(&str)) -> Verification {
    match gather_and_judge(subject, step).await {
        Ok(mut findings) => {
            findings.sort_by_key(|finding| finding.check);
            Verification { findings, incomplete: None }
        }
        Err(error) => {
            let reason = format!("the system could not be read: {error}");
            Verification { incomplete: Some(reason.clone()), ..Verification::skipped(&reason) }
        }
    }
}

async fn gather_and_judge(
    subject: SystemUnderTest<'_>,
    step: impl Fn(&str),
) -> Result<Vec<Finding>, ClientError> {
    let SystemUnderTest { client, contract, plan, ledger, asked, negative } = subject;
    let http = Http::new(client);
    step("asking again for unknown outcomes");
    let (resolved, replays) = match contract {
        ApiContract::Full => {
            (resolve::unknowns(http, plan, ledger).await?, resolve::replays(http, plan, ledger).await?)
        }
        ApiContract::Article => {
            let reason = "the system does not promise to honour idempotency keys";
            let replays = Replays { skipped: Some(reason.to_owned()), ..Replays::default() };
            (resolve::leave_open(ledger, reason), replays)
        }
    };
    let mut judge = Judge::new(Expectations::new(plan, ledger, resolved));
    step("reading orders");
    let coverage = match contract {
        ApiContract::Full => read::list(http, plan, &mut judge).await?,
        ApiContract::Article => {
            Coverage::Acknowledged("the system is not known to list a user's orders".to_owned())
        }
    };
    let coverage = match coverage {
        Coverage::Acknowledged(reason) => read::each(http, plan, &reason, &mut judge).await?,
        other => other,
    };
    step("reading stock");
    let left = read::stock(http, plan).await?;
    let mut returned = judge.expectations().given_back();
    returned.extend(judge.returned());
    let negative = negative.iter().chain(ledger.negative()).copied().collect();
    let stock = Stock { negative, returned, ..left };
    let reserving = match contract {
        ApiContract::Full => Reserving::Atomic,
        ApiContract::Article => Reserving::Unknown,
    };
    let mut findings = stock::judge(judge.expectations(), &stock, reserving);
    findings.extend(judge.finish(&coverage, replays));
    findings.extend(generator_checks::judge(plan, ledger, asked));
    Ok(findings)
}
