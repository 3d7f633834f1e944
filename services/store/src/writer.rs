//! The writing thread: forms batches, commits them, answers.

use std::fs::File;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use crate::checkpoint::Checkpoints;
use crate::queue::{Queue, Taken};
use crate::{StoreError, StoreMetrics, failpoint};

/// Most commands in one commit.
const MAX_BATCH: usize = 512;
/// How often a full disk is tried again.
const PROBE: Duration = Duration::from_secs(1);

pub(crate) type Job = Box<dyn Command + Send>;

/// A command that waits for the writer.
pub(crate) trait Command {
    /// Runs it and keeps its result. May be called again after the transaction was undone.
    fn run(&mut self, connection: &Connection) -> Result<(), Failed>;
    /// Answers its caller: with its own result if the batch was committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// How a command failed, as far as the batch is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It can be undone alone.
    Alone,
    /// Nobody knows the state of the file any more.
    Fatally,
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
        let failed = result.as_ref().err().map(|error| match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt) => Failed::Fatally,
            _ => Failed::Alone,
        });
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
    jobs: Vec<Job>,
    outcome: Result<(), StoreError>,
}

/// Answers the callers of each batch until the writer ends.
pub(crate) async fn answer_all(mut decided: mpsc::UnboundedReceiver<Decided>) {
    while let Some(Decided { jobs, outcome }) = decided.recv().await {
        for job in jobs {
            job.answer(outcome.clone());
        }
    }
}

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) lock: File,
    pub(crate) name: &'static str,
    pub(crate) queue: Arc<Queue<Job>>,
    pub(crate) decided: mpsc::UnboundedSender<Decided>,
    pub(crate) metrics: StoreMetrics,
    pub(crate) writable: Arc<AtomicBool>,
}

impl Writer {
    pub(crate) fn run(mut self) {
        // A panic leaves a transaction in an unknown state: a restart recovers, going on may not.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.work()));
        if outcome.is_err() {
            self.die("a command panicked");
        }
        drop(self.lock);
    }

    fn work(&mut self) {
        loop {
            let patience = (!self.writable.load(Ordering::Relaxed)).then_some(PROBE);
            match self.queue.take(MAX_BATCH, patience) {
                Taken::Some(jobs) => {
                    self.commit(jobs);
                    self.checkpoints.turn(&self.connection);
                }
                Taken::Nothing => self.probe(),
                Taken::Closed => return self.checkpoint(),
            }
        }
    }

    fn checkpoint(&mut self) {
        if let Err(error) = self.checkpoints.end(&self.connection) {
            tracing::debug!(store = self.name, %error, "the last checkpoint is left to the next start");
        }
    }

    fn commit(&self, mut jobs: Vec<Job>) {
        let started = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.metrics.batch.observe(jobs.len() as f64);
        let outcome = self.execute(&mut jobs).and_then(|()| self.end());
        let outcome = outcome.map_err(|error| self.roll_back(&error));
        self.writable.store(outcome.is_ok(), Ordering::Relaxed);
        self.metrics.commit.observe(started.elapsed().as_secs_f64());
        self.metrics.waiting.set(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
        // Without a runtime nobody waits any more.
        let _ = self.decided.send(Decided { jobs, outcome });
    }

    /// Commits. Tests let it fail as a disk does: before anything is written, or after it was.
    fn end(&self) -> rusqlite::Result<()> {
        let fault = failpoint::commit_fault(self.name);
        let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        match fault.as_deref() {
            Some("full") => return Err(error(rusqlite::ffi::SQLITE_FULL)),
            Some("io") => return Err(error(rusqlite::ffi::SQLITE_IOERR_FSYNC)),
            _ => self.statement("COMMIT")?,
        }
        fault.map_or(Ok(()), |_| Err(error(rusqlite::ffi::SQLITE_IOERR_FSYNC)))
    }

    /// Runs every command in one transaction. Nearly always none fails, so savepoints, which copy
    /// every page they touch, are only paid for when one did. An error here means that the
    /// transaction is lost.
    fn execute(&self, jobs: &mut [Job]) -> rusqlite::Result<()> {
        self.statement("BEGIN IMMEDIATE")?;
        if jobs.iter_mut().try_for_each(|job| self.run_one(job)).is_ok() {
            return Ok(());
        }
        if !self.connection.is_autocommit() {
            self.statement("ROLLBACK")?;
        }
        self.statement("BEGIN IMMEDIATE")?;
        jobs.iter_mut().try_for_each(|job| self.execute_guarded(job))
    }

    fn execute_guarded(&self, job: &mut Job) -> rusqlite::Result<()> {
        self.statement("SAVEPOINT command")?;
        if self.run_one(job).is_ok() {
            return self.statement("RELEASE command");
        }
        self.metrics.undone.inc();
        // A full disk may have ended the whole transaction already; then this fails too.
        self.undo()
    }

    fn run_one(&self, job: &mut Job) -> Result<(), Failed> {
        let outcome = job.run(&self.connection);
        if outcome == Err(Failed::Fatally) {
            self.die("the disk failed under a statement");
        }
        outcome
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
        // Straight to stderr: buffered log lines are lost with the process.
        let _ =
            writeln!(std::io::stderr(), "{} store: {why}: ending the process, a restart recovers", self.name);
        std::process::abort()
    }
}
