//! Moves committed pages from the log to the database file, mostly beside the writer.
//!
//! Left to itself, SQLite does that at the end of a commit, and callers of the next commit wait for
//! all of it. Here a thread with a connection of its own moves them while commits go on. Pages that are
//! written meanwhile are left to the writer, between two commits: the log begins anew only when it holds
//! nothing that was not moved. Both may run at once (<https://sqlite.org/wal.html>, "Avoiding Excessively
//! Large WAL Files").

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};

use crate::Options;
use crate::database::open;

/// Pages in the log before they are moved: 8 MiB.
const MANY: c_int = 2_000;
/// Pages that the writer moves itself without much delay.
const FEW: c_int = 200;
/// How long the writer waits for readers to leave a log that is to be given back.
const LEAVING: Duration = Duration::from_millis(20);
/// Passes of the thread for one turn of the log. Under load each leaves some new pages, fewer each time.
const PASSES: usize = 4;

/// Decides when the log is moved, by whom, and keeps what that takes.
pub(crate) struct Checkpoints {
    options: Options,
    /// Pages in the log after the last commit.
    pages: Arc<AtomicI32>,
    /// How many there have to be before they are moved.
    due: c_int,
    /// Whether the log's file is to be cut off once all of it was moved.
    give_back: bool,
    /// How the last move failed, if it did: each cause is logged once.
    failed: Option<String>,
    mover: Mover,
}

/// The connection that moves pages beside the writer.
enum Mover {
    /// At rest; opened when it is first needed, since most services write little.
    Idle(Option<Connection>),
    /// On its thread.
    Moving(JoinHandle<Connection>),
}

impl Checkpoints {
    /// Takes over from SQLite what is to be done after commits of the `writer`.
    pub(crate) fn of(writer: &mut Connection, options: &Options) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&pages);
        writer.wal_hook(Some(move |_: &mut Wal, count| {
            seen.store(count, Ordering::Relaxed);
            Ok(())
        }))?;
        let (options, mover) = (options.clone(), Mover::Idle(None));
        Ok(Self { options, pages, due: MANY, give_back: false, failed: None, mover })
    }

    /// Moves the log as soon as that is possible, and then gives its space back.
    pub(crate) fn give_back(&mut self, writer: &Connection) {
        self.give_back = true;
        self.due = 0;
        self.turn(writer);
    }

    /// Does what is due. Called between commits.
    pub(crate) fn turn(&mut self, writer: &Connection) {
        let is_due = self.pages.load(Ordering::Relaxed) >= self.due;
        match std::mem::replace(&mut self.mover, Mover::Idle(None)) {
            Mover::Moving(thread) if thread.is_finished() => {
                self.mover = Mover::Idle(thread.join().ok());
                self.finish(writer);
            }
            Mover::Idle(connection) if is_due => self.begin(connection, writer),
            other => self.mover = other,
        }
    }

    /// Starts the thread. Where that is impossible the writer moves everything.
    fn begin(&mut self, connection: Option<Connection>, writer: &Connection) {
        let started = connection.map_or_else(|| open::mover(&self.options), Ok).ok().and_then(|connection| {
            let pages = Arc::clone(&self.pages);
            let name = format!("{}-mover", self.options.name);
            std::thread::Builder::new().name(name).spawn(move || move_most(connection, &pages)).ok()
        });
        match started {
            Some(thread) => self.mover = Mover::Moving(thread),
            None => self.finish(writer),
        }
    }

    /// Moves what is left. What cannot be moved, since a reader still needs it or the disk is full, is tried
    /// again when the log has grown.
    fn finish(&mut self, writer: &Connection) {
        let moved = passive(writer);
        let failed = moved.as_ref().err().map(ToString::to_string);
        if let Some(error) = &failed
            && failed != self.failed
        {
            let store = self.options.name;
            tracing::warn!(store, error, "the log grows, since it cannot be moved to the database");
        }
        self.failed = failed;
        let is_empty = moved.is_ok_and(|(all, moved)| all == moved);
        if is_empty && self.give_back {
            self.cut_off(writer);
        }
        self.due = if is_empty { MANY } else { self.pages.load(Ordering::Relaxed).saturating_add(MANY) };
    }

    /// Cuts off a log of which everything was moved. While a reader is in it, that is left to a later try.
    fn cut_off(&mut self, writer: &Connection) {
        let cut = writer
            .busy_timeout(LEAVING)
            .and_then(|()| writer.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::TRUNCATE));
        if cut.is_ok() {
            self.give_back = false;
            self.pages.store(0, Ordering::Relaxed);
        }
        let _ = writer.busy_timeout(open::BUSY);
    }

    /// Waits for the thread, moves the whole log, and lets the writer remove its file.
    pub(crate) fn end(&mut self, writer: &Connection) -> rusqlite::Result<()> {
        if let Mover::Moving(thread) = std::mem::replace(&mut self.mover, Mover::Idle(None)) {
            let _ = thread.join(); // whatever it left is moved here
        }
        writer.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::TRUNCATE)?;
        writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map(|_| ())
    }
}

/// Moves what no reader needs in the log any more, without waiting. Returns how many pages the log
/// had and how many of them have been moved by now.
fn passive(connection: &Connection) -> rusqlite::Result<(c_int, c_int)> {
    connection.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE)
}

/// Moves pages until few are left. An error is met again by the writer, which reports it.
fn move_most(connection: Connection, pages: &AtomicI32) -> Connection {
    for _ in 0..PASSES {
        match passive(&connection) {
            Ok((_, moved)) if pages.load(Ordering::Relaxed) - moved > FEW => {}
            _ => break,
        }
    }
    connection
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Durability, Store};

    /// Rows of one commit, each a page of its own.
    const ROWS: usize = 250;
    /// Commits: the log of ten turns.
    const COMMITS: usize = 10 * MANY as usize / ROWS;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_log_begins_anew_while_commits_go_on_and_nothing_is_lost() {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options {
            dir: dir.path().to_owned(),
            durability: Durability::Full,
            name: "test",
            migrations: &["CREATE TABLE t(n INTEGER PRIMARY KEY, page BLOB NOT NULL)"],
        };
        let store = Store::open(&options).expect("opens");
        let insert = |connection: &Connection| {
            let mut insert = connection.prepare_cached("INSERT INTO t(page) VALUES (randomblob(4000))")?;
            (0..ROWS).try_for_each(|_| insert.execute([]).map(|_| ()))
        };
        for _ in 0..COMMITS {
            store.write(insert).await.expect("commits");
            store
                .read(|connection| connection.query_row("SELECT max(n) FROM t", [], |_| Ok(())))
                .await
                .expect("reads");
        }
        let pages = |name: &str| dir.path().join(name).metadata().expect("is there").len() / 4096;
        let (log, all) = (pages("test.db-wal"), (ROWS * COMMITS) as u64);
        assert!(log < all / 2, "{log} pages of log for {all} rows");
        store.close().await;
        let again = Store::open(&options).expect("opens again");
        let count = |connection: &Connection| {
            connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, u64>(0))
        };
        assert_eq!(again.read(count).await.expect("counts"), all);
        again.close().await;
    }
}
