//! The reading threads: each takes the next query of its lane and runs it on its own connection.
//!
//! Queries that find one row by its key have a lane, and those that go through many have another, so that
//! no crowd of searches keeps the first waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::queue::{Queue, Refused, Taken};

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
    /// Many rows, or nobody knows how many.
    Scans,
}

/// The queues of both lanes.
pub(crate) struct Lanes {
    points: Arc<Queue<Job>>,
    scans: Arc<Queue<Job>>,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        Self { points: Arc::new(Queue::bounded(READ_QUEUE)), scans: Arc::new(Queue::bounded(READ_QUEUE)) }
    }

    /// The queue of each thread there is to be.
    pub(crate) fn threads(&self) -> impl Iterator<Item = (&'static str, Arc<Queue<Job>>)> {
        let points = std::iter::repeat_n(("reader", Arc::clone(&self.points)), POINT_READERS);
        points.chain(std::iter::repeat_n(("scanner", Arc::clone(&self.scans)), SCANNERS))
    }

    pub(crate) fn push(&self, lane: Lane, job: Job) -> Result<(), Refused> {
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

pub(crate) fn run(connection: &Connection, queue: &Queue<Job>) {
    while let Taken::Some(jobs) = queue.take(1, None) {
        for job in jobs {
            // A query that panics loses its own answer; the thread and the connection live on.
            if catch_unwind(AssertUnwindSafe(|| job(connection))).is_err() {
                tracing::error!("a query panicked");
            }
        }
    }
}
