use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use rusqlite::{Connection, ErrorCode};

use super::open;

/// A database as the writer has it, with a table of pages.
fn database(dir: &Path) -> Connection {
    let connection = open(&dir.join("t.db")).expect("opens");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")
        .expect("is set");
    connection.execute_batch("CREATE TABLE t(n INTEGER PRIMARY KEY, page BLOB)").expect("makes a table");
    connection
}

/// Inserts so many pages in one transaction.
fn insert(connection: &Connection, pages: usize) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let inserted = (0..pages).try_for_each(|_| {
        connection.prepare_cached("INSERT INTO t(page) VALUES (randomblob(3900))")?.execute([]).map(|_| ())
    });
    let committed = inserted.and_then(|()| connection.execute_batch("COMMIT"));
    if committed.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    committed
}

/// Rows in a copy of the files as they are now, as a restart after a crash would find them.
fn rows_after_a_crash(dir: &Path) -> usize {
    let copy = tempfile::tempdir().expect("a directory");
    for name in ["t.db", "t.db-wal"] {
        fs::copy(dir.join(name), copy.path().join(name)).expect("copies");
    }
    let connection = Connection::open(copy.path().join("t.db")).expect("opens");
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
    assert_eq!(sound, "ok");
    connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("counts")
}

#[test]
fn whatever_is_committed_is_in_the_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let connection = database(dir.path());
    let mut committed = 0;
    // The longest are more than is held back at a time.
    for pages in [1, 2, 0, 30, 31, 32, 33, 100, 1] {
        insert(&connection, pages).expect("commits");
        committed += pages;
        assert_eq!(rows_after_a_crash(dir.path()), committed);
    }
}

#[test]
fn a_transaction_larger_than_its_cache_reads_what_it_wrote() {
    let dir = tempfile::tempdir().expect("a directory");
    let connection = database(dir.path());
    let sum = || -> i64 {
        let sum = "SELECT sum(n * length(page) * unicode(hex(substr(page, 1, 1)))) FROM t";
        connection.query_row(sum, [], |row| row.get(0)).expect("reads")
    };
    connection.execute_batch("PRAGMA cache_size = 20; BEGIN").expect("begins");
    for n in 1..=400 {
        connection.execute("INSERT INTO t(page) VALUES (randomblob(3000 + ?1))", [n]).expect("inserts");
    }
    let before = sum();
    connection.execute("UPDATE t SET page = substr(page, 1, 3000)", []).expect("writes them again");
    let after = sum();
    assert!(after < before, "they are shorter");
    connection
        .execute_batch("SAVEPOINT s; DELETE FROM t WHERE n % 2; ROLLBACK TO s; RELEASE s")
        .expect("undoes");
    assert_eq!(sum(), after);
    connection.execute_batch("COMMIT").expect("commits");
    assert_eq!((sum(), rows_after_a_crash(dir.path())), (after, 400));
}

#[test]
#[cfg(target_os = "linux")]
fn a_commit_is_one_write() {
    let writes = || -> usize {
        let counts = fs::read_to_string("/proc/thread-self/io").expect("the system counts");
        counts.lines().find_map(|line| line.strip_prefix("syscw: ")?.parse().ok()).expect("a number")
    };
    let dir = tempfile::tempdir().expect("a directory");
    let connection = database(dir.path());
    insert(&connection, 1).expect("commits");
    let before = writes();
    insert(&connection, 20).expect("commits");
    assert_eq!(writes() - before, 1);
}

/// A file system of two megabytes; `None` where this process may not mount one.
struct Small(tempfile::TempDir);

impl Small {
    fn mounted() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(dir.path()).output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("skipped: this process may not mount a small file system");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all room there is.
    fn fill(&self) {
        let mut filler = fs::File::create(self.path().join("filler")).expect("makes a file");
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.path().join("filler")).expect("is removed");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

#[test]
fn a_commit_that_found_no_room_fails_as_a_whole_and_does_not_come_back() {
    let Some(small) = Small::mounted() else { return };
    let connection = database(small.path());
    insert(&connection, 10).expect("there is room");
    for pages in [1, 20, 60] {
        small.fill();
        let failed = insert(&connection, pages).expect_err("there is no room");
        assert_eq!(failed.sqlite_error_code(), Some(ErrorCode::DiskFull), "{failed}");
        assert_eq!(rows_after_a_crash(small.path()), 10);
        small.make_room();
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).expect("reads the log");
        assert_eq!(rows_after_a_crash(small.path()), 10);
    }
    insert(&connection, 20).expect("there is room");
    assert_eq!(rows_after_a_crash(small.path()), 30);
}

#[test]
fn a_transaction_that_outlives_a_full_disk_has_lost_nothing() {
    let Some(small) = Small::mounted() else { return };
    let connection = database(small.path());
    connection.execute_batch("PRAGMA cache_size = 10; BEGIN").expect("begins");
    for n in 0..25 {
        connection.execute("INSERT INTO t(page) VALUES (zeroblob(3000 + ?1))", [n]).expect("inserts");
    }
    small.fill();
    let update = "UPDATE t SET page = zeroblob(length(page) + 1)";
    let failed = connection.execute(update, []).expect_err("there is no room");
    assert_eq!(failed.sqlite_error_code(), Some(ErrorCode::DiskFull), "{failed}");
    assert!(!connection.is_autocommit(), "only the statement is undone");
    small.make_room();
    connection.execute(update, []).expect("there is room");
    connection.execute_batch("COMMIT").expect("commits");
    let copy = Connection::open(small.path().join("t.db")).expect("opens");
    let found: i64 = copy.query_row("SELECT sum(length(page)) FROM t", [], |row| row.get(0)).expect("reads");
    assert_eq!((found, rows_after_a_crash(small.path())), ((3001..3026).sum(), 25));
}
