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
    assert!(refused.to_string().ends_with(&format!("in use by process {}", std::process::id())), "{refused}");
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
        assert!(matches!(&refused, OpenError::Damaged { path, .. } if *path == file), "{what}: {refused}");
        assert_eq!(std::fs::read(&file).expect("reads"), damaged, "{what}: nothing is repaired");
    }
    std::fs::write(&file, &sound).expect("writes");
    assert_eq!(count(&Store::open(&options(dir.path())).expect("opens again")).await, 1);
}
