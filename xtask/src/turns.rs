//! Turns: the sides of a comparison are loaded one after the other, again and again, so that all see the same machine.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use ordersys_bench::result::Core;
use ordersys_bench::stats;
use serde::Serialize;

/// One run of one side.
#[derive(Debug, Serialize)]
struct Turn {
    side: String,
    /// What the sides of one group have in common, such as the number of connections.
    group: u64,
    #[serde(flatten)]
    run: Core,
}

/// All turns so far, each a line of a file.
pub(crate) struct Turns {
    path: PathBuf,
    file: File,
    all: Vec<Turn>,
}

/// Medians of the turns of one side in one group.
pub(crate) struct Medians {
    /// Right answers a second.
    pub(crate) rate: f64,
    /// Response times in milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Processor time of the services for a request, in microseconds; not a number where it is not known.
    pub(crate) cpu: f64,
}

impl Turns {
    pub(crate) fn to(path: PathBuf) -> anyhow::Result<Self> {
        let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path, file, all: Vec::new() })
    }

    pub(crate) fn add(&mut self, side: &str, group: u64, run: Core) -> anyhow::Result<()> {
        let turn = Turn { side: side.to_owned(), group, run };
        writeln!(self.file, "{}", serde_json::to_string(&turn)?)?;
        self.all.push(turn);
        Ok(())
    }

    /// The runs of one side in one group.
    pub(crate) fn of(&self, side: &str, group: u64) -> Vec<&Core> {
        let turns = self.all.iter().filter(|turn| turn.side == side && turn.group == group);
        turns.map(|turn| &turn.run).collect()
    }

    pub(crate) fn medians(&self, side: &str, group: u64) -> Medians {
        let runs = self.of(side, group);
        let of = |figure: fn(&Core) -> f64| median(runs.iter().map(|run| figure(run)));
        Medians {
            rate: of(|run| run.measures.totals.throughput),
            p50: of(|run| run.measures.latency.response.p50),
            p99: of(|run| run.measures.latency.response.p99),
            cpu: of(|run| run.cpu_micros_per_request.server.unwrap_or(f64::NAN)),
        }
    }

    /// Whether every turn was sound: no request was rejected or failed, no invariant was violated.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let unsound = self.all.iter().filter(|turn| !is_sound(&turn.run)).count();
        let what = "turns had rejected or failed requests, or broke an invariant";
        anyhow::ensure!(unsound == 0, "{unsound} {what}: see {}", self.path.display());
        Ok(())
    }
}

/// Whether every request was answered as it should be, and no check failed.
pub(crate) fn is_sound(run: &Core) -> bool {
    let counters = &run.measures.totals.counters;
    counters.refused + counters.failed + counters.timed_out == 0 && broken(run).is_empty()
}

/// The checks that failed.
pub(crate) fn broken(run: &Core) -> Vec<&str> {
    let failed = run.verification.iter().filter(|check| check.result == "FAIL");
    failed.map(|check| check.id.as_str()).collect()
}

/// The median; not a number of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    stats::median(&values.into_iter().collect::<Vec<_>>()).unwrap_or(f64::NAN)
}

/// The verdict on a figure that has a limit.
pub(crate) fn verdict(kept: bool) -> &'static str {
    if kept { "kept" } else { "MISSED" }
}
