//! Durable group commit on SQLite: one writer thread, many commands, one sync.
//!
//! The writer takes whatever commands are queued, runs each in a savepoint of one transaction,
//! commits once and then answers every caller. While one sync runs the next batch forms, so
//! nothing waits on purpose. Reads use threads with read-only connections of their own.
//!
//! Nothing here knows what is stored: tables belong to the services' `store` modules.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::commit::{command, writer};
use crate::database::{inspect, open};
use ordersys_contract::Secret;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_spans::Kind;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

pub mod answers;
mod commit;
mod database;
#[cfg(feature = "defects")]
pub mod defect;
mod error;
pub mod failpoint;
mod metrics;
pub mod pack;
pub mod postgres;
mod reader;
pub mod retention;
mod visit;

pub use crate::error::{OpenError, StoreError};
pub use crate::metrics::StoreMetrics;
pub use crate::visit::{MAX_STEPS, Reached, STEP_ROWS};
pub use ordersys_contract::settings::Durability;
pub use rusqlite;

use crate::commit::checkpoint::Checkpoints;
use crate::commit::queue::Queue;
use crate::database::condition::Condition;
use crate::database::directory::LastEnd;
use crate::database::watch::Watch;
use crate::reader::Lane;

/// Commands that may wait for the writer before callers are turned away.
const WRITE_QUEUE: usize = 8192;

/// Adds a row to what is made of a list, while it is read. Breaks when no more rows are needed.
pub type Add<P, T> = Box<dyn FnMut(&mut P, T) -> ControlFlow<()> + Send>;

/// Where a service keeps its data.
#[derive(Debug, Clone)]
pub enum Location {
    /// In a directory of its own, with SQLite.
    Directory {
        /// The directory of this store alone; made if missing.
        dir: PathBuf,
        /// What a commit means.
        durability: Durability,
    },
    /// In a PostgreSQL database, in a schema of its own.
    Database {
        /// The database.
        address: DatabaseAddress,
        /// The password of its role, where one is asked for.
        password: Option<Secret>,
    },
}

/// What a store needs to open.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory of this store alone; made if missing.
    pub dir: PathBuf,
    /// What a commit means.
    pub durability: Durability,
    /// Names the store in metrics and log lines.
    pub name: &'static str,
    /// The schema: statements run once each, in order. Only ever appended to.
    pub migrations: &'static [&'static str],
}

/// A handle on an open store; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    writes: Queue<command::Job>,
    reads: reader::Lanes,
    threads: Mutex<Vec<JoinHandle<()>>>,
    condition: Arc<Condition>,
    /// Set when the store is to be closed.
    closing: Arc<AtomicBool>,
    metrics: StoreMetrics,
    dir: PathBuf,
    name: &'static str,
}

impl Drop for Shared {
    /// The threads end with the last handle.
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn stop(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.writes.close();
        self.reads.close();
    }
}

impl Store {
    /// Opens the store, making or migrating it as needed, and starts its threads. Callers are
    /// answered on the runtime this is called in.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        let mut opened = open::open(options)?;
        let checkpoints = Checkpoints::of(&mut opened.writer, options)
            .map_err(|source| OpenError::database(&open::file(options), source))?;
        let metrics = StoreMetrics::default();
        let (condition, closing) = (Arc::new(Condition::sound(options)), Arc::new(AtomicBool::new(false)));
        let held = Arc::new(opened.held);
        let (writes, jobs) = Queue::bounded(WRITE_QUEUE);
        let (reads, readers) = reader::Lanes::new();
        let (decided, batches) = mpsc::unbounded_channel();
        tokio::spawn(command::answer_all(batches));
        let writer = writer::Writer {
            connection: opened.writer,
            checkpoints,
            held: Arc::clone(&held),
            name: options.name,
            jobs,
            decided,
            metrics: metrics.clone(),
            condition: Arc::clone(&condition),
            watch: Watch::of(options, &held, metrics.log_bytes.clone()),
        };
        let mut threads = vec![spawn(&format!("{}-writer", options.name), move || writer.run())?];
        // Each thread that has a connection keeps the lock.
        for (what, jobs) in readers {
            let (connection, held) = (open::reader(options)?, Arc::clone(&held));
            threads.push(spawn(&format!("{}-{what}", options.name), move || {
                reader::run(&connection, &jobs);
                drop(connection);
                drop(held);
            })?);
        }
        if !opened.is_new && held.last_end() != LastEnd::Closed {
            let (connection, name) = (open::reader(options)?, options.name);
            let (condition, closing) = (Arc::clone(&condition), Arc::clone(&closing));
            threads.push(spawn(&format!("{name}-check"), move || {
                inspect::run(connection, name, &condition, &closing);
                drop(held);
            })?);
        }
        let threads = Mutex::new(threads);
        let (dir, name) = (options.dir.clone(), options.name);
        Ok(Self(Arc::new(Shared { writes, reads, threads, condition, closing, metrics, dir, name })))
    }

    /// Runs a command in the next batch and returns once it is committed.
    ///
    /// An error of the command undoes what it wrote, and only that. A command that decides to
    /// refuse returns the refusal as a value, before it writes anything. When another command of
    /// its batch fails, a command is undone and run again: it must decide from the tables alone.
    pub async fn write<T, F>(&self, command: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let mut span = ordersys_spans::open(Kind::Internal, "commit");
        span.note("ordersys.store", || self.0.name);
        let committed = self.queued(command).await;
        if let Err(error) = &committed {
            span.fail(|| error.to_string());
        }
        committed
    }

    async fn queued<T, F>(&self, command: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let job = command::job(command, sender);
        self.0.writes.push(job)?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Runs a query that finds few rows by their keys, on a read-only connection. It sees every write that
    /// was answered before.
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.queried(Lane::Points, query).await
    }

    /// The same for a query that goes through many rows: it waits for others of its kind only, and keeps
    /// no other waiting.
    pub async fn scan<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.queried(Lane::Scans, query).await
    }

    async fn queried<T, F>(&self, lane: Lane, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let condition = Arc::clone(&self.0.condition);
        let query = move |connection: &Connection| {
            query(connection).inspect_err(|error| condition.notice_reading(error))
        };
        self.0.reads.push(lane, reader::job(query, sender))?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Why the store cannot do its work, if it cannot: the disk is full, another program holds its lock, or what
    /// is stored is damaged. Names the file and what to do, fit for any reader.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.condition.reason()
    }

    /// Counts and durations of commits.
    #[must_use]
    pub fn metrics(&self) -> &StoreMetrics {
        &self.0.metrics
    }

    /// Why a service does not start that cannot read or write what it needs.
    #[must_use]
    pub fn unusable(&self, source: StoreError) -> OpenError {
        OpenError::Unusable { path: self.0.dir.join(format!("{}.db", self.0.name)), source }
    }

    /// The directory of the store.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Finishes what is queued, checkpoints and ends the threads. Later calls get `Stopped`.
    pub async fn close(&self) {
        let shared = Arc::clone(&self.0);
        let finished = tokio::task::spawn_blocking(move || {
            shared.stop();
            let threads = shared.threads.lock().map(|mut threads| std::mem::take(&mut *threads));
            for thread in threads.unwrap_or_default() {
                let _ = thread.join();
            }
        });
        let _ = finished.await;
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(OpenError::Thread)
}

#[cfg(test)]
mod tests;
