//! The writing thread: forms batches, commits them, answers.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::commit::checkpoint::Checkpoints;
use crate::commit::command::{Decided, Failed, Job};
use crate::commit::queue::receive;
use crate::database::condition::{Condition, Trouble};
use crate::database::directory::Held;
use crate::database::fault::Fault;
use crate::database::watch;
use crate::database::watch::{Seen, Watch};
use crate::database::{holders, open};
use crate::{StoreError, StoreMetrics, failpoint};

/// Most commands in one commit.
const MAX_BATCH: usize = 512;

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) held: Arc<Held>,
    pub(crate) name: &'static str,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) decided: mpsc::UnboundedSender<Decided>,
    pub(crate) metrics: StoreMetrics,
    pub(crate) condition: Arc<Condition>,
    pub(crate) watch: Watch,
}

impl Writer {
    pub(crate) fn run(mut self) {
        // A panic leaves a transaction in an unknown state: a restart recovers, going on may not.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.work()));
        if outcome.is_err() {
            self.die("a command panicked");
        }
        let Self { connection, checkpoints, held, .. } = self;
        drop((checkpoints, connection));
        drop(held); // last: to close the file it holds open drops SQLite's locks
    }

    fn work(&mut self) {
        loop {
            let pause = if self.condition.trouble().is_some() { watch::PROBE } else { watch::EVERY };
            match receive(&self.jobs, MAX_BATCH, pause) {
                Ok(jobs) => {
                    self.commit(jobs);
                    self.turn();
                }
                Err(RecvTimeoutError::Timeout) => self.turn(),
                Err(RecvTimeoutError::Disconnected) => return self.close(),
            }
            if self.watch.is_due(pause) {
                self.look();
            }
        }
    }

    fn is_damaged(&self) -> bool {
        self.condition.trouble() == Some(Trouble::Damaged)
    }

    /// Moves the log when it is due. Nothing is written to files that cannot be trusted: what is still sound in
    /// them may be all that is left.
    fn turn(&mut self) {
        if !self.is_damaged() {
            self.checkpoints.turn(&self.connection);
        }
    }

    /// Looks after the files, and tries again what did not go.
    fn look(&mut self) {
        match self.watch.look(&self.held.database) {
            Seen::LargeLog if !self.is_damaged() => self.checkpoints.give_back(&self.connection),
            Seen::Well | Seen::LargeLog => {}
            Seen::Replaced => {
                self.condition
                    .notice(Trouble::Damaged, "the file or its log was removed or replaced while in use");
            }
            Seen::Overwritten => {
                self.condition.notice(Trouble::Damaged, "the file or its log was overwritten while in use");
            }
        }
        if self.is_damaged() {
            self.held.mark_damaged();
        }
        if self.condition.trouble().is_some_and(|trouble| trouble != Trouble::Damaged) {
            self.probe();
        }
    }

    fn close(&mut self) {
        if self.is_damaged() {
            return self.held.mark_damaged();
        }
        match self.checkpoints.end(&self.connection) {
            Ok(()) if self.condition.trouble().is_none() => self.held.mark_closed(),
            Ok(()) => {}
            Err(error) => {
                tracing::debug!(store = self.name, %error, "the last checkpoint is left to the next start");
            }
        }
    }

    fn commit(&self, mut jobs: Vec<Job>) {
        let started = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.metrics.batch.observe(jobs.len() as f64);
        let outcome = match self.condition.trouble() {
            Some(Trouble::Damaged) => Err(StoreError::Damaged),
            _ => self.execute(&mut jobs).and_then(|()| self.end()).map_err(|failed| self.roll_back(&failed)),
        };
        self.metrics.commit.observe(started.elapsed().as_secs_f64());
        self.metrics.waiting.set(i64::try_from(self.jobs.len()).unwrap_or(i64::MAX));
        // Without a runtime no caller waits any more.
        let _ = self.decided.send(Decided { jobs, outcome });
    }

    /// Commits. Tests let it fail as a disk does: before anything is written, or after it was.
    fn end(&self) -> Result<(), Failed> {
        let fault = failpoint::commit_fault(self.name);
        let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        match fault.as_deref() {
            Some("full") => return Err(error(rusqlite::ffi::SQLITE_FULL).into()),
            Some("io") => return Err(error(rusqlite::ffi::SQLITE_IOERR_FSYNC).into()),
            _ => self.statement("COMMIT")?,
        }
        fault.map_or(Ok(()), |_| Err(error(rusqlite::ffi::SQLITE_IOERR_FSYNC).into()))
    }

