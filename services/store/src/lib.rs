//! Durable group commit on SQLite: one writer thread, many commands, one sync.
//!
//! The writer takes whatever commands are queued, runs each in a savepoint of one transaction,
//! commits once and then answers every caller. While one sync runs the next batch forms, so
//! nothing waits on purpose. Reads use threads with read-only connections of their own.
//!
//! Nothing here knows what is stored: tables belong to the services' `store` modules.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use ordersys_spans::Kind;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

mod checkpoint;
pub mod defect;
mod durability;
mod error;
pub mod failpoint;
mod gather;
mod metrics;
mod open;
mod queue;
mod reader;
mod writer;

pub use durability::Durability;
pub use error::{OpenError, StoreError};
pub use metrics::StoreMetrics;
pub use rusqlite;

use checkpoint::Checkpoints;
use queue::{Queue, Refused};

/// Commands that may wait for the writer before callers are turned away.
const WRITE_QUEUE: usize = 8192;
/// Reads that may wait for a reader before callers are turned away.
const READ_QUEUE: usize = 8192;
/// Threads that read.
const READERS: usize = 2;

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
    writes: Arc<Queue<writer::Job>>,
    reads: Arc<Queue<reader::Job>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    writable: Arc<AtomicBool>,
    metrics: StoreMetrics,
    dir: PathBuf,
    name: &'static str,
}

impl Drop for Shared {
    /// The threads end when nobody can ask them any more.
    fn drop(&mut self) {
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
        let writable = Arc::new(AtomicBool::new(true));
        let writes = Arc::new(Queue::bounded(WRITE_QUEUE));
        let reads = Arc::new(Queue::bounded(READ_QUEUE));
        let (decided, batches) = mpsc::unbounded_channel();
        tokio::spawn(writer::answer_all(batches));
        let writer = writer::Writer {
            connection: opened.writer,
            checkpoints,
            lock: opened.lock,
            name: options.name,
            queue: Arc::clone(&writes),
            decided,
            metrics: metrics.clone(),
            writable: Arc::clone(&writable),
        };
        let mut threads = vec![spawn(&format!("{}-writer", options.name), move || writer.run())?];
        for _ in 0..READERS {
            let connection = open::reader(options)?;
            let queue = Arc::clone(&reads);
            let name = format!("{}-reader", options.name);
            threads.push(spawn(&name, move || reader::run(&connection, &queue))?);
        }
        let threads = Mutex::new(threads);
        let (dir, name) = (options.dir.clone(), options.name);
        Ok(Self(Arc::new(Shared { writes, reads, threads, writable, metrics, dir, name })))
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
        let job = writer::job(command, sender);
        self.0.writes.push(job).map_err(refused)?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Runs a query on a read-only connection. It sees every write that was answered before.
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let job = reader::job(query, sender);
        self.0.reads.push(job).map_err(refused)?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Whether the last commit went through; false while the disk is full.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.0.writable.load(Ordering::Relaxed)
    }

    /// Counts and durations of commits.
    #[must_use]
    pub fn metrics(&self) -> &StoreMetrics {
        &self.0.metrics
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
            shared.writes.close();
            shared.reads.close();
            let threads = shared.threads.lock().map(|mut threads| std::mem::take(&mut *threads));
            for thread in threads.unwrap_or_default() {
                let _ = thread.join();
            }
        });
        let _ = finished.await;
    }
}

fn refused(refused: Refused) -> StoreError {
    match refused {
        Refused::Full => StoreError::Overloaded,
        Refused::Closed => StoreError::Stopped,
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(OpenError::Thread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(dir: &Path) -> Options {
        Options {
            dir: dir.to_owned(),
            durability: Durability::Full,
            name: "test",
            migrations: &["CREATE TABLE t(n INTEGER PRIMARY KEY CHECK (n >= 0))"],
        }
    }

    fn insert(n: i64) -> impl Fn(&Connection) -> rusqlite::Result<i64> + Send + 'static {
        move |connection| connection.execute("INSERT INTO t VALUES (?1)", [n]).map(|_| n)
    }

    async fn count(store: &Store) -> i64 {
        let query = |c: &Connection| c.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
        store.read(query).await.expect("counts")
    }

    #[tokio::test]
    async fn a_failing_command_undoes_itself_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(&options(dir.path())).expect("opens");
        let writes = (-5..5).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.write(insert(n)).await.is_ok() })
        });
        let mut committed = 0;
        for write in writes.collect::<Vec<_>>() {
            committed += i64::from(write.await.expect("runs"));
        }
        assert_eq!(committed, 5, "the table refuses negative numbers");
        assert_eq!(count(&store).await, 5);
        store.close().await;
        assert!(matches!(store.write(insert(9)).await, Err(StoreError::Stopped)));
    }

    #[tokio::test]
    async fn a_key_that_is_taken_is_told_and_undoes_the_command() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(&options(dir.path())).expect("opens");
        store.write(insert(7)).await.expect("commits");
        let both = |connection: &Connection| insert(8)(connection).and_then(|_| insert(7)(connection));
        let refused = store.write(both).await;
        assert!(matches!(refused, Err(StoreError::Taken)), "{refused:?}");
        assert_eq!(count(&store).await, 1);
    }

    #[tokio::test]
    async fn what_was_answered_is_there_after_reopening() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(&options(dir.path())).expect("opens");
        store.write(insert(7)).await.expect("commits");
        let refused = Store::open(&options(dir.path())).err().expect("is in use");
        assert!(
            refused.to_string().ends_with(&format!("in use by process {}", std::process::id())),
            "{refused}"
        );
        store.close().await;
        let again = Store::open(&options(dir.path())).expect("opens again");
        assert_eq!(count(&again).await, 1);
        let newer = Options { migrations: &[], ..options(dir.path()) };
        again.close().await;
        let refused = Store::open(&newer).err().expect("is newer");
        assert!(matches!(refused, OpenError::TooNew { found: 1, known: 0, .. }), "{refused}");
        assert!(refused.to_string().contains(&*dir.path().join("test.db").to_string_lossy()), "{refused}");
    }

    #[tokio::test]
    async fn a_damaged_file_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(&options(dir.path())).expect("opens");
        store.write(insert(7)).await.expect("commits");
        store.close().await;
        let file = dir.path().join("test.db");
        let sound = std::fs::read(&file).expect("reads");
        let garbage = [vec![0xa5; 100], sound[100..].to_vec()].concat();
        let short = sound[..sound.len() - 4096].to_vec();
        let schema = [&sound[..100], &[0xff; 64], &sound[164..]].concat();
        for (what, damaged) in [("header", garbage), ("end", short), ("schema page", schema)] {
            std::fs::write(&file, &damaged).expect("writes");
            let refused = Store::open(&options(dir.path())).err().expect(what);
            assert!(
                matches!(&refused, OpenError::Damaged { path, .. } if *path == file),
                "{what}: {refused}"
            );
            assert_eq!(std::fs::read(&file).expect("reads"), damaged, "{what}: nothing is repaired");
        }
        std::fs::write(&file, &sound).expect("writes");
        assert_eq!(count(&Store::open(&options(dir.path())).expect("opens again")).await, 1);
    }
}
