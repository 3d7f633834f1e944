//! The reading threads: each takes the next query of its lane and runs it on its own connection.
//!
//! Queries that find one row by its key have a lane, and those that go through many have another, so that
//! no crowd of searches keeps the first waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::Receiver;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::commit::queue::Queue;

/// Reads that may wait in each lane before callers are turned away.
const READ_QUEUE: usize = 8192;
/// Threads that read by key.
const POINT_READERS: usize = 2;
/// Threads that go through many rows.
const SCANNERS: usize = 1;

pub(crate) type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Which queries a thread takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Few rows, found by a key.
    Points,
    /// Many rows, or an unknown number.
    Scans,
}

/// The queues of both lanes.
pub(crate) struct Lanes {
    points: Queue<Job>,
    scans: Queue<Job>,
}

/// A reading thread that there is to be: its name and what it receives from.
pub(crate) type Reader = (&'static str, Receiver<Job>);

impl Lanes {
    /// The queues, and the threads that are to read for them.
    pub(crate) fn new() -> (Self, impl Iterator<Item = Reader>) {
        let (points, point_jobs) = Queue::bounded(READ_QUEUE);
        let (scans, scan_jobs) = Queue::bounded(READ_QUEUE);
        let readers = std::iter::repeat_n(("reader", point_jobs), POINT_READERS);
        let scanners = std::iter::repeat_n(("scanner", scan_jobs), SCANNERS);
        (Self { points, scans }, readers.chain(scanners))
    }

    pub(crate) fn push(&self, lane: Lane, job: Job) -> Result<(), StoreError> {
        match lane {
            Lane::Points => self.points.push(job),
            Lane::Scans => self.scans.push(job),
        }
    }

    pub(crate) fn close(&self) {
        self.points.close();
        self.scans.close();
    }
}

pub(crate) fn job<T, F>(query: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    Box::new(move |connection| {
        // A caller that went away needs no answer.
        if answer.is_closed() {
            return;
        }
        let _ = answer.send(query(connection).map_err(|error| StoreError::from_statement(&error)));
    })
}

pub(crate) fn run(connection: &Connection, jobs: &Receiver<Job>) {
    for job in jobs {
        // A query that panics loses its own answer; the thread and the connection live on.
        if catch_unwind(AssertUnwindSafe(|| job(connection))).is_err() {
            tracing::error!("a query panicked");
        }
    }
}