    /// Runs every command in one transaction. Nearly always none fails, so savepoints, which copy
    /// every page they touch, are only paid for when one did. An error here means that the
    /// transaction is lost.
    fn execute(&self, jobs: &mut [Job]) -> Result<(), Failed> {
        self.statement("BEGIN IMMEDIATE")?;
        match jobs.iter_mut().try_for_each(|job| job.run(&self.connection)) {
            Err(failed) if failed.fault.is_of_command() => {}
            other => return other,
        }
        if !self.connection.is_autocommit() {
            self.statement("ROLLBACK")?;
        }
        self.statement("BEGIN IMMEDIATE")?;
        jobs.iter_mut().try_for_each(|job| self.execute_guarded(job))
    }

    fn execute_guarded(&self, job: &mut Job) -> Result<(), Failed> {
        self.statement("SAVEPOINT command")?;
        match job.run(&self.connection) {
            Ok(()) => return Ok(self.statement("RELEASE command")?),
            Err(failed) if !failed.fault.is_of_command() => return Err(failed),
            Err(_) => self.metrics.undone.inc(),
        };
        self.statement("ROLLBACK TO command")?;
        Ok(self.statement("RELEASE command")?)
    }

    fn statement(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Undoes the whole batch where that is safe; ends the process where it is not.
    fn roll_back(&self, failed: &Failed) -> StoreError {
        let ended = self.connection.is_autocommit() || self.statement("ROLLBACK").is_ok();
        let harmless = self.harmless(failed).filter(|_| ended);
        let Some(error) = harmless else { self.die(&format!("a commit failed: {}", failed.why)) };
        error
    }

    /// What callers get for a fault after which nothing of their batch counts; `None` where that is not sure.
    fn harmless(&self, failed: &Failed) -> Option<StoreError> {
        let (trouble, error) = match failed.fault {
            Fault::Full => (Trouble::Full, StoreError::Full),
            Fault::Busy => {
                // One batch has waited. The others are refused at once until the lock is free.
                let _ = self.connection.busy_timeout(Duration::ZERO);
                (Trouble::Busy, StoreError::Busy)
            }
            Fault::Unwritable => (Trouble::Unwritable, StoreError::Unwritable),
            Fault::Damaged => (Trouble::Damaged, StoreError::Damaged),
            // SQLite tells a full disk from other errors, but not a quota or a file system that became
            // read-only. Those refuse a write as a whole.
            Fault::Broken => match watch::trouble(&self.watch.room().err()?)? {
                Trouble::Full => (Trouble::Full, StoreError::Full),
                trouble => (trouble, StoreError::Unwritable),
            },
            Fault::Memory => return Some(StoreError::Memory),
            Fault::Unknown | Fault::Taken | Fault::Statement => return None,
        };
        if self.condition.trouble() != Some(trouble) {
            let is_busy = trouble == Trouble::Busy;
            let holders = || format!("held by {}", holders::of(self.watch.database()));
            self.condition.notice(trouble, &if is_busy { holders() } else { failed.why.clone() });
        }
        Some(error)
    }

    /// Finds out whether the store can be written again.
    fn probe(&mut self) {
        let room = if self.condition.trouble() == Some(Trouble::Busy) { Ok(()) } else { self.watch.room() };
        if let Err(error) = room {
            let trouble = watch::trouble(&error).unwrap_or(Trouble::Unwritable);
            return self.condition.notice(trouble, &error.to_string());
        }
        match self.write_probe() {
            Ok(()) => {
                let _ = self.connection.busy_timeout(open::BUSY);
                self.condition.recovered();
            }
            Err(_) if !self.connection.is_autocommit() => {
                let _ = self.statement("ROLLBACK");
            }
            Err(_) => {}
        }
    }

    fn write_probe(&self) -> rusqlite::Result<()> {
        self.statement("BEGIN IMMEDIATE")?;
        self.connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS probe(at INTEGER); DELETE FROM probe; INSERT INTO probe VALUES(unixepoch());",
        )?;
        self.statement("COMMIT")
    }

    /// What is on disk is not known any more: only a restart can tell.
    fn die(&self, why: &str) -> ! {
        // Straight to stderr: buffered log lines are lost with the process.
        let _ =
            writeln!(std::io::stderr(), "{} store: {why}: ending the process, a restart recovers", self.name);
        std::process::abort()
    }
}
