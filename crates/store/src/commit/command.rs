//! Commands that wait for the writer, and how their callers are answered.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;
use crate::database::fault::Fault;

pub(crate) type Job = Box<dyn Command + Send>;

/// A command that waits for the writer.
pub(crate) trait Command {
    /// Runs it and keeps its result. May be called again after the transaction was undone.
    fn run(&mut self, connection: &Connection) -> Result<(), Failed>;
    /// Answers its caller: with its own result if the batch was committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// What went wrong, and in which words.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) fault: Fault,
    pub(crate) why: String,
}

impl From<&rusqlite::Error> for Failed {
    fn from(error: &rusqlite::Error) -> Self {
        Self { fault: Fault::of(error), why: error.to_string() }
    }
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::from(&error)
    }
}

struct Queued<T, F> {
    command: F,
    result: Option<rusqlite::Result<T>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Command for Queued<T, F>
where
    T: Send + 'static,
    F: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    fn run(&mut self, connection: &Connection) -> Result<(), Failed> {
        let result = (self.command)(connection);
        let failed = result.as_ref().err().map(Failed::from);
        self.result = Some(result);
        failed.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let own = match self.result {
            Some(Ok(value)) => committed.map(|()| value),
            Some(Err(error)) => committed.and(Err(StoreError::from_statement(&error))),
            None => Err(committed.err().unwrap_or(StoreError::Stopped)),
        };
        let _ = self.answer.send(own);
    }
}

pub(crate) fn job<T, F>(command: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Job
where
    T: Send + 'static,
    F: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    Box::new(Queued { command, result: None, answer })
}

/// A batch that was decided, with what became of it. Its callers are answered where they run: one
/// wake-up for all of them instead of one each.
pub(crate) struct Decided {
    pub(crate) jobs: Vec<Job>,
    pub(crate) outcome: Result<(), StoreError>,
}

/// Answers the callers of each batch until the writer ends.
pub(crate) async fn answer_all(mut decided: mpsc::UnboundedReceiver<Decided>) {
    while let Some(Decided { jobs, outcome }) = decided.recv().await {
        for job in jobs {
            job.answer(outcome.clone());
        }
    }
}
