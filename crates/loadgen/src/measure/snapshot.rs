//! What one generator thread measured since it last handed over, by stage and endpoint, and how it hands
//! over: in memory that does not grow with the run.

use std::sync::{Mutex, PoisonError};

use crate::measure::counters::Counters;
use crate::measure::distribution::Distribution;
use crate::measure::recording::Recording;
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::model::clock::Part;

/// Where a request is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Its part of the run.
    pub part: Part,
    /// What it does.
    pub endpoint: Endpoint,
}

/// What was measured of one endpoint in one stage.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Which stage.
    pub stage: u16,
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// What was measured.
    pub recording: Recording,
}

/// All that a thread measured since it last handed over.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    entries: Vec<Entry>,
    /// Where the requests of the warm-up went.
    pub warmup: Counters,
    /// How late the thread's own ticks came.
    pub hiccups: Distribution,
}

impl Snapshot {
    /// The recording of an endpoint in a stage. Memory of stages that are over is used again.
    pub fn of(&mut self, stage: u16, endpoint: Endpoint) -> &mut Recording {
        let known = |entry: &Entry| entry.stage == stage && entry.endpoint == endpoint;
        let at = self.entries.iter().position(known).unwrap_or_else(|| self.assign(stage, endpoint));
        &mut self.entries[at].recording
    }

    fn assign(&mut self, stage: u16, endpoint: Endpoint) -> usize {
        if let Some(at) = self.entries.iter().position(|entry| entry.recording.is_empty()) {
            (self.entries[at].stage, self.entries[at].endpoint) = (stage, endpoint);
            return at;
        }
        self.entries.push(Entry { stage, endpoint, recording: Recording::default() });
        self.entries.len() - 1
    }

    /// The counters in which a request is counted.
    pub fn counters(&mut self, place: Bucket) -> &mut Counters {
        match place.part {
            Part::Warmup => &mut self.warmup,
            Part::Stage(stage) => &mut self.of(stage, place.endpoint).counters,
        }
    }

    /// What was measured, by stage and endpoint.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.recording.is_empty())
    }

    /// Adds all of another snapshot.
    pub fn merge(&mut self, other: &Self) {
        for entry in other.entries() {
            self.of(entry.stage, entry.endpoint).merge(&entry.recording);
        }
        self.warmup.add(&other.warmup);
        self.hiccups.merge(&other.hiccups);
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.recording.clear());
        self.warmup = Counters::default();
        self.hiccups.clear();
    }
}

/// Hands full snapshots from one generator thread to the one that sums up, by exchange: neither waits for
/// the other's work, and there are never more than two.
#[derive(Debug)]
pub struct Handoff(Mutex<Buffers>);

#[derive(Debug)]
struct Buffers {
    full: Option<Box<Snapshot>>,
    spare: Option<Box<Snapshot>>,
}

impl Default for Handoff {
    fn default() -> Self {
        Self(Mutex::new(Buffers { full: None, spare: Some(Box::default()) }))
    }
}

impl Handoff {
    /// The generator's side: gives away what is full for an empty one. Keeps it where the last one
    /// has not been fetched yet; its numbers then come with the next.
    pub fn give(&self, mine: &mut Box<Snapshot>) {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spare) = buffers.spare.take() {
            buffers.full = Some(std::mem::replace(mine, spare));
        }
    }

    /// The other side: adds what was given to `sum`.
    pub fn fetch(&self, sum: &mut Snapshot) {
        let full = self.0.lock().unwrap_or_else(PoisonError::into_inner).full.take();
        if let Some(mut snapshot) = full {
            sum.merge(&snapshot);
            snapshot.clear();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).spare = Some(snapshot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(stage: u16, endpoint: Endpoint) -> Bucket {
        Bucket { part: Part::Stage(stage), endpoint }
    }

    #[test]
    fn each_stage_and_endpoint_has_its_own_books_and_the_warmup_none_of_them() {
        let mut snapshot = Snapshot::default();
        snapshot.counters(place(0, Endpoint::Order)).planned += 1;
        snapshot.counters(place(0, Endpoint::Read)).planned += 2;
        snapshot.counters(place(1, Endpoint::Order)).planned += 3;
        snapshot.counters(Bucket { part: Part::Warmup, endpoint: Endpoint::Order }).planned += 4;
        let mut sum = Snapshot::default();
        sum.merge(&snapshot);
        sum.merge(&snapshot);
        let found: Vec<_> = sum
            .entries()
            .map(|entry| (entry.stage, entry.endpoint, entry.recording.counters.planned))
            .collect();
        assert_eq!(found, [(0, Endpoint::Order, 2), (0, Endpoint::Read, 4), (1, Endpoint::Order, 6)]);
        assert_eq!(sum.warmup.planned, 8);
    }

    #[test]
    fn memory_of_stages_that_are_over_is_used_again() {
        let mut snapshot = Snapshot::default();
        for stage in 0..1000 {
            snapshot.counters(place(stage, Endpoint::Order)).planned += 1;
            snapshot.counters(place(stage, Endpoint::Read)).planned += 1;
            snapshot.clear();
        }
        assert_eq!(snapshot.entries.len(), 2);
    }

    #[test]
    fn sheets_are_exchanged_and_never_lost() {
        let (handoff, mut mine, mut sum) =
            (Handoff::default(), Box::<Snapshot>::default(), Snapshot::default());
        let order = place(0, Endpoint::Order);
        mine.counters(order).planned = 1;
        handoff.give(&mut mine);
        mine.counters(order).planned += 2;
        handoff.give(&mut mine);
        assert_eq!(mine.counters(order).planned, 2, "kept, since the first was not fetched");
        handoff.fetch(&mut sum);
        handoff.give(&mut mine);
        handoff.fetch(&mut sum);
        assert_eq!(sum.counters(order).planned, 3);
    }

    #[test]
    fn ticks_of_all_threads_come_together() {
        let mut snapshot = Snapshot::default();
        snapshot.hiccups.record(5);
        let mut sum = snapshot.clone();
        sum.merge(&snapshot);
        assert_eq!(sum.hiccups.len(), 2);
        sum.counters(Bucket { part: Part::Warmup, endpoint: Endpoint::Order }).planned = 1;
        sum.clear();
        assert_eq!((sum.hiccups.len(), sum.warmup.planned), (0, 0));
    }
}
