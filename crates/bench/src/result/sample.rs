//! Reports of simulated runs, for tests of what is made of them.

use std::time::Duration;

use ordersys_contract::client::Endpoints;
use ordersys_loadgen::conn::limits;
use ordersys_loadgen::engine::{Cpu, Generated};
use ordersys_loadgen::measure::recording::Times;
use ordersys_loadgen::measure::recovery::Acceptances;
use ordersys_loadgen::measure::series::Series;
use ordersys_loadgen::measure::totals::RunTotals;
use ordersys_verify::Verification;
use ordersys_verify::system::ApiContract;
use ordersys_workload::evidence::answer::{Ending, Judged, judge};
use ordersys_workload::evidence::audit::Audit;
use ordersys_workload::evidence::ledger::Ledger;
use ordersys_workload::model::clock::Moment;

use crate::profile::Profile;
use crate::result::report::Report;
use crate::settings::{Environment, RunContext, Settings};

/// A run of ten seconds.
pub(crate) struct Simulated {
    /// Requests that were answered as they should be.
    pub(crate) answered: u64,
    /// Requests that were refused with 404.
    pub(crate) refused: u64,
    /// How long each answer took, in milliseconds.
    pub(crate) millis: u64,
    /// Requests for which the generator's machine had no connection.
    pub(crate) limited: u64,
    /// Processor time of the services, in milliseconds.
    pub(crate) server_cpu: Option<u64>,
    /// Whether it was given up by Ctrl-C.
    pub(crate) interrupted: bool,
}

impl Default for Simulated {
    fn default() -> Self {
        Self { answered: 100, refused: 0, millis: 5, limited: 0, server_cpu: None, interrupted: false }
    }
}

impl Simulated {
    fn totals(&self) -> RunTotals {
        let mut totals = RunTotals::default();
        let total = &mut totals.total;
        let done = Moment::at(Duration::from_millis(self.millis));
        let (planned, woken, sent) = (Moment::START, Moment::START, Moment::START);
        let times = Times { planned, woken, sent, done };
        for _ in 0..self.answered {
            total.ended(&judge(201, br#"{"id":"a"}"#), times, String::new);
        }
        for _ in 0..self.refused {
            total.ended(&judge(404, b"{}"), times, || "not found".to_owned());
        }
        for _ in 0..self.limited {
            let refused = Judged::unanswered(Ending::Failed, limits::REACHED);
            total.ended(&refused, times, || "too many open files".to_owned());
        }
        total.finished = self.answered;
        (total.counters.planned, total.counters.sent) = (total.counters.done(), total.counters.done());
        totals
    }

    fn generated(&self) -> Generated {
        Generated {
            totals: self.totals(),
            stages: Vec::new(),
            series: Series::default(),
            ledger: Ledger::default(),
            audit: Audit::default(),
            elapsed: Duration::from_secs(10),
            busiest_thread: None,
            cpu: Cpu { client: None, server: self.server_cpu.map(Duration::from_millis) },
            interrupted: self.interrupted,
            acceptances: Acceptances::default(),
        }
    }
}

/// The report of such a run.
#[expect(clippy::needless_pass_by_value, reason = "made for the call")]
pub(crate) fn report(profile: &Profile, simulated: Simulated) -> Report {
    let url = || "http://localhost".to_owned();
    let ground = RunContext {
        endpoints: &Endpoints { user: url(), product: url(), order: url(), ..Endpoints::default() },
        environment: &Environment::default(),
        contract: ApiContract::Article,
        products: 1,
    };
    let settings = Settings::new(profile, ground);
    Report::new(profile, settings, simulated.generated(), Vec::new(), Verification::skipped("simulated"))
}
