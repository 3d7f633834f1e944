//! What a whole run measured: in total, by stage and by endpoint, of which each must add up.

use std::collections::BTreeMap;

use crate::measure::counters::Counters;
use crate::measure::distribution::Distribution;
use crate::measure::recording::Recording;
use crate::measure::series::Series;
use crate::measure::snapshot::Snapshot;
use ordersys_workload::endpoint::Endpoint;

/// The sums of a run.
#[derive(Debug, Clone, Default)]
pub struct RunTotals {
    /// Everything that counts.
    pub total: Recording,
    /// By stage, in their order; later ones are missing if nothing was planned in them.
    pub stages: Vec<Recording>,
    /// By endpoint, those that were planned.
    pub endpoints: BTreeMap<Endpoint, Recording>,
    /// Where the requests of the warm-up went.
    pub warmup: Counters,
    /// How late the generator's own ticks came.
    pub hiccups: Distribution,
}

impl RunTotals {
    /// Adds what threads handed over.
    pub fn add(&mut self, snapshot: &Snapshot) {
        for entry in snapshot.entries() {
            let stage = usize::from(entry.stage);
            if self.stages.len() <= stage {
                self.stages.resize_with(stage + 1, Recording::default);
            }
            self.total.merge(&entry.recording);
            self.stages[stage].merge(&entry.recording);
            self.endpoints.entry(entry.endpoint).or_default().merge(&entry.recording);
        }
        self.warmup.add(&snapshot.warmup);
        self.hiccups.merge(&snapshot.hiccups);
    }

    /// Whether every request is accounted for in total, by stage, by endpoint and second by second; what
    /// is wrong if not. True once a run is over.
    pub fn balance(&self, series: &Series) -> Result<(), String> {
        let whole = &self.total.counters;
        balanced("the run", whole)?;
        balanced("the warm-up", &self.warmup)?;
        for (place, stage) in self.stages.iter().enumerate() {
            balanced(&format!("stage {}", place + 1), &stage.counters)?;
        }
        for (endpoint, recording) in &self.endpoints {
            balanced(endpoint.name(), &recording.counters)?;
        }
        adds_up("stages", self.stages.iter(), whole)?;
        adds_up("endpoints", self.endpoints.values(), whole)?;
        series.balance(whole)
    }
}

fn balanced(what: &str, counters: &Counters) -> Result<(), String> {
    counters.balance().map_err(|wrong| format!("{what}: {wrong}"))
}

fn adds_up<'a>(
    what: &str,
    parts: impl Iterator<Item = &'a Recording>,
    whole: &Counters,
) -> Result<(), String> {
    let mut sum = Counters::default();
    parts.for_each(|part| sum.add(&part.counters));
    if sum == *whole { Ok(()) } else { Err(format!("the {what} add up to {sum:?}, the run to {whole:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::snapshot::Bucket;
    use ordersys_workload::model::clock::Part;

    fn totals() -> (RunTotals, Series) {
        let mut snapshot = Snapshot::default();
        for (stage, endpoint) in [(0, Endpoint::Order), (2, Endpoint::Order), (2, Endpoint::Read)] {
            let counters = snapshot.counters(Bucket { part: Part::Stage(stage), endpoint });
            (counters.planned, counters.sent, counters.ok) = (3, 3, 3);
        }
        let (mut totals, mut series) = (RunTotals::default(), Series::default());
        totals.add(&snapshot);
        series.push(&totals.total);
        (totals, series)
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let (totals, series) = totals();
        assert_eq!(totals.balance(&series), Ok(()));
        assert_eq!(totals.total.counters.planned, 9);
        assert_eq!(totals.stages.iter().map(|stage| stage.counters.planned).collect::<Vec<_>>(), [3, 0, 6]);
        assert_eq!(totals.endpoints[&Endpoint::Read].counters.planned, 3);
    }

    #[test]
    fn books_that_do_not_add_up_are_told_apart() {
        type Harm = fn(&mut RunTotals);
        let wrong: [(Harm, &str); 5] = [
            (|totals| totals.total.counters.unsent = 1, "the run"),
            (|totals| totals.warmup.sent = 1, "the warm-up"),
            (|totals| totals.stages[2].counters.ok = 0, "stage 3"),
            (|totals| drop(totals.stages.pop()), "the stages"),
            (|totals| drop(totals.endpoints.remove(&Endpoint::Read)), "the endpoints"),
        ];
        for (harm, expected) in wrong {
            let (mut totals, series) = totals();
            harm(&mut totals);
            let found = totals.balance(&series).expect_err(expected);
            assert!(found.starts_with(expected), "{found}");
        }
        let found = totals().0.balance(&Series::default()).expect_err("no seconds");
        assert!(found.starts_with("the seconds"), "{found}");
    }

    #[test]
    fn the_warm_up_and_the_ticks_are_summed_up_apart() {
        let mut snapshot = Snapshot::default();
        snapshot.warmup.planned = 3;
        snapshot.hiccups.record(7);
        let mut totals = RunTotals::default();
        totals.add(&snapshot);
        totals.add(&snapshot);
        assert_eq!((totals.warmup.planned, totals.hiccups.len(), totals.total.counters.planned), (6, 2, 0));
    }
}
