//! What a migration takes. In a process of its own: memory is that of the process.
#![cfg(target_os = "linux")]

use std::fs;

use ordersys_store::{Durability, Options, Store};

/// A table of about 60 MB in no order.
const FILLED: &str = "
    CREATE TABLE unsorted(key BLOB NOT NULL) STRICT;
    WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 600000)
        INSERT INTO unsorted SELECT randomblob(100) FROM row;
";
/// The same in order.
const SORTED: &str = "
    CREATE TABLE sorted(key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
    INSERT INTO sorted SELECT key FROM unsorted ORDER BY key;
";
/// Memory that a migration may take, whatever it sorts: the cache, and as much to sort in.
const MOST_KIB: u64 = 28 * 1024;

/// A figure of this process in KiB.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("reads");
    let figure = status.lines().find_map(|line| line.strip_prefix(name)).expect("is there");
    figure.trim_matches([':', '\t', ' ', 'k', 'B']).parse().expect("a number")
}

#[tokio::test]
async fn a_migration_sorts_a_table_on_disk_and_leaves_nothing_else_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let open = |migrations: &'static [&'static str]| {
        let options =
            Options { dir: dir.path().to_owned(), durability: Durability::Memory, name: "test", migrations };
        Store::open(&options).expect("opens")
    };
    open(&[FILLED]).close().await;
    fs::write("/proc/self/clear_refs", "5").expect("forgets the peak");
    let before = memory("VmRSS");
    let store = open(&[FILLED, SORTED]);
    let taken = memory("VmHWM").saturating_sub(before);
    assert!(taken <= MOST_KIB, "{taken} KiB were taken");
    let count = |connection: &rusqlite::Connection| {
        connection.query_row("SELECT count(*) FROM sorted", [], |row| row.get::<_, u32>(0))
    };
    assert_eq!(store.read(count).await.expect("reads"), 600_000);
    store.close().await;
    let files = fs::read_dir(dir.path()).expect("reads");
    let mut left: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
    left.sort();
    assert_eq!(left, ["identity", "lock", "test.db"]);
}
