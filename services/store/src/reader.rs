//! The reading threads: each takes the next query and runs it on its own connection.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::queue::{Queue, Taken};

pub(crate) type Job = Box<dyn FnOnce(&Connection) + Send>;

pub(crate) fn job<T, F>(query: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    Box::new(move |connection| {
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
