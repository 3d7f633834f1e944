//! The reading threads: each takes the next query and runs it on its own connection.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::Receiver;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;

pub(crate) type Job = Box<dyn FnOnce(&Connection) + Send>;

pub(crate) enum Message {
    Run(Job),
    Close,
}

pub(crate) fn job<T, F>(query: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    Box::new(move |connection| {
        let _ = answer.send(query(connection).map_err(|error| StoreError::from_statement(&error)));
    })
}

pub(crate) fn run(connection: &Connection, queue: &Receiver<Message>) {
    while let Ok(Message::Run(job)) = queue.recv() {
        // A query that panics loses its own answer; the thread and the connection live on.
        if catch_unwind(AssertUnwindSafe(|| job(connection))).is_err() {
            tracing::error!("a query panicked");
        }
    }
}
