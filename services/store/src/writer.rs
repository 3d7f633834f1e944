//! The writing thread: forms batches, commits them, answers.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::{StoreError, StoreMetrics};

/// Most commands in one commit.
const MAX_BATCH: usize = 512;
/// How often a full disk is tried again.
const PROBE: Duration = Duration::from_secs(1);

/// Tells the caller of a command whether its batch was committed.
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
pub(crate) type Job = Box<dyn Command + Send>;

pub(crate) enum Message {
    Run(Job),
    Close,
}

/// A command that waits for the writer.
pub(crate) trait Command {
    /// Runs it; its caller is answered later, when the batch is committed.
    fn run(self: Box<Self>, connection: &Connection) -> Executed;
    /// Answers its caller without running it.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// A command that ran and waits for its commit.
pub(crate) struct Executed {
    failure: Option<rusqlite::Error>,
    reply: Reply,
}

struct Queued<T, F> {
    command: F,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Command for Queued<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    fn run(self: Box<Self>, connection: &Connection) -> Executed {
        let answer = self.answer;
        match (self.command)(connection) {
            Ok(value) => {
                let reply = move |outcome: Result<(), StoreError>| drop(answer.send(outcome.map(|()| value)));
                Executed { failure: None, reply: Box::new(reply) }
            }
            Err(error) => {
                let own = StoreError::from_statement(&error);
                let reply = move |outcome: Result<(), StoreError>| {
                    drop(answer.send(Err(outcome.err().unwrap_or(own))));
                };
                Executed { failure: Some(error), reply: Box::new(reply) }
            }
        }
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let _ = self.answer.send(Err(error));
    }
}

pub(crate) fn job<T, F>(command: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    Box::new(Queued { command, answer })
}

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) lock: File,
    pub(crate) name: &'static str,
    pub(crate) queue: Receiver<Message>,
    pub(crate) metrics: StoreMetrics,
    pub(crate) writable: Arc<AtomicBool>,
}

/// How taking the next batch ended.
enum Next {
    Batch(Vec<Job>),
    Last(Vec<Job>),
    Nothing,
}

impl Writer {
    pub(crate) fn run(self) {
        // A panic leaves a transaction in an unknown state: a restart recovers, going on may not.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.work()));
        if outcome.is_err() {
            self.die("a command panicked");
        }
        drop(self.lock);
    }

    fn work(&self) {
        loop {
            match self.next() {
                Next::Batch(jobs) => self.commit(jobs),
                Next::Nothing => self.probe(),
                Next::Last(jobs) => {
                    self.commit(jobs);
                    let checkpoint =
                        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                    if let Err(error) = checkpoint {
                        tracing::debug!(store = self.name, %error, "the last checkpoint is left to the next start");
                    }
                    return;
                }
            }
        }
    }

    fn next(&self) -> Next {
        let first = if self.writable.load(Ordering::Relaxed) {
            self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            self.queue.recv_timeout(PROBE)
        };
        let mut jobs = match first {
            Ok(Message::Run(job)) => vec![job],
            Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => return Next::Last(Vec::new()),
            Err(RecvTimeoutError::Timeout) => return Next::Nothing,
        };
        while jobs.len() < MAX_BATCH {
            match self.queue.try_recv() {
                Ok(Message::Run(job)) => jobs.push(job),
                Ok(Message::Close) => return Next::Last(jobs),
                Err(_) => break,
            }
        }
        Next::Batch(jobs)
    }

    fn commit(&self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let started = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.metrics.batch.observe(jobs.len() as f64);
        let mut replies = Vec::with_capacity(jobs.len());
        let outcome = self.execute(jobs, &mut replies).and_then(|()| self.statement("COMMIT"));
        let outcome = outcome.map_err(|error| self.roll_back(&error));
        self.writable.store(outcome.is_ok(), Ordering::Relaxed);
        self.metrics.commit.observe(started.elapsed().as_secs_f64());
        for reply in replies {
            reply(outcome.clone());
        }
    }

    /// Runs every command in a savepoint. An error here means that the transaction is lost.
    fn execute(&self, jobs: Vec<Job>, replies: &mut Vec<Reply>) -> rusqlite::Result<()> {
        self.statement("BEGIN IMMEDIATE")?;
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            if let Err(error) = self.execute_one(job, replies) {
                jobs.for_each(|job| job.refuse(StoreError::Full));
                return Err(error);
            }
        }
        Ok(())
    }

    fn execute_one(&self, job: Job, replies: &mut Vec<Reply>) -> rusqlite::Result<()> {
        self.statement("SAVEPOINT command")?;
        let executed = job.run(&self.connection);
        replies.push(executed.reply);
        match executed.failure {
            None => self.statement("RELEASE command"),
            Some(error) if is_fatal(&error) => self.die(&format!("a statement failed: {error}")),
            Some(error) => {
                self.metrics.undone.inc();
                // A full disk may have ended the whole transaction already; then this fails too.
                self.undo().map_err(|_| error)
            }
        }
    }

    fn undo(&self) -> rusqlite::Result<()> {
        self.statement("ROLLBACK TO command")?;
        self.statement("RELEASE command")
    }

    fn statement(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Undoes the whole batch where that is safe; ends the process where it is not.
    fn roll_back(&self, error: &rusqlite::Error) -> StoreError {
        let harmless =
            matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy));
        let ended = self.connection.is_autocommit() || self.statement("ROLLBACK").is_ok();
        if !harmless || !ended {
            self.die(&format!("a commit failed: {error}"));
        }
        tracing::error!(store = self.name, %error, "nothing of this batch was written");
        StoreError::Full
    }

    /// Finds out whether a full disk has room again.
    fn probe(&self) {
        let tried = self
            .statement("BEGIN IMMEDIATE")
            .and_then(|()| {
                self.connection.execute_batch(
                    "CREATE TABLE IF NOT EXISTS probe(at INTEGER); DELETE FROM probe; INSERT INTO probe VALUES(unixepoch());",
                )
            })
            .and_then(|()| self.statement("COMMIT"));
        match tried {
            Ok(()) => self.writable.store(true, Ordering::Relaxed),
            Err(_) if !self.connection.is_autocommit() => {
                let _ = self.statement("ROLLBACK");
            }
            Err(_) => {}
        }
    }

    /// What is on disk is not known any more: only a restart can tell.
    fn die(&self, why: &str) -> ! {
        tracing::error!(store = self.name, "{why}: ending the process, a restart recovers");
        std::process::abort()
    }
}

/// Whether the error leaves the file in a state nobody knows.
fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt))
}
