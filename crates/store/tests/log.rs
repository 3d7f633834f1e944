//! What becomes of the log while another process reads an old state. In a process of its own: what is
//! logged is the process's.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ordersys_store::rusqlite::Connection;
use ordersys_store::{Durability, Options, Store};

/// Rows of one commit, each a page of its own.
const ROWS: usize = 1_000;
/// Commits: 100 MB.
const COMMITS: usize = 25;
/// More than the log may keep, in bytes.
const LARGE: u64 = 64 * 1024 * 1024;
/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn count(&self, text: &str) -> usize {
        let bytes = self.0.lock().expect("is whole").clone();
        String::from_utf8_lossy(&bytes).matches(text).count()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("is whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn fill(store: &Store) {
    for _ in 0..COMMITS {
        let insert = |connection: &Connection| {
            let mut insert = connection.prepare_cached("INSERT INTO t(page) VALUES (randomblob(4000))")?;
            (0..ROWS).try_for_each(|_| insert.execute([]).map(|_| ()))
        };
        store.write(insert).await.expect("commits");
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().expect("is there").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_a_reader_kept_is_told_and_given_back_when_the_reader_is_gone() {
    let lines = Lines::default();
    let to = lines.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || to.clone()).init();
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options {
        dir: dir.path().to_owned(),
        durability: Durability::Memory,
        name: "test",
        migrations: &["CREATE TABLE t(n INTEGER PRIMARY KEY, page BLOB NOT NULL)"],
    };
    let store = Store::open(&options).expect("opens");
    let (database, log) = (dir.path().join("test.db"), dir.path().join("test.db-wal"));

    let reader = Connection::open(&database).expect("opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM t").expect("begins");
    fill(&store).await;
    assert!(size(&log) > LARGE, "the reader keeps it");
    until("it is logged that the log grows", || lines.count("the log grows") == 1).await;
    reader.execute_batch("COMMIT").expect("ends");
    until("the log is given back though nothing is written", || size(&log) == 0).await;
    until("that is logged", || lines.count("the log is small again") == 1).await;
    assert_eq!(lines.count("the log grows"), 1, "once, while it grew");

    // While commits go on, too.
    reader.execute_batch("BEGIN; SELECT count(*) FROM t").expect("begins");
    fill(&store).await;
    assert!(size(&log) > LARGE, "the reader keeps it");
    until("it is logged again", || lines.count("the log grows") == 2).await;
    drop(reader);
    let began = Instant::now();
    while size(&log) > LARGE {
        let insert = |connection: &Connection| connection.execute("INSERT INTO t(page) VALUES (x'00')", []);
        store.write(insert).await.expect("commits");
        assert!(began.elapsed() < LIMIT, "{} bytes", size(&log));
    }

    // What is deleted is room for what follows.
    store.write(|connection| connection.execute("DELETE FROM t", [])).await.expect("deletes");
    until("the log is moved", || size(&log) < LARGE).await;
    let before = size(&database);
    fill(&store).await;
    store.close().await;
    assert!(size(&database) <= before + before / 10, "{} after {before}", size(&database));
}
