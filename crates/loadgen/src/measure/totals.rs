//! What a whole run measured: in total, by stage and by endpoint, of which each must add up.

use std::collections::BTreeMap;

use crate::measure::counters::Books;
use crate::measure::distribution::Distribution;
use crate::measure::recording::Recording;
use crate::measure::series::Series;
use crate::measure::snapshot::Sheet;
use ordersys_workload::endpoint::Endpoint;

/// The sums of a run.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Everything that counts.
    pub total: Recording,
    /// By stage, in their order; later ones are missing if nothing was planned in them.
    pub stages: Vec<Recording>,
    /// By endpoint, those that were planned.
    pub endpoints: BTreeMap<Endpoint, Recording>,
    /// Where the requests of the warm-up went.
    pub warmup: Books,
    /// How late the generator's own ticks came.
    pub hiccups: Distribution,
}

impl Tally {
    /// Adds what threads handed over.
    pub fn add(&mut self, sheet: &Sheet) {
        for cell in sheet.cells() {
            let stage = usize::from(cell.stage);
            if self.stages.len() <= stage {
                self.stages.resize_with(stage + 1, Recording::default);
            }
            self.total.merge(&cell.recording);
            self.stages[stage].merge(&cell.recording);
            self.endpoints.entry(cell.endpoint).or_default().merge(&cell.recording);
        }
        self.warmup.add(&sheet.warmup);
        self.hiccups.merge(&sheet.hiccups);
    }

    /// Whether every request is accounted for in total, by stage, by endpoint and second by second; what
    /// is wrong if not. True once a run is over.
    pub fn balance(&self, series: &Series) -> Result<(), String> {
        let whole = &self.total.books;
        balanced("the run", whole)?;
        balanced("the warm-up", &self.warmup)?;
        for (place, stage) in self.stages.iter().enumerate() {
            balanced(&format!("stage {}", place + 1), &stage.books)?;
        }
        for (endpoint, recording) in &self.endpoints {
            balanced(endpoint.name(), &recording.books)?;
        }
        adds_up("stages", self.stages.iter(), whole)?;
        adds_up("endpoints", self.endpoints.values(), whole)?;
        series.balance(whole)
    }
}

fn balanced(what: &str, books: &Books) -> Result<(), String> {
    books.balance().map_err(|wrong| format!("{what}: {wrong}"))
}

fn adds_up<'a>(what: &str, parts: impl Iterator<Item = &'a Recording>, whole: &Books) -> Result<(), String> {
    let mut sum = Books::default();
    parts.for_each(|part| sum.add(&part.books));
    if sum == *whole { Ok(()) } else { Err(format!("the {what} add up to {sum:?}, the run to {whole:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::snapshot::Place;
    use ordersys_workload::model::clock::Part;

    fn tally() -> (Tally, Series) {
        let mut sheet = Sheet::default();
        for (stage, endpoint) in [(0, Endpoint::Order), (2, Endpoint::Order), (2, Endpoint::Read)] {
            let books = sheet.books(Place { part: Part::Stage(stage), endpoint });
            (books.planned, books.sent, books.ok) = (3, 3, 3);
        }
        let (mut tally, mut series) = (Tally::default(), Series::default());
        tally.add(&sheet);
        series.push(&tally.total);
        (tally, series)
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let (tally, series) = tally();
        assert_eq!(tally.balance(&series), Ok(()));
        assert_eq!(tally.total.books.planned, 9);
        assert_eq!(tally.stages.iter().map(|stage| stage.books.planned).collect::<Vec<_>>(), [3, 0, 6]);
        assert_eq!(tally.endpoints[&Endpoint::Read].books.planned, 3);
    }

    #[test]
    fn books_that_do_not_add_up_are_told_apart() {
        type Harm = fn(&mut Tally);
        let wrong: [(Harm, &str); 5] = [
            (|tally| tally.total.books.unsent = 1, "the run"),
            (|tally| tally.warmup.sent = 1, "the warm-up"),
            (|tally| tally.stages[2].books.ok = 0, "stage 3"),
            (|tally| drop(tally.stages.pop()), "the stages"),
            (|tally| drop(tally.endpoints.remove(&Endpoint::Read)), "the endpoints"),
        ];
        for (harm, expected) in wrong {
            let (mut tally, series) = tally();
            harm(&mut tally);
            let found = tally.balance(&series).expect_err(expected);
            assert!(found.starts_with(expected), "{found}");
        }
        let found = tally().0.balance(&Series::default()).expect_err("no seconds");
        assert!(found.starts_with("the seconds"), "{found}");
    }
}
