//! What one generator thread measured since it last handed over, by stage and endpoint, and how it hands
//! over: in memory that does not grow with the run.

use std::sync::{Mutex, PoisonError};

use crate::measure::counters::Books;
use crate::measure::distribution::Distribution;
use crate::measure::recording::Recording;
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::model::clock::Part;

/// Where a request is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its part of the run.
    pub part: Part,
    /// What it does.
    pub endpoint: Endpoint,
}

/// What was measured of one endpoint in one stage.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Which stage.
    pub stage: u16,
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// What was measured.
    pub recording: Recording,
}

/// All that a thread measured since it last handed over.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    cells: Vec<Cell>,
    /// Where the requests of the warm-up went.
    pub warmup: Books,
    /// How late the thread's own ticks came.
    pub hiccups: Distribution,
}

impl Sheet {
    /// The recording of an endpoint in a stage. Memory of stages that are over is used again.
    pub fn of(&mut self, stage: u16, endpoint: Endpoint) -> &mut Recording {
        let known = |cell: &Cell| cell.stage == stage && cell.endpoint == endpoint;
        let at = self.cells.iter().position(known).unwrap_or_else(|| self.assign(stage, endpoint));
        &mut self.cells[at].recording
    }

    fn assign(&mut self, stage: u16, endpoint: Endpoint) -> usize {
        if let Some(at) = self.cells.iter().position(|cell| cell.recording.is_empty()) {
            (self.cells[at].stage, self.cells[at].endpoint) = (stage, endpoint);
            return at;
        }
        self.cells.push(Cell { stage, endpoint, recording: Recording::default() });
        self.cells.len() - 1
    }

    /// The books in which a request is counted.
    pub fn books(&mut self, place: Place) -> &mut Books {
        match place.part {
            Part::Warmup => &mut self.warmup,
            Part::Stage(stage) => &mut self.of(stage, place.endpoint).books,
        }
    }

    /// What was measured, by stage and endpoint.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| !cell.recording.is_empty())
    }

    /// Adds all of another sheet.
    pub fn merge(&mut self, other: &Self) {
        for cell in other.cells() {
            self.of(cell.stage, cell.endpoint).merge(&cell.recording);
        }
        self.warmup.add(&other.warmup);
        self.hiccups.merge(&other.hiccups);
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.cells.iter_mut().for_each(|cell| cell.recording.clear());
        self.warmup = Books::default();
        self.hiccups.clear();
    }
}

/// Hands full sheets from one generator thread to the one that sums up, by exchange: neither waits for
/// the other's work, and there are never more than two.
#[derive(Debug)]
pub struct Exchange(Mutex<Held>);

#[derive(Debug)]
struct Held {
    full: Option<Box<Sheet>>,
    spare: Option<Box<Sheet>>,
}

impl Default for Exchange {
    fn default() -> Self {
        Self(Mutex::new(Held { full: None, spare: Some(Box::default()) }))
    }
}

impl Exchange {
    /// The generator's side: gives away what is full for an empty one. Keeps it where the last one
    /// has not been fetched yet; its numbers then come with the next.
    pub fn give(&self, mine: &mut Box<Sheet>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spare) = held.spare.take() {
            held.full = Some(std::mem::replace(mine, spare));
        }
    }

    /// The other side: adds what was given to `sum`.
    pub fn fetch(&self, sum: &mut Sheet) {
        let full = self.0.lock().unwrap_or_else(PoisonError::into_inner).full.take();
        if let Some(mut sheet) = full {
            sum.merge(&sheet);
            sheet.clear();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).spare = Some(sheet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(stage: u16, endpoint: Endpoint) -> Place {
        Place { part: Part::Stage(stage), endpoint }
    }

    #[test]
    fn each_stage_and_endpoint_has_its_own_books_and_the_warmup_none_of_them() {
        let mut sheet = Sheet::default();
        sheet.books(place(0, Endpoint::Order)).planned += 1;
        sheet.books(place(0, Endpoint::Read)).planned += 2;
        sheet.books(place(1, Endpoint::Order)).planned += 3;
        sheet.books(Place { part: Part::Warmup, endpoint: Endpoint::Order }).planned += 4;
        let mut sum = Sheet::default();
        sum.merge(&sheet);
        sum.merge(&sheet);
        let found: Vec<_> =
            sum.cells().map(|cell| (cell.stage, cell.endpoint, cell.recording.books.planned)).collect();
        assert_eq!(found, [(0, Endpoint::Order, 2), (0, Endpoint::Read, 4), (1, Endpoint::Order, 6)]);
        assert_eq!(sum.warmup.planned, 8);
    }

    #[test]
    fn memory_of_stages_that_are_over_is_used_again() {
        let mut sheet = Sheet::default();
        for stage in 0..1000 {
            sheet.books(place(stage, Endpoint::Order)).planned += 1;
            sheet.books(place(stage, Endpoint::Read)).planned += 1;
            sheet.clear();
        }
        assert_eq!(sheet.cells.len(), 2);
    }

    #[test]
    fn sheets_are_exchanged_and_never_lost() {
        let (exchange, mut mine, mut sum) = (Exchange::default(), Box::<Sheet>::default(), Sheet::default());
        let order = place(0, Endpoint::Order);
        mine.books(order).planned = 1;
        exchange.give(&mut mine);
        mine.books(order).planned += 2;
        exchange.give(&mut mine);
        assert_eq!(mine.books(order).planned, 2, "kept, since the first was not fetched");
        exchange.fetch(&mut sum);
        exchange.give(&mut mine);
        exchange.fetch(&mut sum);
        assert_eq!(sum.books(order).planned, 3);
    }
}
